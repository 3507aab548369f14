// Hostile values, by area: what is done to good options (`o`), and what comes of it: "token", or the code of an error. The
// call's own argument is `o.call`. A trap poisons the module, so a good exchange by a new client ends every case.

const fail = () => { throw new Error("hostile"); };
const shy = () => new Proxy({}, { get: fail, has: fail, ownKeys: fail, getPrototypeOf: fail, getOwnPropertyDescriptor: fail });
const thrower = { get then() { return fail(); } };
const badThen = { then() { fail(); } };
const never = { then() {} };
const twice = (value) => ({ then(resolve, reject) { resolve(value); reject(new Error("late")); resolve(1); } });
/** A promise that settles once it is asked for that, as lazy ones do. */
class Lazy extends Promise {
  static [Symbol.species] = Promise;

  constructor(value) {
    let settle;
    super((resolve) => { settle = resolve; });
    this.settle = () => settle(value);
  }

  then(...reactions) {
    this.settle();
    return super.then(...reactions);
  }
}
/** One that has others made by this. */
const species = (make) => Object.defineProperty(Promise.resolve(reply()), "constructor", { value: { [Symbol.species]: make } });
const getter = (o, name, get = fail) => Object.defineProperty(o, name, { get, configurable: true });
const exp = () => Math.floor(Date.now() / 1000) + 600;
const json = () => JSON.stringify({ statusCode: 200, message: "Successful", data: { token: "t", exp: exp() } });
const bytes = () => new TextEncoder().encode(json());
const reply = () => new Response(json());

/** A Response of a stranger's making. */
const strange = (members) => ({ status: 200, headers: new Headers(), body: null, ...members });
/** One whose body is read by these answers of `read`. */
const stream = (...answers) => strange({ body: { getReader: () => ({ read: () => answers.length > 1 ? answers.shift() : answers[0], cancel: fail }) } });
const chunk = (value) => ({ done: false, value });
const done = { done: true };

function detached() {
  const array = bytes();
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}

function lying(length) {
  const array = bytes();
  for (const name of ["length", "byteLength", "byteOffset", "buffer"]) getter(array, name, () => length);
  return array;
}

function shared() {
  if (typeof SharedArrayBuffer === "undefined") return bytes();
  const copy = bytes();
  const array = new Uint8Array(new SharedArrayBuffer(copy.length));
  array.set(copy);
  return array;
}

function store(members) {
  return { get: async () => undefined, set: async () => {}, delete: async () => {}, acquire: async () => true, release: async () => {}, ...members };
}

const signal = (members) => Object.defineProperties(Object.create(EventTarget.prototype), {
  [Symbol.toStringTag]: { value: "AbortSignal" }, aborted: { value: false, configurable: true },
  addEventListener: { value() {}, configurable: true }, removeEventListener: { value() {}, configurable: true }, ...members,
});

const fetching = (fetch, expected) => [(o) => { o.fetch = fetch; }, expected];
const replying = (make, expected) => fetching(async () => make(), expected);
const storing = (members, expected = "token") => [(o) => { o.store = store(members()); }, expected];
const option = (name, value, expected = "invalid_options") => [(o) => { o[name] = value(); }, expected];
const calling = (call, expected) => [(o) => { o.call = call(); }, expected];

const areas = {
  good: { plain: [() => {}, "token"] },

  options: {
    ...Object.fromEntries(["apiKey", "apiSecret", "environment", "baseUrl", "timeout", "maxRetries", "fetch", "onEvent", "store", "waitUntil"]
      .flatMap((name) => [
        [`${name}: throwing getter`, [(o) => getter(o, name), "invalid_options"]],
        [`${name}: symbol`, option(name, () => Symbol(name))],
        [`${name}: bigint`, option(name, () => 1n)],
        [`${name}: null`, option(name, () => null)],
        [`${name}: shy proxy`, option(name, shy)],
        [`${name}: object that throws as text`, option(name, () => ({ toString: fail, valueOf: fail, [Symbol.toPrimitive]: fail }))],
      ])),
    "a URL that throws": option("baseUrl", () => getter(new URL("https://example.com"), "href")),
    "a URL by its tag": option("baseUrl", () => ({ [Symbol.toStringTag]: "URL", href: 1 })),
    "a lone surrogate": option("apiSecret", () => "\ud800"),
    "a fetch that is a revoked proxy": [(o) => { const { proxy, revoke } = Proxy.revocable(() => {}, {}); revoke(); o.fetch = proxy; }, "network"],
    ...Object.fromEntries(["get", "set", "delete", "acquire", "release"].flatMap((name) => [
      [`store.${name}: throwing getter`, [(o) => { o.store = getter(store(), name); }, "invalid_options"]],
      [`store.${name}: text`, [(o) => { o.store = store({ [name]: "x" }); }, "invalid_options"]],
    ])),
  },

  calls: {
    null: calling(() => null, "invalid_options"),
    "shy proxy": calling(shy, "invalid_options"),
    "signal: throwing getter": calling(() => getter({}, "signal"), "invalid_options"),
    "forceRefresh: throwing getter": calling(() => getter({}, "forceRefresh"), "invalid_options"),
    "forceRefresh: text": calling(() => ({ forceRefresh: "x" }), "invalid_options"),
    "signal: shy proxy": calling(() => ({ signal: shy() }), "invalid_options"),
    "signal: by tag alone": calling(() => ({ signal: { [Symbol.toStringTag]: "AbortSignal" } }), "invalid_options"),
    "signal: aborted throws": calling(() => ({ signal: signal({ aborted: { get: fail } }) }), "invalid_options"),
    "signal: cannot be listened to": calling(() => ({ signal: signal({ addEventListener: { value: fail } }) }), "token"),
    "signal: cannot be left": calling(() => ({ signal: signal({ removeEventListener: { value: fail } }) }), "token"),
    "signal: calls at once": calling(() => ({ signal: signal({ addEventListener: { value: (_, call) => call() } }) }), "token"),
    "signal: calls once it is left": calling(() => ({ signal: signal({ addEventListener: { value(_, call) { this.constructor.kept = call; setTimeout(call, 5); setTimeout(call, 20); } } }) }), "token"),
    "signal: aborts while listened to": calling(() => { let aborted = false; return { signal: signal({ aborted: { get: () => aborted }, reason: { get: fail }, addEventListener: { value(_, call) { aborted = true; call(); call(); } } }) }; }, "undefined"),
    "signal: aborts without a word": calling(() => { let reads = 0; return { signal: signal({ aborted: { get: () => ++reads > 2 }, reason: { value: "why" } }) }; }, "why"),
    "signal: aborted": calling(() => ({ signal: AbortSignal.abort("why") }), "why"),
  },

  fetches: {
    "throws": fetching(fail, "network"),
    "throws a shy proxy": fetching(() => { throw shy(); }, "network"),
    "throws undefined": fetching(() => { throw undefined; }, "network"),
    "rejects with a symbol": fetching(() => Promise.reject(Symbol("x")), "network"),
    "undefined": fetching(() => undefined, "invalid_response"),
    "null": fetching(() => null, "invalid_response"),
    "number": fetching(() => 200, "invalid_response"),
    "shy proxy": fetching(shy, "network"),
    "then is a throwing getter": fetching(() => thrower, "network"),
    "then throws": fetching(() => badThen, "network"),
    "then settles twice": fetching(() => twice(reply()), "token"),
    "never": [(o) => { o.fetch = () => never; o.timeout = 20; }, "timeout"],
    "constructor of a promise throws": fetching(() => getter(Promise.resolve(reply()), "constructor"), "network"),
    "constructor of a promise throws the second time": fetching(() => {
      let asked = false;
      return getter(Promise.resolve(reply()), "constructor", () => (asked ? fail() : (asked = true, Promise)));
    }, "network"),
    "then of a promise throws": fetching(() => getter(Promise.resolve(reply()), "then"), "network"),
    "then of a promise settles otherwise": fetching(() => Object.assign(Promise.resolve(reply()), { then: (_, reject) => reject(new Error("then")) }), "network"),
    "then of a derived promise is what makes it settle": fetching(() => new Lazy(reply()), "token"),
    "species of a promise throws": fetching(() => species(function () { throw new Error("species"); }), "network"),
    "species of a promise makes none": fetching(() => species(function () {}), "network"),
    "changes init": fetching((_, init) => { for (const name of Object.keys(init)) delete init[name]; Object.freeze(init); return reply(); }, "token"),
  },

  responses: {
    "status: throwing getter": replying(() => getter(strange(), "status"), "invalid_response"),
    ...Object.fromEntries([NaN, 1.5, Infinity, "200", 2n, {}, null].map((status) => [`status: ${typeof status} ${status}`, replying(() => strange({ status }), "invalid_response")])),
    "headers: throwing getter": replying(() => getter(strange({ body: reply().body }), "headers"), "token"),
    "headers: null": replying(() => strange({ headers: null, body: reply().body }), "token"),
    "headers: get throws": replying(() => strange({ headers: { get: fail }, body: reply().body }), "token"),
    "headers: shy proxy": replying(() => strange({ headers: shy(), body: reply().body }), "token"),
    "headers: get gives objects": replying(() => strange({ headers: { get: () => shy() }, body: reply().body }), "token"),
    "headers: get gives long text": replying(() => strange({ headers: { get: () => "9".repeat(1e5) }, body: reply().body }), "token"),
    "headers: get gives lone surrogates": replying(() => strange({ headers: { get: () => "\ud800" }, body: reply().body }), "token"),
    "body: throwing getter": replying(() => getter(strange(), "body"), "network"),
    "body: null": replying(() => strange(), "invalid_response"),
    "body: undefined, no arrayBuffer": replying(() => strange({ body: undefined }), "network"),
    "body: shy proxy": replying(() => strange({ body: shy() }), "network"),
    "getReader throws": replying(() => strange({ body: { getReader: fail } }), "network"),
    "getReader gives undefined": replying(() => strange({ body: { getReader() {} } }), "network"),
    "arrayBuffer: throws": replying(() => strange({ body: {}, arrayBuffer: fail }), "network"),
    ...Object.fromEntries([["number", () => 1e9], ["array", () => [1, 2]], ["text", json], ["view", bytes], ["lies", () => ({ byteLength: 1e9, length: 1e9 })],
      ["shy proxy", shy], ["then throws", () => badThen], ["detached", () => detached().buffer]].map(([name, make]) =>
      [`arrayBuffer: ${name}`, replying(() => strange({ body: {}, arrayBuffer: make }), "network")])),
    // Chromium's TextDecoder refuses shared memory, Node's does not.
    "arrayBuffer: shared": replying(() => strange({ body: {}, arrayBuffer: () => shared().buffer }), "token or invalid_response"),
    "arrayBuffer: good": replying(() => strange({ body: {}, arrayBuffer: async () => bytes().buffer }), "token"),
    "arrayBuffer: own byteLength": replying(() => strange({ body: {}, arrayBuffer: () => getter(bytes().buffer, "byteLength", () => 1e9) }), "token"),
    "arrayBuffer: too long": replying(() => strange({ body: {}, arrayBuffer: () => new ArrayBuffer(65_537) }), "invalid_response"),
  },

  bodies: {
    "lying length": replying(() => stream(chunk(lying(1e9)), done), "token"),
    "lying negative length": replying(() => stream(chunk(lying(-1)), done), "token"),
    "length throws": replying(() => { const array = bytes(); getter(array, "length"); getter(array, "byteLength"); return stream(chunk(array), done); }, "token"),
    "iterator throws": replying(() => { const array = bytes(); getter(array, Symbol.iterator); return stream(chunk(array), done); }, "token"),
    "constructor throws": replying(() => stream(chunk(getter(bytes(), "constructor")), done), "token"),
    "detached": replying(() => stream(chunk(detached()), done), "network"),
    "shared": replying(() => stream(chunk(shared()), done), "token"),
    ...Object.fromEntries([["text", "x"], ["number", 1e9], ["array", [1]], ["buffer", new ArrayBuffer(4)], ["undefined", undefined], ["shy proxy", shy()]]
      .map(([name, value]) => [`chunk: ${name}`, replying(() => stream(chunk(value), done), "network")])),
    "read: throws": replying(() => strange({ body: { getReader: () => ({ read: fail }) } }), "network"),
    "read: then is a throwing getter": replying(() => stream(thrower), "network"),
    "read: then throws": replying(() => stream(badThen), "network"),
    "read: settles twice": replying(() => stream(twice(chunk(bytes())), done), "token"),
    "read: undefined": replying(() => stream(undefined), "network"),
    "read: value throws": replying(() => stream(getter({ done: false }, "value")), "network"),
    "read: done throws": replying(() => stream(getter({}, "done")), "network"),
    "read: never": [(o) => { o.fetch = async () => stream(never); o.timeout = 20; }, "timeout"],
    "endless": replying(() => stream(chunk(new Uint8Array(4_096))), "invalid_response"),
    "endless, of nothing": [(o) => { o.fetch = async () => stream(chunk(new Uint8Array(0))); o.timeout = 20; }, "timeout"],
    "cell of a token is a lone surrogate": replying(() => new Response('{"data":{"token":"\\ud800","exp":9999999999}}'), "invalid_response"),
    "__proto__ in the reply": replying(() => new Response('{"__proto__":{"data":{"token":"x","exp":9999999999}}}'), "invalid_response"),
    "deep": replying(() => new Response("[".repeat(60_000)), "invalid_response"),
  },

  stores: {
    ...Object.fromEntries(["get", "set", "delete", "acquire", "release"].flatMap((name) => [
      ["throws", fail], ["undefined", () => undefined], ["shy proxy", shy], ["then is a throwing getter", () => thrower], ["then throws", () => badThen],
      ["symbol", () => Symbol("x")], ["rejects with a shy proxy", () => Promise.reject(shy())], ["settles twice", () => twice(undefined)],
    ].map(([what, method]) => [`${name}: ${what}`, storing(() => ({ [name]: method }))]))),
    ...Object.fromEntries([["token throws", () => getter({ exp: 1 }, "token")], ["exp throws", () => getter({ token: "x" }, "exp")],
      ["ttlSeconds throws", () => getter({ token: "x", exp: exp() }, "ttlSeconds")], ["token is an object", () => ({ token: shy(), exp: exp() })],
      ["exp is NaN", () => ({ token: "x", exp: NaN })], ["exp is a bigint", () => ({ token: "x", exp: 2n })], ["array", () => []],
      ["ttlSeconds is text", () => ({ token: "x", exp: exp(), ttlSeconds: "1" })], ["lone surrogate", () => ({ token: "\ud800", exp: exp() })],
      ["good", () => ({ token: "x", exp: exp() })]].map(([what, entry]) => [`entry: ${what}`, storing(() => ({ get: async () => entry() }))])),
  },

  handlers: {
    ...Object.fromEntries([["throws", fail], ["shy proxy", shy], ["then is a throwing getter", () => thrower], ["then throws", () => badThen],
      ["rejects", () => Promise.reject(shy())], ["constructor throws", () => getter(Promise.resolve(1), "constructor")]].flatMap(([what, handler]) => [
      [`onEvent: ${what}`, option("onEvent", () => handler, "token")], [`waitUntil: ${what}`, option("waitUntil", () => handler, "token")]])),
    "onEvent of a hostile store": [(o) => { o.onEvent = (event) => void event.cause; o.store = store({ get: () => Promise.reject(shy()), set: () => { throw Symbol("x"); } }); }, "token"],
  },

  secrets: {
    "good": option("apiSecret", () => () => "open sesame", "token"),
    ...Object.fromEntries([["throws", fail], ["undefined", () => undefined], ["number", () => 1], ["shy proxy", shy], ["then is a throwing getter", () => thrower],
      ["then throws", () => badThen], ["rejects with a symbol", () => Promise.reject(Symbol("x"))], ["lone surrogate", () => "\ud800"], ["String object", () => new String("x")]]
      .map(([what, secret]) => [what, option("apiSecret", () => secret, "credentials")])),
    "never": [(o) => { o.apiSecret = () => never; o.timeout = 20; }, "timeout"],
  },

  reentrancy: {},
  prototypes: {},
};

// What a stranger may do to the client that calls it, at every place where it is called.
const quiet = (promise) => void promise?.catch(() => {});
const acts = {
  "asks again": [(o) => quiet(o.client?.getToken(undefined)), "token"],
  "forces": [(o) => quiet(o.client?.getToken({ forceRefresh: true })), "token"],
  "invalidates": [(o) => o.client?.invalidate(undefined), "token"],
  "reports a 401": [(o) => { o.client?.unauthorized("t", true); o.client?.unauthorizedAgain("t"); }, "token"],
  "closes": [(o) => o.client?.close(), "token or invalid_options"],
};
const places = {
  fetch: (o, act) => { o.fetch = () => { act(); return reply(); }; },
  response: (o, act) => { o.fetch = async () => getter(strange({ body: reply().body }), "status", () => { act(); return 200; }); },
  then: (o, act) => { o.fetch = () => ({ then(resolve) { act(); resolve(reply()); act(); } }); },
  abort: (o, act) => { o.timeout = 20; o.fetch = (_, init) => new Promise((_, reject) => init.signal?.addEventListener("abort", () => { act(); reject(1); })); },
  chunk: (o, act) => { o.fetch = async () => stream({ get done() { act(); return false; }, value: bytes() }, done); },
  get: (o, act) => { o.store = store({ get: () => act() && undefined }); },
  set: (o, act) => { o.store = store({ set: () => void act() }); },
  entry: (o, act) => { o.store = store({ get: async () => getter({ exp: exp() }, "token", () => { act(); return "x"; }) }); },
  delete: (o, act) => { o.store = store({ delete: () => void act() }); },
  acquire: (o, act) => { o.store = store({ acquire: () => { act(); return true; } }); },
  release: (o, act) => { o.store = store({ release: () => void act() }); },
  onEvent: (o, act) => { o.onEvent = act; },
  waitUntil: (o, act) => { o.waitUntil = act; },
  apiSecret: (o, act) => { o.apiSecret = () => { act(); return "open sesame"; }; },
  signal: (o, act) => { o.call = { signal: signal({ addEventListener: { value: act }, removeEventListener: { value: act } }) }; },
  call: (o, act) => { o.call = getter({}, "signal", () => void act()); },
};
for (const [place, put] of Object.entries(places)) {
  for (const [name, [act, expected]] of Object.entries(acts)) {
    const slow = place === "abort" ? `timeout or ${expected}` : expected;
    areas.reentrancy[`${place} ${name}`] = [(o) => {
      // Not for ever: an act may lead to the same place.
      let left = 3;
      put(o, () => { if (left-- > 0) act(o); });
    }, slow];
  }
}

/** The members that src/web and pkg/ read or write. */
const MEMBERS = ["Authorization", "X-Environment", "method", "headers", "redirect", "credentials", "signal", "cache", "body", "duplex",
  "status", "statusCode", "data", "token", "exp", "ttlSeconds", "reason", "retryAfter", "attempts", "option", "cause", "code", "retryable",
  "type", "source", "durationMs", "background", "error", "attempt", "delayMs", "retryInMs", "operation", "problem", "retried", "iat",
  "done", "value", "get", "set", "delete", "acquire", "release", "getReader", "arrayBuffer", "aborted", "forceRefresh",
  "environment", "baseUrl", "timeout", "maxRetries", "fetch", "onEvent", "store", "waitUntil", "apiKey", "apiSecret", "digest", "message", "then"];

/** What a page may put on Object.prototype; those that are read are not functions or objects that we would be right to use. */
const pollution = {
  "throwing setter": { set: fail, get: () => undefined },
  "setter": { set() {}, get: () => undefined },
  "not writable": { value: undefined, writable: false },
};
for (const [kind, descriptor] of Object.entries(pollution)) {
  for (const name of MEMBERS) {
    const polluted = (o) => { o.pollute = () => Object.defineProperty(Object.prototype, name, { ...descriptor, configurable: true, enumerable: false }); o.restore = () => delete Object.prototype[name]; };
    areas.prototypes[`${name}: ${kind}`] = [(o) => { polluted(o); o.onEvent = () => {}; o.fetch = bare(); }, "token"];
    areas.prototypes[`${name}: ${kind}, refused`] = [(o) => { polluted(o); o.fetch = async () => own({ status: 401, headers: null, body: null }); }, "unauthorized"];
  }
}

/** A fetch whose reply is made beforehand, of nothing that inherits: the platform's own Response does not survive all of this. */
function bare() {
  const chunks = [own({ done: false, value: bytes() }), own({ done: true })];
  const response = own({ status: 200, headers: null, body: own({ getReader: () => own({ read: () => chunks.shift() }) }) });
  return () => response;
}

/** Members as an object has them that is no victim of Object.prototype. */
const own = (members) => Object.assign(Object.create(null), members);

const good = () => Object.assign(Object.create(null), { apiKey: "Aladdin", apiSecret: "open sesame", baseUrl: "https://api.example.com", maxRetries: 0, fetch: async () => reply() });

const isError = (value) => value instanceof Error && typeof value.code === "string";

async function outcome(promise) {
  try {
    const { token, exp } = await promise;
    return typeof token === "string" && Number.isFinite(exp) ? "token" : "no token";
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) return `trap: ${error}`;
    return isError(error) ? error.code : String(error);
  }
}

function opened(open, o) {
  const client = open(o);
  if (isError(client)) throw client;
  return client;
}

async function attempt(open, once, [prepare, expected]) {
  const accepted = expected.split(" or ");
  const faults = [];
  for (const single of [false, true]) {
    const o = good();
    prepare(o);
    let call;
    try {
      o.pollute?.();
      call = outcome((async () => {
        if (single) return once(o, o.call);
        o.client = opened(open, o);
        return o.client.getToken(o.call);
      })());
      const got = await Promise.race([call, new Promise((resolve) => setTimeout(resolve, 3_000, "nothing"))]);
      // `authenticate` reads no store, no waitUntil and no forceRefresh.
      if (!accepted.includes(got) && !(single && got === "token")) faults.push(`${single ? "authenticate" : "client"}: ${got} in place of ${expected}`);
      await new Promise((resolve) => setTimeout(resolve));
      o.client?.invalidate(undefined);
      o.client?.close();
      await new Promise((resolve) => setTimeout(resolve));
    } catch (error) {
      faults.push(`${single ? "authenticate" : "client"}: threw ${error}`);
    } finally {
      o.restore?.();
    }
    const after = await outcome((async () => opened(open, good()).getToken(undefined))());
    if (after !== "token") faults.push(`afterwards: ${after}`);
  }
  return faults;
}

export async function run(area, open, once) {
  const lines = [];
  let count = 0;
  for (const [name, each] of Object.entries(areas[area])) {
    count++;
    for (const fault of await attempt(open, once, each)) lines.push(`${name}: ${fault}`);
  }
  if (count === 0) lines.push("no case ran");
  return lines.join("\n");
}
