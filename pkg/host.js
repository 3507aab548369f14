// One client's part of the runtime: it tells the wasm client (src/web/client.rs) what happens, and carries out its orders,
// the methods that src/web/host.rs names. None of these throws: an exception cannot cross a wasm frame.
import { Client } from "./wasm/digitalpaye_auth_bg.js";
import { InvalidOptionsError, errorOf } from "./errors.js";
import { isObject, readCall, readOptions } from "./options.js";
import { HEAD, JSON_TEXT, NOT_JSON, NO_REPLY, attempt, member, parse, readBody, readHead } from "./reply.js";

/** What differs by runtime; the entry that was imported fills it in. */
export const platform = {
  /** Promises, timers and I/O belong to the request that made them, and end with it. */
  isolate: false,
  /** Keeps the current request's work going after its response. */
  waitUntil: undefined,
};

/** The first wait of a caller who polls, in milliseconds; it doubles up to the cap. */
const POLL_MS = 2;
const POLL_CAP_MS = 50;
/** How long an answer is kept for a caller whose request seems to have ended, past its deadline, in milliseconds. */
const KEPT_MS = 10_000;

// What happens to a flight, as src/web/client.rs numbers it.
const BEGIN = 0;
const DUE = 1;
const NAMED = 2;
const LEASED = 3;
const FLUSHED = 4;
const SET = 5;
const RELEASED = 6;

// Numbers of the platform's, as src/web/host.rs numbers them; the fourth is `exp`.
const LOCAL = 0;
const RANDOM = 1;
const IAT = 2;

/** The host whose client was entered last: what the module calls is called on it. */
export let host;

/** What came of a store's method that threw or rejected. */
const FAILED = Symbol("failed");

/** Nothing of a page's Object.prototype is in it. */
const NOTHING = Object.freeze({ __proto__: null });

const ignore = () => {};
const now = () => performance.now();
const isAborted = (signal) => attempt(() => signal?.aborted) === true;
const reasonOf = (signal) => attempt(() => signal.reason);

/**
 * Throws a RangeError if the stack is about to end. Called before the wasm module is entered: it cannot be unwound, so
 * it would not survive what any JavaScript does.
 */
export const needRoom = (frames = 512) => frames === 0 || needRoom(frames - 1);

export class Host {
  /** The token held, and until when to hand it out without asking the client, on the monotonic clock. */
  held;
  freshUntil = -Infinity;
  // What the options came to.
  base;
  environment;
  fetch;
  #url;
  #timeout;
  #store;
  #waitUntil;

  #client;
  #once;
  #closed = false;
  /** The name of the store's entry. */
  #key;
  /** A deletion in the store that is under way. */
  #deleting;
  /** A write to the store that is under way, and of which token. */
  #setting;
  #callers = new Map();
  #lastCaller = 0;
  #flights = new Map();
  /** One listener a signal, however many calls wait with it. */
  #signals = new Map();
  #claims;
  /** What callers fail with. */
  #fault;
  /** What `fetch` rejected with, or the API's own words, and by which flight it came. */
  #evidence = NOTHING;

  /** Throws an `InvalidOptionsError`. */
  constructor(options, once) {
    needRoom();
    const { apiKey, apiSecret, environment, url, timeout, maxRetries, fetch, store, leases, waitUntil } = readOptions(options, once);
    this.#once = once;
    this.fetch = fetch;
    this.#store = store;
    this.#waitUntil = waitUntil;
    const encoder = new TextEncoder();
    const [key, secret] = [encoder.encode(apiKey), encoder.encode(apiSecret)];
    this.#client = this.#enter(
      Client, "open", key, secret, environment, url.href, url.protocol, url.hostname, Boolean(url.username || url.password),
      timeout, maxRetries, store !== undefined, leases, platform.isolate,
    );
    secret.fill(0);
    if (!this.#client) throw errorOf(this.#fault);
  }

  /**
   * Calls a method of the client for this host. By name, not by a closure: an error keeps the functions that were on the
   * stack when it was made, and with a closure what that can see, such as a reply.
   */
  #enter(client, method, ...args) {
    const before = host;
    host = this;
    try {
      return client?.[method](...args);
    } finally {
      host = before;
    }
  }

  configured(base, url, environment, timeout) {
    this.base = base;
    this.#url = url;
    this.environment = environment;
    this.#timeout = timeout;
  }

  /** Settles one promise with a token or an error; throws an `AuthError` that is due at once. */
  ask(call, resolve, reject) {
    needRoom();
    this.needOpen();
    const { signal, force } = readCall(call, this.#once);
    if (isAborted(signal)) return reject(reasonOf(signal));
    // A getter may have disposed of it.
    this.needOpen();
    const at = now();
    const id = (this.#lastCaller = (this.#lastCaller + 1) >>> 0);
    const caller = { resolve, reject, signal, deadline: at + this.#timeout, poll: POLL_MS };
    this.#callers.set(id, caller);
    this.#enter(this.#client, "ask", id, force, at);
    if (signal && this.#callers.has(id)) this.#listen(signal, id);
    if (this.#callers.has(id)) this.#watch(id, caller, at);
  }

  /** A client that was disposed of has no secret to ask for a token with. */
  needOpen() {
    if (!this.#closed) return;
    throw new InvalidOptionsError("this client was disposed of, and its apiSecret with it; make a new one", { option: "apiSecret" });
  }

  invalidate(token) {
    needRoom();
    if (token !== undefined && typeof token !== "string") throw new InvalidOptionsError("token is not a string", { option: "token" });
    if (!this.#closed) this.#enter(this.#client, "invalidate", token, now());
  }

  /** Closes the client: its secret is overwritten now, its memory given back as soon as no work of it is under way. */
  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#enter(this.#client, "close", now());
    this.held = undefined;
    this.#evidence = NOTHING;
    this.#freeIfDone();
  }

  /** In a turn of its own: not out of a call of the client's. */
  #freeIfDone() {
    if (!this.#closed || this.#flights.size > 0 || this.#callers.size > 0) return;
    const client = this.#client;
    this.#client = undefined;
    queueMicrotask(() => client?.free());
  }

  error(number, what, attempts, status, retryAfter, option, flight) {
    const evidence = this.#evidence.flight === flight ? [this.#evidence.value] : [];
    // What nobody is to be shown is not to stay here: it may repeat the secret.
    if (flight === 0) this.#evidence = NOTHING;
    this.#fault = { number, what, attempts, status, retryAfter, option, evidence };
  }

  number(which) {
    switch (which) {
      case LOCAL: return Date.now() / 1_000;
      case RANDOM: return Math.random();
      default: return member("number", this.#claims, which === IAT ? "iat" : "exp");
    }
  }

  reason() {
    return this.#evidence.value;
  }

  parse(utf8) {
    this.#claims = attempt(() => parse(utf8));
  }

  // Callers.

  serve(id, here) {
    const { held } = this;
    this.#answer(id, here, ({ resolve }) => resolve(held));
  }

  fail(id, here) {
    const error = errorOf(this.#fault);
    this.#answer(id, here, ({ reject }) => reject(error));
  }

  /** Settles a caller's promise: here if it is of this request, else by its own timer. */
  #answer(id, here, settle) {
    const caller = this.#callers.get(id);
    if (!caller) return;
    if (!platform.isolate || here || caller.timer === undefined) return this.#settle(id, caller, settle);
    caller.answer = settle;
    // Those whose request has ended never come for it. The oldest are first.
    for (const [id, { deadline, answer }] of this.#callers) {
      if (!answer || now() - deadline < KEPT_MS) break;
      this.#callers.delete(id);
    }
  }

  #settle(id, caller, settle) {
    this.#callers.delete(id);
    clearTimeout(caller.timer);
    this.#unlisten(caller.signal, id);
    settle(caller);
    this.#freeIfDone();
  }

  /** Sets the timer of a caller who waits: for its deadline, or, where promises belong to requests, to look for its answer. */
  #watch(id, caller, at) {
    let ms = caller.deadline - at;
    if (platform.isolate) {
      ms = Math.min(ms, caller.poll);
      caller.poll = Math.min(caller.poll * 2, POLL_CAP_MS);
    }
    caller.timer = timer(() => {
      if (caller.answer) return this.#settle(id, caller, caller.answer);
      const at = now();
      this.#enter(this.#client, "callerDue", id, caller.poll > POLL_MS * 4, at);
      if (this.#callers.has(id)) this.#watch(id, caller, at);
    }, ms);
  }

  #listen(signal, id) {
    const listening = this.#signals.get(signal);
    if (listening) return void listening.ids.add(id);
    const ids = new Set([id]);
    const listener = () => {
      // Anybody may dispatch an event; only an abort makes the signal aborted.
      if (isAborted(signal)) for (const id of [...ids]) this.#aborted(id);
    };
    this.#signals.set(signal, { ids, listener });
    // A signal that cannot be listened to never aborts.
    attempt(() => signal.addEventListener("abort", listener));
    // It may have aborted meanwhile, without a word.
    listener();
  }

  #unlisten(signal, id) {
    const listening = this.#signals.get(signal);
    if (!listening?.ids.delete(id) || listening.ids.size > 0) return;
    this.#signals.delete(signal);
    attempt(() => signal.removeEventListener("abort", listening.listener));
  }

  #aborted(id) {
    const caller = this.#callers.get(id);
    if (!caller) return;
    this.#settle(id, caller, ({ reject, signal }) => reject(reasonOf(signal)));
    this.#enter(this.#client, "aborted", id, now());
  }

  // Flights.

  start(id, behind) {
    // The abort of a flight before it may be foreign code, which came back and disposed of the client.
    if (this.#closed) return;
    const keepers = [platform.waitUntil, behind ? this.#waitUntil : undefined].filter(Boolean);
    const flight = { settle: ignore };
    const work = keepers.length > 0 && new Promise((resolve) => (flight.settle = resolve));
    this.#flights.set(id, flight);
    for (const keep of keepers) {
      // What it returns may be a promise, and that may reject; a waitUntil that throws (outside of a request, say) harms
      // nobody either.
      attempt(() => Promise.resolve(keep(work)).catch(ignore));
    }
    queueMicrotask(() => this.#tell(id, BEGIN));
  }

  arm(id, ms, letsExit) {
    const flight = this.#flights.get(id);
    if (!flight) return true;
    clearTimeout(flight.timer);
    flight.timer = timer(() => this.#tell(id, DUE), ms);
    if (letsExit) {
      if (typeof flight.timer === "object") flight.timer.unref?.();
      else globalThis.Deno?.unrefTimer?.(flight.timer);
    }
    return flight.timer !== undefined;
  }

  async send(id, authorization, deadline) {
    const flight = this.#flights.get(id);
    if (!flight) return;
    flight.controller = attempt(() => new AbortController());
    const signal = flight.controller?.signal;
    // Plain objects rather than `Request` and `Headers`: every `fetch` takes them, and they cost less.
    const init = {
      method: "POST",
      headers: { Authorization: authorization, "X-Environment": this.environment },
      redirect: "manual",
      credentials: "omit",
      signal,
    };
    // workerd before its compatibility date of November 2024 refuses a request that sets it.
    if (attempt(() => "cache" in globalThis.Request.prototype)) init.cache = "no-store";
    let response;
    let head;
    try {
      response = await Reflect.apply(this.fetch ?? globalThis.fetch, undefined, [this.#url, init]);
      head = readHead(response);
    } catch (cause) {
      return this.#replied(id, NO_REPLY, cause, NOTHING);
    }
    if (head.status === undefined) return this.#replied(id, NOT_JSON, undefined, head);
    // The status decides, even if the body does not come in time.
    if (head.status !== 200) this.#replied(id, HEAD, undefined, head);
    const [outcome, value] = await readBody(response, signal, deadline);
    if (outcome !== JSON_TEXT) return this.#replied(id, outcome, value, head);
    const data = member("object", value, "data");
    const content = { statusCode: member("number", value, "statusCode"), token: member("string", data, "token"), exp: member("number", data, "exp") };
    this.#replied(id, outcome, member("string", value, "reason"), head, content);
  }

  #replied(id, outcome, value, { status, date, age, retryAfter }, { statusCode, token, exp } = NOTHING) {
    const flight = this.#flights.get(id);
    if (!flight) return;
    flight.token = Object.freeze({ token, exp });
    this.#evidence = { flight: id, value };
    this.#enter(
      this.#client, "replied", id, now(), outcome, status, date, age !== undefined, retryAfter, statusCode, token, exp, value !== undefined,
    );
  }

  hangUp(id) {
    const { controller } = this.#flights.get(id) ?? NOTHING;
    attempt(() => controller?.abort());
  }

  end(id) {
    const flight = this.#flights.get(id);
    if (!flight) return;
    this.#flights.delete(id);
    clearTimeout(flight.timer);
    flight.settle();
    this.#freeIfDone();
  }

  hold(id, until) {
    this.held = this.#flights.get(id)?.token ?? this.held;
    this.freshUntil = until;
  }

  // The store.

  async name(id, identity) {
    // A copy, since these are the module's own memory.
    this.#key = await digest(identity.slice()).catch(ignore);
    this.#tell(id, NAMED, this.#key !== undefined);
  }

  async look(id) {
    const stored = await this.#call("get");
    const none = stored === undefined || stored === null;
    // Getters may be foreign code.
    const entry = none ? NOTHING : isObject(stored) ? attempt(() => ({ token: stored.token, exp: stored.exp, ttlSeconds: stored.ttlSeconds })) : undefined;
    const flight = this.#flights.get(id);
    if (!flight) return;
    const token = member("string", entry, "token");
    const exp = member("number", entry, "exp");
    // What is no number is nonsense, as a number out of range is.
    const ttlSeconds = entry?.ttlSeconds === undefined ? Infinity : Number.isFinite(entry.ttlSeconds) ? entry.ttlSeconds : NaN;
    flight.token = Object.freeze({ token, exp });
    this.#enter(this.#client, "looked", id, now(), entry !== undefined, token, exp, ttlSeconds);
  }

  async lease(id, ttlSeconds) {
    const granted = await this.#call("acquire", ttlSeconds);
    const waited = this.#tell(id, LEASED, typeof granted === "boolean" ? granted : undefined);
    // Nobody would exchange under it, and the fleet would wait for nothing.
    if (granted === true && !waited) this.#call("release");
  }

  flush(id) {
    this.#deleting?.then(() => this.#tell(id, FLUSHED));
    return this.#deleting !== undefined;
  }

  async set(id, ttlSeconds) {
    const { token } = this.#flights.get(id) ?? NOTHING;
    const setting = { token, over: this.#call("set", token, ttlSeconds) };
    this.#setting = setting;
    await setting.over;
    if (this.#setting === setting) this.#setting = undefined;
    this.#tell(id, SET);
  }

  async release(id) {
    await this.#call("release");
    this.#tell(id, RELEASED);
  }

  delete(isHeld) {
    if (this.#key === undefined) return;
    this.#delete(isHeld ? this.held.token : undefined);
    // A write that is under way would bring the token back.
    const setting = this.#setting;
    setting?.over.then(() => this.#delete(setting.token.token));
  }

  /** Unless the fleet has replaced it already: then five who find out in turn that a token is no good would exchange five times. */
  #delete(token) {
    const work = async () => {
      const stored = token === undefined ? undefined : await this.#call("get");
      if (typeof stored?.token !== "string" || stored.token === token) await this.#call("delete");
    };
    const deleting = work().catch(ignore);
    this.#deleting = deleting;
    deleting.then(() => {
      if (this.#deleting === deleting) this.#deleting = undefined;
    });
  }

  /** Calls a method of the store, if there is one. Resolves to its answer, or to `FAILED`; never rejects. */
  async #call(name, ...args) {
    try {
      return await this.#store[name]?.(this.#key, ...args);
    } catch {
      return FAILED;
    }
  }

  /** What happens to a flight. Whether it waited for that. */
  #tell(id, event, answer) {
    return this.#flights.has(id) && this.#enter(this.#client, "flight", id, event, answer, now());
  }
}

/** Undefined where there are no timers, as on workerd at module scope. */
function timer(due, ms) {
  // A longer wait than this would be none at all; the client looks at the clock and waits again.
  return attempt(() => setTimeout(due, Math.min(Math.max(Math.ceil(ms), 0), 0x7fffffff)));
}

/** The SHA-256 of bytes, in hexadecimal. */
async function digest(bytes) {
  const hash = await crypto.subtle.digest("SHA-256", bytes);
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
