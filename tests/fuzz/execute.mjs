// One execution: an input is built, run in virtual time, and everything that must hold is checked.
import { createHash } from "node:crypto";
import { leak } from "../lib/leaks.mjs";
import { CODES, OPTIONS, isB64token, isRetryable, judge } from "./oracle.mjs";
import { serve } from "./replies.mjs";
import { build, firstOf, foreign, property } from "./values.mjs";

/** What a call may end after its deadline, in virtual time: timers are whole milliseconds, and a late body is given some. */
const GRACE_MS = 30;
/** No call is waited for any longer: a timer of 24 days is armed again and again. */
const HORIZON_MS = 2e12;
/** How many timers may go off in one execution: a lease is asked for again and again, for as long as a call may take. */
const TIMERS = 2_000;
/** How long what goes on in a store may take once every client was disposed of: a write, then the lease's return, of 2 s each. */
const DRAIN_MS = 5_000;
/** How often foreign code calls the package in one execution: from within those calls it is called again. */
const ACTS = 4;
const EVENTS = ["token", "retry", "failure", "store", "unauthorized"];
const dispose = Symbol.dispose ?? Symbol.for("Symbol.dispose");
const ignore = () => {};
const isObject = (value) => (typeof value === "object" && value !== null) || typeof value === "function";
const base64 = (text) => Buffer.from(text).toString("base64");

/** Texts that must not be seen, and the forms in which they could. */
export function marksOf({ secret, token }) {
  // Base64 of what stands at any of the three places; the first and last digits depend on what is around.
  const encoded = [0, 1, 2].map((before) => base64(`${"k".repeat(before)}${secret}`).slice(before === 0 ? 0 : before + 1, -4));
  const credentials = [secret, ...encoded, encodeURIComponent(secret), Buffer.from(secret).toString("hex")];
  return { secret, token, credentials, all: [...credentials, token] };
}

export class World {
  thrown = [];
  problems = [];
  sends = [];
  calls = [];
  acted = 0;
  over = false;
  client = undefined;
  controller = undefined;
  fakes = [];
  clients = [];
  requests = 0;
  #tokens = 0;
  #issued = new Set();
  #hung = [];
  #ours = new Set();
  #shift = 0;
  #backwards = 0;
  #depth = 0;

  constructor(input, { api, time, marks, now, isSampled }) {
    Object.assign(this, { input, api, time, marks, isSampled });
    this.fetch = (...args) => this.#fetch(args);
    performance.now = () => now() + this.#shift;
    Math.random = () => input.random ?? 0;
    time.skew = input.clock?.skew ?? input.skew ?? 0;
    globalThis.fetch = this.fetch;
    for (const { at, wall, monotonic } of input.clock?.jumps ?? []) {
      this.later(at).then(() => {
        time.skew += wall;
        this.#shift += monotonic;
        if (monotonic < 0) this.#backwards -= monotonic;
      });
    }
    this.digest = input.digest ? this.#method(input.digest, sha256) : sha256;
  }

  problem(text) {
    if (this.problems.length < 5) this.problems.push(text);
  }

  /** Fills in what stands between « and », from the inside. */
  expand(text) {
    if (!text.includes("«")) return text;
    const seconds = Math.floor(this.time.serverNow() / 1_000);
    // What the API repeats is what it was sent: not one of the secrets before or after.
    if (this.asked === "changes") text = text.replace(/«(secret|basic)»/g, "another");
    for (let left = 4; left > 0 && text.includes("«"); left -= 1) {
      text = text.replace(/«(mark|secret|basic|token|now|date|jwt)([+-]\d+)?(?::([^«»]*))?»/g, (whole, name, offset = "0", rest) => {
        const at = seconds + Number(offset);
        switch (name) {
          case "mark": return this.marks.secret;
          case "secret": return this.secret ?? this.marks.secret;
          case "basic": return this.basic ?? base64(`key:${this.marks.secret}`);
          case "token": return `${this.marks.token}.${(this.#tokens += 1)}`;
          case "now": return String(at);
          case "date": return new Date(at * 1_000).toUTCString();
          default: return `${Buffer.from('{"alg":"HS256"}').toString("base64url")}.${Buffer.from(rest ?? "").toString("base64url")}.${this.marks.token}${(this.#tokens += 1)}`;
        }
      });
    }
    return text;
  }

  /** Notes a token that is handed out. */
  issues(token) {
    this.#issued.add(token);
  }

  /** Notes the token that a body holds, if it does. */
  serves(bytes) {
    try {
      const { data } = JSON.parse(new TextDecoder().decode(bytes));
      if (typeof data.token === "string") this.#issued.add(data.token);
    } catch {
      // It holds none.
    }
  }

  readings() {
    return { secret: this.secret ?? this.marks.secret, basic: this.basic ?? "", local: Date.now() / 1_000 };
  }

  later(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#ours.delete(Number(timer));
        resolve();
      }, ms);
      this.#ours.add(Number(timer));
    });
  }

  /** Never settles while the execution goes on; with a signal, until that aborts. */
  hang(signal) {
    return new Promise((_, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason));
      this.#hung.push(reject);
    });
  }

  // What foreign code does with the package, from wherever it is called.
  act(name) {
    if (this.over || (this.acted += 1) > ACTS) return;
    this.#do(name);
  }

  #do(name) {
    const { api, client } = this;
    // With the same credentials: a reply may repeat them to anybody.
    const good = { apiKey: this.key ?? "key", apiSecret: (this.asked !== "unfit" && this.secret) || this.marks.secret, fetch: this.fetch, maxRetries: 0, timeout: 1_000 };
    switch (name) {
      case "getToken": return client && this.#call("getToken", () => client.getToken());
      case "force": return client && this.#call("getToken", () => client.getToken({ forceRefresh: true }));
      case "invalidate": return client?.invalidate();
      case "invalidateOther": return client?.invalidate("another");
      case "fetch": return client && this.#call("fetch", () => client.fetch("/x"), { timeout: Infinity });
      case "dispose": return client?.[dispose]();
      case "abortedCall": return client && this.#call("getToken", () => client.getToken({ signal: AbortSignal.abort("theirs") }), { reasons: ["theirs"] });
      case "abort": return this.controller?.abort("aborted within");
      case "authenticate": return this.#call("authenticate", () => api.authenticate(good), { timeout: 1_000 });
      case "authenticateBadly": return this.#call("authenticate", () => api.authenticate({ apiKey: "" }), { timeout: 1_000 });
      case "make": {
        const made = new api.DigitalpayeAuth(good);
        this.clients.push(made);
        return this.#call("getToken", () => made.getToken(), { timeout: 1_000 });
      }
      case "makeBadly":
        try {
          return void new api.DigitalpayeAuth({ apiKey: "key" });
        } catch (error) {
          return this.#isError(error, "the constructor within");
        }
      default:
        for (const each of ["getToken", "force", "invalidate", "fetch", "abortedCall", "makeBadly"]) this.#do(each);
        return undefined;
    }
  }

  /** From within a getter: the package reads the object that the getter is of, once more. */
  recurse(options) {
    if (this.over || (this.#depth += 1) > 20_000) return undefined;
    // What changes with every look has changed many times then.
    this.acted += 1;
    try {
      const made = new this.api.DigitalpayeAuth(options);
      made[dispose]();
    } catch (error) {
      if (!(error instanceof RangeError)) this.#isError(error, "a getter that calls itself");
    }
    return undefined;
  }

  /** What a step, or foreign code, calls; it may not throw, and is to settle in time. */
  #call(kind, make, { timeout = this.timeout, reasons = [], first = false, given } = {}) {
    const call = { kind, timeout, reasons, first, hasSignal: given?.fields?.signal?.$ === "signal", begun: this.time.now(), state: "pending" };
    let promise;
    try {
      promise = make();
    } catch (error) {
      return this.problem(`${kind} threw ${describe(error)}`);
    }
    this.calls.push(call);
    if (!(promise instanceof Promise)) return this.problem(`${kind} gave no promise`);
    promise.then(
      (value) => Object.assign(call, { state: "resolved", value, at: this.time.now() }),
      (error) => Object.assign(call, { state: "rejected", error, at: this.time.now() }),
    );
    return call;
  }

  #fetch(args) {
    const [url, init] = args;
    if (this.over) return Promise.resolve({ status: 400 });
    if (!(typeof url === "string" && url.endsWith("/v1/auth") && init?.method === "POST")) return this.#resource(url, init);
    if (this.sends.length > 60) return Promise.resolve({ status: 400 });
    const reply = this.input.replies[Math.min(this.sends.length, this.input.replies.length - 1)];
    const send = { at: this.time.now(), init, causes: [], codes: undefined, expected: undefined, slow: false };
    this.sends.push(send);
    const names = Object.keys(init.headers).sort().join();
    if (names !== "Authorization,X-Environment") this.problem(`the exchange has the headers ${names}`);
    if (init.body !== undefined) this.problem("the exchange has a body");
    if (init.redirect !== "manual" || init.credentials !== "omit") this.problem("the exchange follows redirects or takes credentials along");
    if (this.acted === 0 && this.basic !== undefined && this.asked !== "changes" && init.headers.Authorization !== `Basic ${this.basic}`) this.problem("the exchange has other credentials");
    if (this.acted === 0 && this.url !== undefined && url !== this.url) this.problem(`the exchange goes to ${url}`);
    return serve(reply, send, this);
  }

  #resource(input, init) {
    const url = new URL(isObject(input) ? input.url ?? input.href : input);
    // As every platform's does: nothing is sent.
    if (init?.signal instanceof AbortSignal && init.signal.aborted) return Promise.reject(init.signal.reason);
    this.requests += 1;
    if (this.origin !== undefined && url.origin !== this.origin) this.problem(`a token was sent to ${url.origin}`);
    const authorization = new Headers(init?.headers ?? input.headers).get("authorization");
    if (!/^Bearer /.test(authorization) || !this.#issued.has(authorization.slice(7))) this.problem("a request without a token of ours");
    const replies = this.input.resources ?? [{ whole: { status: 200, headers: {}, via: "response", body: { text: "{}" } } }];
    return serve(replies[Math.min(this.requests, replies.length) - 1], { init: init ?? {}, causes: [] }, this);
  }

  #method({ how, value, act, ms }, fine) {
    const built = () => build(value, this);
    switch (how) {
      case "nothing": return undefined;
      case "throws": return () => { throw built(); };
      case "rejects": return () => Promise.reject(built());
      case "hangs": return () => this.hang();
      case "gives": return built;
      case "resolves": return async () => {
        const result = built();
        const token = await Promise.resolve(result?.token).catch(ignore);
        if (typeof token === "string") this.#issued.add(token);
        return result;
      };
      case "thenable": return (...args) => ({ then: (resolve) => resolve(fine(...args)) });
      case "acts": return (...args) => (this.act(act), fine(...args));
      case "late": return (...args) => this.later(ms).then(() => fine(...args));
      default: return fine;
    }
  }

  /** The kinds of value that are part of an execution. */
  build(description) {
    switch (description?.$) {
      case "fetch": return this.fetch;
      case "url": return new URL(description.href);
      case "request": {
        const { path, method, body, headers } = description;
        const request = new Request(new URL(path, this.origin ?? "https://api.digitalpaye.com"), { method, body, headers });
        if (description.used) request.text().catch(ignore);
        return request;
      }
      case "stream": return new Blob(["text"]).stream();
      case "now": return Math.floor(this.time.serverNow() / 1_000) + description.plus;
      case "method": return this.#method(description, ignore);
      case "asked": return this.#asked(description);
      case "listener": return this.#listener(description);
      case "store": {
        const held = new Map();
        const fine = {
          get: async (key) => held.get(key), set: async (key, token) => void held.set(key, token), delete: async (key) => void held.delete(key),
          acquire: async () => true, release: async () => {},
        };
        const store = {};
        for (const name of Object.keys(fine)) if (description[name]) store[name] = this.#method(description[name], fine[name]);
        return store;
      }
      case "signal": {
        const { is, ms, reason } = description;
        const controller = (this.controller ??= this.#aborts());
        if (is === "aborted") controller.abort(build(reason, this));
        if (is === "at") this.later(ms).then(() => this.over || controller.abort(build(reason, this)));
        return controller.signal;
      }
      case "fakeSignal": return this.#fakeSignal(description);
      default: throw new Error(`no value of the kind ${description?.$}`);
    }
  }

  #aborts() {
    const controller = new AbortController();
    // Ours is the first listener: the time is known before anybody settles.
    controller.signal.addEventListener("abort", () => (this.abortedAt = this.time.now()));
    return controller;
  }

  #fakeSignal({ listen, unlisten, reason, aborted, act, value }) {
    const signal = { [Symbol.toStringTag]: "AbortSignal" };
    const fire = (listener) => {
      Object.defineProperty(signal, "aborted", { value: true, configurable: true });
      listener.call(signal, { type: "abort" });
    };
    signal.addEventListener = {
      fine: ignore, throws: () => { throw build(value, this); }, fires: (_, listener) => fire(listener), firesTwice: (_, listener) => (fire(listener), fire(listener)),
      gives: () => build(value, this), acts: () => this.act(act),
    }[listen];
    if (unlisten !== "none") signal.removeEventListener = { fine: ignore, throws: () => { throw build(value, this); }, acts: () => this.act(act) }[unlisten];
    Object.defineProperty(signal, "aborted", property(aborted, this));
    Object.defineProperty(signal, "reason", property(reason, this));
    this.fakes.push(signal);
    return signal;
  }

  /** An `apiSecret` function. */
  #asked({ how, value, act }) {
    const secret = build(value, this);
    let asked = 0;
    return (call) => {
      asked += 1;
      if (!(call?.signal instanceof AbortSignal)) this.problem("the apiSecret function got no signal");
      switch (how) {
        case "gives": return secret;
        case "changes": return asked === 1 ? secret : `${secret}${asked}`;
        case "throws": throw new Error("no secret");
        case "rejects": return Promise.reject(new Error("no secret"));
        case "unfit": return ["", "a\nb", 5, undefined, "\ud800"][asked % 5];
        case "hangs": return this.hang(call.signal);
        case "late": return this.later(300).then(() => secret);
        case "thenable": return { then: (resolve) => resolve(secret) };
        case "acts": return (this.act(act ?? "getToken"), secret);
        default: return Promise.resolve(secret);
      }
    };
  }

  /** An `onEvent` function, which looks at the event first. */
  #listener(description) {
    const then = this.#method(description, ignore);
    return (...args) => {
      const [event] = args;
      if (args.length !== 1 || !isObject(event) || !Object.isFrozen(event) || !EVENTS.includes(event.type)) this.problem("onEvent got what is no frozen event");
      else if (event.error === undefined) this.#seen(event, `the event ${event.type}`);
      else this.#isError(event.error, `the event ${event.type}`);
      return then?.(...args);
    };
  }

  #object({ fields = {}, shape = "bare", value }) {
    if (value !== undefined) return build(value, this);
    const descriptors = Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, property(field, this)]));
    switch (shape) {
      case "inherited": return Object.create(Object.defineProperties({}, descriptors));
      case "frozen": return Object.freeze(Object.defineProperties(Object.create(null), descriptors));
      case "through": return new Proxy(Object.defineProperties({}, descriptors), {});
      case "function": return Object.defineProperties(() => {}, descriptors);
      case "class": return Object.defineProperties(new (class { #brand; get brand() { return this.#brand; } })(), descriptors);
      case "foreign": return Object.defineProperties(foreign(1), descriptors);
      default: return Object.defineProperties({}, descriptors);
    }
  }

  /** The fields that are wrong, and those that may be; `undefined` for an object that is none. */
  #judge({ fields = {}, value }, names) {
    if (value !== undefined) {
      const built = build(value, this);
      return isObject(built) ? undefined : { bad: built === undefined && !names.includes("apiKey") ? [] : ["options", "call"], open: [] };
    }
    const bad = [];
    const open = [];
    for (const name of names) {
      const { throws, value: first } = firstOf(name in fields ? fields[name] : { $: "undefined" }, this);
      const verdict = throws ? "bad" : judge(name, first, kindOf(fields[name]));
      if (verdict === "bad") bad.push(name);
      if (verdict === "either") open.push(name);
    }
    return { bad, open };
  }

  async run() {
    const { input, time } = this;
    const isClient = input.api === "client";
    const names = ["apiKey", "apiSecret", "environment", "baseUrl", "timeout", "maxRetries", "fetch", "onEvent", ...(isClient ? ["store", "waitUntil"] : [])];
    const verdict = this.#judge(input.options, names);
    this.#note(input.options, verdict);
    const options = this.#object(input.options);
    this.firstCall = input.call;
    const call = input.call && this.#object(input.call);

    if (!isClient) {
      this.#call("authenticate", () => (input.call ? this.api.authenticate(options, call) : this.api.authenticate(options)), { first: true, given: input.call });
    } else if (this.#construct(options, verdict)) {
      for (const step of input.steps ?? [{ do: "getToken" }]) await this.#step(step, call);
    }
    await this.#settled();
    for (const each of this.calls) this.#check(each);
    this.#compare(verdict);
    await this.#end();
  }

  /** What is known of the first client, whatever else is wrong with its options. */
  #note({ fields = {}, value }, verdict) {
    const first = (name) => (fields[name] === undefined || value !== undefined ? undefined : firstOf(fields[name], this).value);
    const usable = (name) => judge(name, first(name), kindOf(fields[name])) === "good";
    this.timeout = (usable("timeout") && first("timeout")) || 30_000;
    this.maxRetries = usable("maxRetries") ? first("maxRetries") ?? 2 : 2;
    if (!usable("apiKey") || !usable("apiSecret")) return;
    this.key = first("apiKey");
    const secret = first("apiSecret");
    this.secret = typeof secret === "function" ? build(fields.apiSecret.value, this) : secret;
    this.asked = typeof secret !== "function" ? undefined : judge("apiSecret", this.secret) === "bad" ? "unfit" : fields.apiSecret.how;
    this.basic = base64(`${this.key}:${this.secret}`);
    if (!verdict || verdict.bad.length > 0 || verdict.open.length > 0) return;
    const { origin, href } = new URL(String(first("baseUrl") ?? "https://api.digitalpaye.com"));
    this.origin = origin;
    this.url = `${href}${href.endsWith("/") ? "" : "/"}v1/auth`;
  }

  #construct(options, verdict) {
    try {
      this.client = new this.api.DigitalpayeAuth(options);
      this.clients.push(this.client);
      if (verdict?.bad.length > 0) this.problem(`the constructor took ${verdict.bad}`);
      return true;
    } catch (error) {
      this.#isError(error, "the constructor");
      if (error?.code !== "invalid_options") this.problem(`the constructor threw ${describe(error)}`);
      else if (this.#depth === 0 && verdict && ![...verdict.bad, ...verdict.open].includes(error.option)) this.problem(`the constructor blames ${error.option}, not ${verdict.bad}: ${error.message}${"cause" in error ? `, ${describe(error.cause)}` : ""}`);
      this.refused = true;
      return false;
    }
  }

  async #step({ do: what, call, act, value, ms, input, init }, shared) {
    const { client, time } = this;
    switch (what) {
      case "getToken": {
        const own = call ? this.#object(call) : shared;
        if (call && this.calls.length === 0) this.firstCall = call;
        this.#call("getToken", () => (own === undefined ? client.getToken() : client.getToken(own)), { first: this.calls.length === 0, given: call ?? this.input.call });
        break;
      }
      case "force": this.#call("getToken", () => client.getToken({ forceRefresh: true })); break;
      case "invalidate": {
        const token = build(value ?? { $: "undefined" }, this);
        try {
          client.invalidate(token);
        } catch (error) {
          if (typeof token === "string" || token === undefined || error?.option !== "token") this.problem(`invalidate threw ${describe(error)}`);
          this.#isError(error, "invalidate");
        }
        break;
      }
      case "fetch": this.#call("fetch", () => (input?.$ === "nothing" ? client.fetch() : client.fetch(build(input, this), ...(init ? [build(init, this)] : []))), { timeout: Infinity }); break;
      case "advance": await time.advance(ms); break;
      case "dispose": client[dispose](); break;
      case "act": this.act(act); break;
      case "print": this.#seen(client, "the client"); break;
      case "deep": this.#deep(act); break;
      default:
    }
    await time.settle();
  }

  /** At each of the last levels of the stack: wherever in a call it may end, it does once. */
  #deep(act) {
    let left;
    this.acted += 1;
    const recurse = () => {
      try {
        recurse();
      } catch {
        left = 300;
      }
      if ((left -= 1) < 0) return;
      const { calls, problems } = this;
      this.calls = [];
      this.problems = [];
      try {
        this.#do(act);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
      } finally {
        // That call may fail, as it likes.
        this.calls = calls;
        this.problems = problems;
      }
    };
    try {
      recurse();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
    this.deep = true;
  }

  /** Goes on until every call has settled, or should have. */
  async #settled() {
    const { time } = this;
    const pending = () => this.calls.filter(({ state, timeout }) => state === "pending" && timeout !== Infinity);
    const due = ({ begun, timeout }) => begun + Math.ceil(timeout) + this.#backwards + GRACE_MS;
    let timers = TIMERS;
    await time.settle();
    while (timers > 0) {
      const waiting = pending().filter((call) => due(call) > time.now() && due(call) < HORIZON_MS);
      if (waiting.length === 0) break;
      const horizon = Math.max(...waiting.map(due));
      await time.until(() => (timers -= 1) < 0 || pending().length === 0, horizon);
    }
    for (const call of pending()) {
      if (due(call) < Math.min(HORIZON_MS, time.now() + 1)) this.problem(`${call.kind} has not settled ${time.now() - call.begun} ms after it began, with a timeout of ${call.timeout} ms`);
    }
  }

  #check(call) {
    const { kind, state, value, error, begun, at, timeout } = call;
    // In the same turn: whoever waits for longer has not heard of it.
    if (call.hasSignal && this.abortedAt !== undefined && !(at <= Math.max(this.abortedAt, begun))) {
      this.problem(`${kind} has not ended with the abort`);
    }
    if (state === "pending") return;
    const took = at - begun;
    if (took > Math.ceil(timeout) + this.#backwards + GRACE_MS) this.problem(`${kind} took ${took} ms, with a timeout of ${timeout} ms`);
    if (state === "resolved") {
      if (kind !== "fetch") this.#isToken(value, kind);
    } else if (!this.#isReason(error, call)) {
      // What fetch rejects with is the platform's own, or another's.
      if (kind !== "fetch" || this.api.AuthError.is(error)) this.#isError(error, kind);
    }
  }

  #isReason(error, { reasons }) {
    if (reasons.some((reason) => Object.is(reason, error))) return true;
    if (this.controller?.signal.aborted && Object.is(this.controller.signal.reason, error)) return true;
    return this.fakes.length > 0 && !this.api.AuthError.is(error);
  }

  #isToken(value, kind) {
    const isPlain = typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype && Object.isFrozen(value)
      && Reflect.ownKeys(value).join() === "token,exp";
    if (!isPlain) return this.problem(`${kind} gave what is no frozen { token, exp }: ${describe(value)}`);
    if (!isB64token(value.token)) this.problem(`${kind} gave a token that is no b64token`);
    if (!this.#issued.has(value.token)) this.problem(`${kind} gave a token that nobody had issued`);
    if (!Number.isSafeInteger(value.exp)) this.problem(`${kind} gave an exp that is no whole number: ${String(value.exp)}`);
    return undefined;
  }

  #isError(error, where) {
    const { AuthError } = this.api;
    if (!AuthError.is(error) || !(error instanceof AuthError) || !(error instanceof Error)) return this.problem(`${where} ended with what is no AuthError: ${describe(error)}`);
    const { code, name, option, attempts, retryable, status } = error;
    if (CODES[code] !== name || !(error instanceof this.api[name])) this.problem(`${where} ended with the code ${code} and the name ${name}`);
    if ((code === "invalid_options") !== OPTIONS.includes(option)) this.problem(`${where}: ${code} names the option ${option}`);
    if (!Number.isInteger(attempts) || attempts < 0 || (code === "invalid_options" && attempts !== 0)) this.problem(`${where}: ${code} after ${attempts} attempts`);
    if (retryable !== isRetryable(code, status)) this.problem(`${where}: ${code} is ${retryable ? "" : "not "}retryable`);
    if (typeof error.stack !== "string" || !error.stack.includes(name)) this.problem(`${where}: ${code} has no stack`);
    this.#seen(error, where);
    return undefined;
  }

  /** Whether anything can be seen that must not: by loggers, serializers, or whoever looks further. */
  #seen(object, where) {
    const texts = this.marks.all;
    const look = (text) => texts.some((mark) => text.includes(mark));
    const own = (error, depth) => {
      if (depth > 4 || !isObject(error)) return typeof error === "string" && look(error);
      let keys;
      try {
        keys = Reflect.ownKeys(error);
      } catch {
        return false;
      }
      return keys.some((key) => {
        try {
          return own(error[key], depth + 1);
        } catch {
          return false;
        }
      });
    };
    // The API's own words may hold a part of the secret, untouched: not the whole of it.
    const { reason } = object;
    if (typeof reason === "string" && look(reason) && !reason.includes(this.secret) && !reason.includes(this.basic)) return undefined;
    // The stack has name and message at its head.
    const shows = own(object, 0);
    if (shows) return this.problem(`${where}: ${object.code ?? ""} shows what it must not`);
    if (!this.isSampled(object)) return undefined;
    const seen = leak(object, texts);
    // Not what it shows: this is printed.
    if (seen) this.problem(`${where}: ${object.code ?? ""} shows what it must not, in ${seen.split(" shows ")[0]}`);
    return undefined;
  }

  /** By the oracle, where the only call of the execution had whole replies and nobody interfered. */
  #compare(verdict) {
    const { input, calls: [call], sends } = this;
    if (!call?.first || this.calls.length > 1 || this.acted > 0 || call.state === "pending") return;
    const callVerdict = this.firstCall ? this.#judge(this.firstCall, ["signal", ...(input.api === "client" ? ["forceRefresh"] : [])]) : { bad: [], open: [] };
    if (!verdict || !callVerdict) return;
    if (input.api === "client" && (input.steps?.length > 1 || input.options.fields?.store || input.digest)) return;
    const { value } = call;
    const error = this.api.AuthError.is(call.error) ? call.error : undefined;
    if (error === undefined && value === undefined && !this.controller?.signal.aborted && this.fakes.length === 0) return;
    const wrong = [...verdict.bad, ...callVerdict.bad];
    const open = [...verdict.open, ...callVerdict.open];
    if (error?.code === "invalid_options") {
      if (![...wrong, ...open].includes(error.option)) this.problem(`${error.option} was refused: ${error.message}`);
      if ("cause" in error && !this.thrown.some((thrown) => Object.is(thrown, error.cause))) this.problem(`the cause of ${error.option} is not what was thrown`);
      if (sends.length > 0) this.problem("a request was sent for options that were refused");
      return;
    }
    const signal = this.controller?.signal;
    if (open.length > 0 || this.fakes.length > 0) return;
    if (wrong.length > 0) return void (signal?.aborted || this.problem(`${wrong} was taken`));
    if (signal?.aborted) {
      if (this.firstCall?.fields?.signal?.is === "aborted" && (!Object.is(call.error, signal.reason) || sends.length > 0)) this.problem("an aborted signal was not refused");
      // Whatever came first.
      return;
    }
    if (!this.sentByUs()) return;
    if (["throws", "rejects", "unfit"].includes(this.asked)) {
      // Without a secret there is no request.
      if (!(error && ["credentials", "timeout"].includes(error.code)) || sends.length > 0) this.problem(`${error?.code} after ${sends.length} requests, without a secret`);
      return;
    }
    // When its answers come, or which, is not followed here.
    if (!["gives", "resolves", undefined].includes(this.asked)) return;
    this.#compareAttempts(call, error, value);
    this.compared = this.problems.length === 0;
  }

  /** Whether the requests went through the fetch of this execution. */
  sentByUs() {
    const given = this.input.options.fields?.fetch;
    return given === undefined || given.$ === "fetch" || given.$ === "undefined";
  }

  #compareAttempts({ begun, at, timeout }, error, value) {
    const { sends, maxRetries, input } = this;
    const jumped = (input.clock?.jumps ?? []).length > 0;
    const n = sends.length;
    if (n === 0 || n > maxRetries + 1) return this.problem(`${n} requests, with ${maxRetries} retries`);
    if (error && error.attempts !== n) this.problem(`${error.attempts} attempts, and ${n} requests`);
    const last = sends[n - 1];
    const elapsed = at - begun;
    const outOfTime = elapsed >= timeout - 1;
    // A token that has ended by the time it is there: another attempt takes its place, or that is the error.
    const mayHaveEnded = (send, until) => send.expected?.some(({ life }) => life !== undefined && (jumped || until - send.at >= life * 1_000 - 1));
    if (value !== undefined ? !last.expected?.some(({ token, exp }) => token === value.token && exp === value.exp) && !last.codes?.includes("*")
      : !this.#mayEndWith(last, error, outOfTime) && !(error.code === "invalid_response" && mayHaveEnded(last, at))) {
      return this.problem(`ended with ${error ? `${error.code} (status ${error.status}, reason ${error.reason === undefined ? "none" : "some"}, ${error.message})` : "a token"}, after ${n} of ${maxRetries + 1} attempts, but for ${expectation(last)}`);
    }
    for (const [index, send] of sends.slice(0, -1).entries()) {
      if (mayHaveEnded(send, sends[index + 1].at)) continue;
      const codes = send.expected ? send.expected.filter(({ code, status }) => isRetryable(code, status)) : send.codes?.filter((code) => code === "*" || isRetryable(code, 408));
      if (codes?.length === 0) return this.problem(`tried again after ${expectation(send)}`);
      const wait = sends[index + 1].at - send.at;
      const after = send.expected?.length === 1 ? send.expected[0].retryAfter : "either";
      if (!jumped && !send.slow && after !== "either" && (after > 0 ? wait < after * 1_000 - 1 : wait > Math.min(5_000, 250 * 2 ** (index + 1)) + 2)) {
        return this.problem(`waited for ${wait} ms, with a Retry-After of ${after}`);
      }
    }
    const after = last.expected?.length === 1 ? last.expected[0].retryAfter : "either";
    if (!jumped && error?.retryable && n <= maxRetries && after !== "either") {
      const wait = after > 0 ? after * 1_000 : Math.min(5_000, 250 * 2 ** n);
      if (elapsed + wait < timeout - 1) return this.problem(`gave up after ${n} of ${maxRetries + 1} attempts and ${elapsed} of ${timeout} ms, for ${error.code}`);
    }
    return undefined;
  }

  #mayEndWith({ expected, codes, causes, slow }, error, outOfTime) {
    // A clock that jumps away from the timers may be past the deadline before them.
    if (["timeout", "network"].includes(error.code) && (this.input.clock?.jumps ?? []).length > 0) return true;
    if (error.code === "timeout") return outOfTime;
    if (error.code === "network" && causes.length > 0 && !causes.some((cause) => Object.is(cause, error.cause)) && !isOfParser(causes)) {
      this.problem("the cause is not what fetch rejected with");
    }
    if (codes) return codes.includes(error.code) || codes.includes("*");
    if (!expected) return slow && outOfTime;
    return expected.some((each) => each.code === error.code && each.status === error.status
      // What came too late, by a clock that jumps, was not read.
      && (each.reason === error.reason || (error.reason === undefined && (this.input.clock?.jumps ?? []).length > 0))
      && (each.retryAfter === "either" || (each.retryAfter === undefined ? error.retryAfter === undefined : Math.abs(each.retryAfter - error.retryAfter) <= 1)));
  }

  /** Nothing goes on, nothing is kept, and the next exchange works. */
  async #end() {
    const { time, api } = this;
    this.over = true;
    // An exchange that went by the book shows as much as another one would.
    if (this.compared && this.clients.length === 0 && this.#hung.length === 0 && time.pending().length === 0) return;
    for (const client of this.clients) client[dispose]();
    for (const give of this.#hung.splice(0)) give(new Error("over"));
    time.skew = 0;
    this.#shift = 0;
    const exp = Math.floor(time.serverNow() / 1_000) + 600;
    const next = track(api.authenticate({ apiKey: "key", apiSecret: "other", maxRetries: 0, fetch: async () => plainReply(exp) }));
    await time.settle();
    if (next.value?.token !== "next" || next.value.exp !== exp) {
      this.problem(`the next exchange fails: ${next.error ? describe(next.error) : "it does not end"}`);
      this.poisoned = true;
    }
    if (time.pending().length > 0) await this.#drain();
    time.clear();
  }

  /** Whether every client could be disposed of, after something else had failed. */
  closed() {
    try {
      for (const client of this.clients) client[dispose]();
      return true;
    } catch {
      return false;
    }
  }

  /** Lets time go on until nothing of the package's is under way: what it waits for then is given up within seconds. */
  async #drain() {
    const { time } = this;
    const ofPackage = () => time.pending().filter(({ id }) => !this.#ours.has(id));
    if (!this.calls.some(({ state, kind }) => state === "pending" && kind !== "fetch")) {
      await time.advance(50);
      const kept = ofPackage().filter(({ ref }) => ref);
      if (kept.length > 0) this.problem(`${kept.length} timers keep the process when every call has settled and every client was disposed of`);
    }
    // A lease may be one of half a millisecond, and is renewed for as long as a write goes on.
    let timers = 2 * DRAIN_MS;
    await time.until(() => ofPackage().length === 0 || (timers -= 1) < 0, time.now() + DRAIN_MS);
    const left = ofPackage().length;
    if (left > 0) this.problem(`${left} timers are left ${DRAIN_MS} ms after every client was disposed of`);
  }

  /** What came of the calls, to be counted. */
  outcomes() {
    if (this.refused) return ["invalid_options"];
    return this.calls.map(({ kind, state, error }) => {
      if (state !== "rejected") return kind === "fetch" && state === "resolved" ? "a response" : state === "resolved" ? "token" : "pending";
      return this.api.AuthError.is(error) ? error.code : kind === "fetch" ? "the platform's own" : "an abort's reason";
    });
  }
}

function plainReply(exp) {
  let bytes = new TextEncoder().encode(`{"statusCode":200,"data":{"token":"next","exp":${exp}}}`);
  const read = async () => {
    const value = bytes;
    bytes = undefined;
    return { done: value === undefined, value };
  };
  return { status: 200, headers: { get: () => null }, body: { getReader: () => ({ read, cancel: async () => {} }) } };
}

async function sha256(_, data) {
  return new Uint8Array(createHash("sha256").update(data).digest()).buffer;
}

function track(promise) {
  const call = {};
  promise.then((value) => (call.value = value), (error) => (call.error = error));
  return call;
}

function describe(value) {
  try {
    if (value instanceof Error) return `${value.stack}`.slice(0, 600);
    return typeof value === "object" || typeof value === "function" ? `a value of the type ${typeof value}` : String(value).slice(0, 50);
  } catch {
    return "what cannot be looked at";
  }
}

const expectation = ({ expected, codes }) => JSON.stringify(expected?.map(({ token, code, status, reason }) => (token === undefined ? { code, status, reason: reason === undefined ? "none" : "some" } : "a token")) ?? codes ?? "no answer");

function isOfParser(causes) {
  try {
    for (let error = causes[0], left = 5; isObject(error) && left > 0; error = error.cause, left -= 1) if (error.name === "HTTPParserError" || error.code?.startsWith("HPE_")) return true;
  } catch {
    // A stranger's.
  }
  return false;
}

/** What the judge cannot see of an object: whether it is the platform's, or nothing of the sort. */
function kindOf(description) {
  if (description?.$ === "asked") return "asked";
  const of = description?.$ === "acts" ? description.value : description?.$ === "changes" ? description.values[0] : description;
  if (of?.$ === "url" || (of?.$ === "plain" && of.of === "url")) return "url";
  if (of?.$ === "signal" || (of?.$ === "plain" && of.of === "signal")) return "signal";
  if (["list", "bytes", "error", "promise", "converting", "boxed", "object"].includes(of?.$)) return "bad";
  return undefined;
}
