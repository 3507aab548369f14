// One client's part of the runtime, as the Rust side (src/web/host.rs) sees it: clock, timers, errors, promises.
// None of these methods throws: an exception cannot cross a wasm frame.
import { errorOf, withoutReply } from "./errors.js";

/** What differs by runtime; the entry that was imported fills it in. */
export const platform = {
  /** Promises, timers and I/O belong to the request that made them, and end with it. */
  isolate: false,
  /** Keeps the current request's work going after its response. */
  waitUntil: undefined,
};

const ignore = () => {};

export class Host {
  /** The wasm client that the timers below report to. */
  client;
  /** The token to hand out without asking the client, and until when, on the monotonic clock. */
  grantHeld;
  freshUntil = -Infinity;
  /** What ends the promises given to `waitUntil`, by flight. */
  #settle = new Map();

  get isolate() {
    return platform.isolate;
  }

  now() {
    return performance.now();
  }

  /** An async function: it turns a throw, a thenable or a plain value into a promise of our own. */
  async call(target, receiver, a, b, c) {
    return Reflect.apply(target, receiver, c === undefined ? (b === undefined ? (a === undefined ? [] : [a]) : [a, b]) : [a, b, c]);
  }

  error(code, what, attempts, status, reason, retryAfter, option, cause, hasCause) {
    const fields = { attempts, status, reason, retryAfter, option };
    if (hasCause) fields.cause = withoutReply(cause);
    return errorOf(code, what, fields);
  }

  grant(token, exp) {
    return Object.freeze({ token, exp });
  }

  hold(grant, until) {
    this.grantHeld = grant;
    this.freshUntil = until;
  }

  arm(isFlight, id, ms, letsExit) {
    const due = isFlight ? () => this.client.flight_due(id) : () => this.client.waiter_due(id);
    // A longer wait than this would be none at all; the client looks at the clock and waits again.
    const timer = setTimeout(due, Math.min(Math.max(Math.ceil(ms), 0), 0x7fffffff));
    if (letsExit) {
      if (typeof timer === "object") timer.unref?.();
      else globalThis.Deno?.unrefTimer?.(timer);
    }
    return timer;
  }

  disarm(timer) {
    clearTimeout(timer);
  }

  listen(signal, id) {
    const listener = () => this.client.aborted(id);
    try {
      signal.addEventListener("abort", listener, { once: true });
    } catch {
      // A signal that cannot be listened to never aborts.
    }
    return { signal, listener };
  }

  unlisten({ signal, listener }) {
    try {
      signal.removeEventListener("abort", listener);
    } catch {
      // As above.
    }
  }

  outlive(flight, waitUntil) {
    const work = new Promise((resolve) => this.#settle.set(flight, resolve));
    for (const keep of [platform.isolate ? platform.waitUntil : undefined, waitUntil]) {
      try {
        // What it returns may be a promise, and that may reject: nobody's business.
        Promise.resolve(keep?.(work)).catch(ignore);
      } catch {
        // A waitUntil that throws (outside of a request, say) harms nobody.
      }
    }
  }

  settled(flight) {
    this.#settle.get(flight)?.();
    this.#settle.delete(flight);
  }

  async digest(text) {
    const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
}
