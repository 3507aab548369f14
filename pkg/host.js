// One client's part of the runtime, as the Rust side (src/web/host.rs) sees it: clock, timers, errors, promises.
// None of these methods throws: an exception cannot cross a wasm frame.
import { errorOf, withoutReply } from "./errors.js";
import { Reply, attempt } from "./reply.js";

/** What differs by runtime; the entry that was imported fills it in. */
export const platform = {
  /** Promises, timers and I/O belong to the request that made them, and end with it. */
  isolate: false,
  /** Keeps the current request's work going after its response. */
  waitUntil: undefined,
};

const ignore = () => {};

/** Whether a value is an instance of a platform class; by its tag if it is of another realm. */
export function isA(value, name) {
  try {
    return value instanceof globalThis[name] || Object.prototype.toString.call(value) === `[object ${name}]`;
  } catch {
    return false;
  }
}

export class Host {
  /** The token to hand out without asking the client, and until when, on the monotonic clock. */
  grantHeld;
  freshUntil = -Infinity;
  /**
   * The wasm client that timers and listeners report to. Weakly: the wasm side holds this object for as long as the
   * client lives, so a strong reference would keep both for ever. While anything is pending, its timer holds the client.
   */
  #client;
  /** What settles the promises given to `waitUntil`, by flight. */
  #flights = new Map();
  /** One listener a signal, however many calls wait with it. */
  #signals = new Map();
  /** The timers that have not gone off. */
  #timers = new Set();
  #closing = false;
  #closed = false;

  set client(client) {
    // Not every workerd release has WeakRef.
    this.#client = typeof WeakRef === "function" ? new WeakRef(client) : { deref: () => client };
  }

  get client() {
    return this.#client.deref();
  }

  get isolate() {
    return platform.isolate;
  }

  now() {
    return performance.now();
  }

  headers(authorization, environment) {
    return { Authorization: authorization, "X-Environment": environment };
  }

  get hasRequestCache() {
    return attempt(() => "cache" in globalThis.Request.prototype) === true;
  }

  /** An async function: it turns a throw, a thenable or a plain value into a promise of our own. */
  async call(target, receiver, a, b, c) {
    return Reflect.apply(target, receiver, c === undefined ? (b === undefined ? (a === undefined ? [] : [a]) : [a, b]) : [a, b, c]);
  }

  /** Of a 200 the body is read at once: that is one promise less to wait for. Of all others, the status may be enough. */
  async send(fetch = globalThis.fetch, url, init, cap, deadline) {
    const reply = new Reply(await Reflect.apply(fetch, undefined, [url, init]), init.signal);
    if (reply.status === 200) await reply.read(cap, deadline);
    return reply;
  }

  isA(value, name) {
    return isA(value, name);
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
    const client = this.client;
    let timer;
    const due = () => {
      this.#timers.delete(timer);
      isFlight ? client.flight_due(id) : client.waiter_due(id);
      this.#freeIfDone();
    };
    try {
      // A longer wait than this would be none at all; the client looks at the clock and waits again.
      timer = setTimeout(due, Math.min(Math.max(Math.ceil(ms), 0), 0x7fffffff));
    } catch {
      // workerd has no timers at module scope.
      return undefined;
    }
    this.#timers.add(timer);
    if (letsExit) {
      if (typeof timer === "object") timer.unref?.();
      else globalThis.Deno?.unrefTimer?.(timer);
    }
    return timer;
  }

  disarm(timer) {
    clearTimeout(timer);
    this.#timers.delete(timer);
  }

  listen(signal, id) {
    const listening = this.#signals.get(signal);
    if (listening) {
      listening.ids.add(id);
      return { signal, id };
    }
    const client = this.client;
    const ids = new Set([id]);
    // Anybody may dispatch an event; only an abort makes the signal aborted.
    const listener = () => signal.aborted && ids.forEach((id) => client.aborted(id));
    this.#signals.set(signal, { ids, listener });
    try {
      signal.addEventListener("abort", listener);
      // It may have aborted meanwhile, without a word.
      listener();
    } catch {
      // A signal that cannot be listened to never aborts.
    }
    return { signal, id };
  }

  unlisten({ signal, id }) {
    const { ids, listener } = this.#signals.get(signal);
    ids.delete(id);
    if (ids.size > 0) return;
    this.#signals.delete(signal);
    try {
      signal.removeEventListener("abort", listener);
    } catch {
      // As above.
    }
  }

  began(flight, waitUntil) {
    const keepers = [platform.isolate ? platform.waitUntil : undefined, waitUntil].filter(Boolean);
    let settle = ignore;
    const work = keepers.length > 0 && new Promise((resolve) => (settle = resolve));
    this.#flights.set(flight, settle);
    for (const keep of keepers) {
      try {
        // What it returns may be a promise, and that may reject: nobody's business.
        Promise.resolve(keep(work)).catch(ignore);
      } catch {
        // A waitUntil that throws (outside of a request, say) harms nobody.
      }
    }
  }

  settled(flight) {
    this.#flights.get(flight)?.();
    this.#flights.delete(flight);
    this.#freeIfDone();
  }

  /** Closes the client: its secret is overwritten now, its memory given back as soon as no work of it is under way. */
  close() {
    if (this.#closing) return;
    this.#closing = true;
    this.client.close();
    this.#freeIfDone();
  }

  /** In a turn of its own: not out of a call of the client's. */
  #freeIfDone() {
    if (!this.#closing || this.#closed || this.#flights.size > 0 || this.#timers.size > 0) return;
    this.#closed = true;
    const client = this.client;
    // Collected already, it has been freed.
    queueMicrotask(() => client?.free());
  }

  acquire(store, key, ttlSeconds) {
    const request = { abandoned: false };
    request.answer = (async () => store.acquire(key, ttlSeconds))();
    request.answer
      .then((granted) => (granted === true && request.abandoned ? store.release?.(key) : undefined))
      .catch(ignore);
    return request;
  }

  acquired(request) {
    return request.answer;
  }

  abandon(request) {
    request.abandoned = true;
  }

  deleteUnlessReplaced(store, key, token) {
    const read = async () => (token === undefined ? undefined : store.get(key));
    const work = async () => {
      if (typeof store.delete !== "function") return;
      const stored = await read().catch(ignore);
      if (typeof stored?.token !== "string" || stored.token === token) await store.delete(key);
    };
    return work().catch(ignore);
  }

  async digest(text) {
    const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
}
