// What is around a call: the clock, the API, and the foreign code that an input describes.
import { createHash } from "node:crypto";
import { base64, describe, isError, isObject, seen } from "./look.mjs";
import { serve } from "./replies.mjs";
import { build, foreign, property } from "./values.mjs";

/** How often foreign code calls the package in one execution: from within those calls it is called again. */
const ACTS = 4;
const EVENTS = ["token", "retry", "failure", "store", "unauthorized"];
const dispose = Symbol.dispose ?? Symbol.for("Symbol.dispose");
const ignore = () => {};

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
  tokens = 0;
  issued = new Set();
  hung = [];
  ours = new Set();
  shift = 0;
  backwards = 0;
  depth = 0;

  constructor(input, { api, time, marks, now, isSampled }) {
    Object.assign(this, { input, api, time, marks, isSampled });
    this.fetch = (...args) => this.#fetch(args);
    performance.now = () => now() + this.shift;
    Math.random = () => input.random ?? 0;
    time.skew = input.clock?.skew ?? input.skew ?? 0;
    globalThis.fetch = this.fetch;
    for (const { at, wall, monotonic } of input.clock?.jumps ?? []) {
      this.later(at).then(() => {
        time.skew += wall;
        this.shift += monotonic;
        if (monotonic < 0) this.backwards -= monotonic;
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
          case "token": return `${this.marks.token}.${(this.tokens += 1)}`;
          case "now": return String(at);
          case "date": return new Date(at * 1_000).toUTCString();
          default: return `${Buffer.from('{"alg":"HS256"}').toString("base64url")}.${Buffer.from(rest ?? "").toString("base64url")}.${this.marks.token}${(this.tokens += 1)}`;
        }
      });
    }
    return text;
  }

  /** Notes a token that is handed out. */
  issues(token) {
    this.issued.add(token);
  }

  /** Notes the token that a body holds, if it does. */
  serves(bytes) {
    try {
      const { data } = JSON.parse(new TextDecoder().decode(bytes));
      if (typeof data.token === "string") this.issued.add(data.token);
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
        this.ours.delete(Number(timer));
        resolve();
      }, ms);
      this.ours.add(Number(timer));
    });
  }

  /** Never settles while the execution goes on; with a signal, until that aborts. */
  hang(signal) {
    return new Promise((_, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason));
      this.hung.push(reject);
    });
  }

  // What foreign code does with the package, from wherever it is called.
  act(name) {
    if (this.over || (this.acted += 1) > ACTS) return;
    this.do(name);
  }

  do(name) {
    const { api, client } = this;
    // With the same credentials: a reply may repeat them to anybody.
    const good = { apiKey: this.key ?? "key", apiSecret: (this.asked !== "unfit" && this.secret) || this.marks.secret, fetch: this.fetch, maxRetries: 0, timeout: 1_000 };
    switch (name) {
      case "getToken": return client && this.call("getToken", () => client.getToken());
      case "force": return client && this.call("getToken", () => client.getToken({ forceRefresh: true }));
      case "invalidate": return client?.invalidate();
      case "invalidateOther": return client?.invalidate("another");
      case "fetch": return client && this.call("fetch", () => client.fetch("/x"), { timeout: Infinity });
      case "dispose": return client?.[dispose]();
      case "abortedCall": return client && this.call("getToken", () => client.getToken({ signal: AbortSignal.abort("theirs") }), { reasons: ["theirs"] });
      case "abort": return this.controller?.abort("aborted within");
      case "authenticate": return this.call("authenticate", () => api.authenticate(good), { timeout: 1_000 });
      case "authenticateBadly": return this.call("authenticate", () => api.authenticate({ apiKey: "" }), { timeout: 1_000 });
      case "make": {
        const made = new api.DigitalpayeAuth(good);
        this.clients.push(made);
        return this.call("getToken", () => made.getToken(), { timeout: 1_000 });
      }
      case "makeBadly":
        try {
          return void new api.DigitalpayeAuth({ apiKey: "key" });
        } catch (error) {
          return isError(this, error, "the constructor within");
        }
      default:
        for (const each of ["getToken", "force", "invalidate", "fetch", "abortedCall", "makeBadly"]) this.do(each);
        return undefined;
    }
  }

  /** From within a getter: the package reads the object that the getter is of, once more. */
  recurse(options) {
    if (this.over || (this.depth += 1) > 20_000) return undefined;
    // What changes with every look has changed many times then.
    this.acted += 1;
    try {
      const made = new this.api.DigitalpayeAuth(options);
      made[dispose]();
    } catch (error) {
      if (!(error instanceof RangeError)) isError(this, error, "a getter that calls itself");
    }
    return undefined;
  }

  /** What a step, or foreign code, calls; it may not throw, and is to settle in time. */
  call(kind, make, { timeout = this.timeout, reasons = [], first = false, given } = {}) {
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
    if (!/^Bearer /.test(authorization) || !this.issued.has(authorization.slice(7))) this.problem("a request without a token of ours");
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
        if (typeof token === "string") this.issued.add(token);
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
      else if (event.error === undefined) seen(this, event, `the event ${event.type}`);
      else isError(this, event.error, `the event ${event.type}`);
      return then?.(...args);
    };
  }

  object({ fields = {}, shape = "bare", value }) {
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

  /** Whether the requests went through the fetch of this execution. */
  sentByUs() {
    const given = this.input.options.fields?.fetch;
    return given === undefined || given.$ === "fetch" || given.$ === "undefined";
  }
}

async function sha256(_, data) {
  return new Uint8Array(createHash("sha256").update(data).digest()).buffer;
}
