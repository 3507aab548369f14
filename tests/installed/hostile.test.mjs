// Objects that throw, lie, re-enter or never answer: each costs its own call an error or a time-out, the next call nothing.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { importInstalled } from "../lib/install.mjs";
import { inChild } from "../lib/child.mjs";
import { leak } from "../lib/leaks.mjs";
import { PAGE, PAGE_TOKEN, failure, jwt, success } from "../lib/replies.mjs";

const { authenticate, AuthError, DigitalpayeAuth, InvalidOptionsError } = await importInstalled();

const SECRET = "xK9-tr0mbone";
const good = { apiKey: "key", apiSecret: SECRET, maxRetries: 0, fetch: async () => new Response(PAGE[200]) };
const TOKEN = jwt({ iat: 1_000, exp: 1_600 });
const BODY = new TextEncoder().encode(success(TOKEN, 1_600));

const unhandled = [];
const note = (reason) => unhandled.push(reason);
before(() => {
  process.on("unhandledRejection", note);
  process.on("uncaughtException", note);
});
after(() => {
  process.off("unhandledRejection", note);
  process.off("uncaughtException", note);
});

// Whatever a test did, the instance works as before, and nothing escaped.
afterEach(async () => {
  assert.deepEqual(await authenticate(good), PAGE_TOKEN, "the next call works");
  const client = new DigitalpayeAuth(good);
  assert.deepEqual(await client.getToken(), PAGE_TOKEN);
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(unhandled.splice(0), []);
});

/** What a call ends with: a token, or an AuthError, or the reason of an abort. Never longer than `timeout`. */
async function ends(options, call) {
  let promise;
  assert.doesNotThrow(() => (promise = authenticate(options, call)));
  const settled = promise.then((token) => ({ token }), (error) => ({ error }));
  const outcome = await Promise.race([settled, new Promise((resolve) => setTimeout(resolve, 5_000, "it did not end"))]);
  assert.equal(typeof outcome, "object", outcome);
  return outcome;
}

async function fails(options, code, call) {
  const { token, error } = await ends(options, call);
  assert.equal(token, undefined, "it gave a token");
  assert.ok(AuthError.is(error), String(error));
  if (code !== undefined) assert.equal(error.code, code, error.stack);
  return error;
}

const boom = () => {
  throw new RangeError("boom");
};
/** A proxy whose every trap throws. */
const trapped = (target = {}) => new Proxy(target, new Proxy({}, { get: () => boom }));
const revoked = (target = {}) => {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
};
const FIELDS = ["apiKey", "apiSecret", "environment", "baseUrl", "timeout", "maxRetries", "fetch"];

describe("options", () => {
  test("a getter that throws: InvalidOptionsError of that field, with what it threw as cause", async () => {
    for (const name of FIELDS) {
      for (const thrown of [new Error("own"), "text", undefined, null, Symbol("s"), revoked()]) {
        const options = Object.defineProperty({ ...good }, name, { get() { throw thrown; } });
        const error = await fails(options, "invalid_options");
        assert.equal(error.option, name);
        assert.ok(Object.is(error.cause, thrown));
        assert.throws(() => new DigitalpayeAuth(options), InvalidOptionsError);
      }
    }
    const error = await fails(good, "invalid_options", { get signal() { throw boom; } });
    assert.deepEqual([error.option, error.cause], ["signal", boom]);
  });

  test("proxies that throw or are revoked, as options and in every field", async () => {
    for (const options of [trapped(), revoked(), trapped(() => {}), revoked(() => {}), trapped([])]) await fails(options, "invalid_options");
    for (const name of FIELDS) {
      for (const value of [trapped(), revoked(), trapped([]), trapped(new String("x")), trapped(new URL("https://h.example")), revoked(new URL("https://h.example"))]) {
        assert.equal((await fails({ ...good, [name]: value }, "invalid_options")).option, name);
      }
    }
    // Only calling it shows what a function is.
    for (const fetch of [trapped(() => {}), revoked(() => {}), class {}, trapped(class {})]) await fails({ ...good, fetch }, "network");
    for (const call of [trapped(), revoked()]) await fails(good, "invalid_options", call);
    for (const signal of [trapped(), revoked(), trapped(new AbortController().signal), revoked(new AbortController().signal)]) {
      assert.equal((await fails(good, "invalid_options", { signal })).option, "signal");
    }
  });

  test("values whose conversions throw or lie are not converted", async () => {
    const converting = { [Symbol.toPrimitive]: boom, toString: boom, valueOf: boom, toJSON: boom, get then() { return boom(); }, get [Symbol.toStringTag]() { return boom(); } };
    for (const name of FIELDS) assert.equal((await fails({ ...good, [name]: converting }, "invalid_options")).option, name);
    for (const name of FIELDS) await fails({ ...good, [name]: Symbol("s") }, "invalid_options");
    const signal = { get [Symbol.toStringTag]() { return "AbortSignal"; }, get aborted() { return boom(); } };
    assert.equal((await fails(good, "invalid_options", { signal })).option, "signal");
  });

  test("an impostor of a URL", async () => {
    for (const href of ["https://h.example", 5, null, "", "http://h.example", { toString: () => "https://h.example" }]) {
      const { error } = await ends({ ...good, baseUrl: { [Symbol.toStringTag]: "URL", href } });
      if (error) assert.equal(error.option, "baseUrl");
    }
    const throwing = Object.defineProperty({ [Symbol.toStringTag]: "URL" }, "href", { get: boom });
    assert.equal((await fails({ ...good, baseUrl: throwing }, "invalid_options")).option, "baseUrl");
  });

  test("getters that call the package again, at once and 100 deep", async () => {
    const inner = [];
    for (const name of FIELDS) {
      const options = Object.defineProperty({ ...good }, name, {
        get() {
          inner.push(authenticate(good), authenticate({}).catch((error) => error.code), new DigitalpayeAuth(good).getToken());
          return good[name];
        },
      });
      assert.deepEqual(await authenticate(options), PAGE_TOKEN);
    }
    for (const outcome of await Promise.all(inner)) {
      if (typeof outcome === "string") assert.equal(outcome, "invalid_options");
      else assert.deepEqual(outcome, PAGE_TOKEN);
    }

    let depth = 0;
    const deep = [];
    const options = Object.defineProperty({ ...good }, "apiKey", {
      get() {
        depth += 1;
        if (depth < 100) deep.push(authenticate(options));
        return "key";
      },
    });
    assert.deepEqual(await authenticate(options), PAGE_TOKEN);
    for (const token of await Promise.all(deep)) assert.deepEqual(token, PAGE_TOKEN);
    assert.equal(deep.length, 99);
  });

  test("getters that exhaust the stack", async () => {
    for (let round = 0; round < 50; round += 1) {
      const options = Object.defineProperty({ ...good }, "apiKey", { get() { return new DigitalpayeAuth(options); } });
      assert.throws(() => new DigitalpayeAuth(options), InvalidOptionsError);
    }
  });

  test("a getter that answers differently each time is asked once", async () => {
    for (const name of FIELDS) {
      let asked = 0;
      const options = Object.defineProperty({ ...good }, name, {
        get() {
          asked += 1;
          return asked === 1 ? good[name] : Symbol("nonsense");
        },
      });
      assert.deepEqual(await authenticate(options), PAGE_TOKEN);
      assert.equal(asked, 1);
    }
  });
});

describe("signals", () => {
  /** Looks like one, and does as told. */
  const fake = (members) => Object.defineProperties({ aborted: false, addEventListener() {}, removeEventListener() {}, [Symbol.toStringTag]: "AbortSignal" }, Object.getOwnPropertyDescriptors(members));

  test("that throw, say nonsense, or abort while they are listened to", async () => {
    const aborting = fake({ addEventListener(_, listener) { this.aborted = true; this.reason = "while listening"; listener(); } });
    const again = fake({ addEventListener(_, listener) { this.aborted = true; this.reason = "again"; listener(); listener(); listener.call(null, {}); } });
    const cases = [
      fake({ addEventListener: boom }),
      fake({ addEventListener() { return revoked(); } }),
      fake({ removeEventListener: boom }),
      fake({ removeEventListener: undefined }),
      fake({ get reason() { return boom(); } }),
      fake({ get removeEventListener() { return boom(); } }),
      aborting,
      again,
    ];
    for (const signal of cases) {
      const { token, error } = await ends(good, { signal });
      assert.ok(token !== undefined || AuthError.is(error) || typeof error === "string", String(error));
    }
    assert.equal((await ends(good, { signal: fake({ addEventListener(_, listener) { this.aborted = true; this.reason = "once more"; listener(); } }) })).error, "once more");
  });

  test("whose listener is called after the call has settled", async () => {
    const listeners = [];
    const signal = fake({ addEventListener: (_, listener) => listeners.push(listener) });
    assert.deepEqual((await ends(good, { signal })).token, PAGE_TOKEN);
    await new Promise((resolve) => setImmediate(resolve));
    signal.aborted = true;
    for (const listener of listeners) {
      listener();
      (listener.handleEvent ?? listener)({ type: "abort" });
    }
  });

  test("that abort within fetch, within a header, within the body", async () => {
    for (const place of ["fetch", "status", "headers", "get", "body", "getReader", "read", "value"]) {
      const controller = new AbortController();
      const at = (name, value) => {
        if (name === place) controller.abort(place);
        return value;
      };
      const fetch = async () => at("fetch", {
        get status() { return at("status", 200); },
        get headers() { return at("headers", { get: () => at("get", null) }); },
        get body() {
          return at("body", {
            getReader: () => at("getReader", {
              read: async () => at("read", { done: false, get value() { return at("value", BODY); } }),
              cancel: async () => {},
            }),
          });
        },
      });
      assert.equal((await ends({ ...good, fetch, timeout: 2_000 }, { signal: controller.signal })).error, place);
    }
  });
});

describe("fetch", () => {
  test("answers that are no Response", async () => {
    for (const value of [undefined, null, 0, 200, "200", true, 5n, Symbol("s"), {}, [], () => {}, new Error("x"), { status: "200" }, { status: NaN }, { status: 200.5 }, { status: null }, { status: { valueOf: () => 200 } }, { status: 200n }, Infinity, { status: Infinity }]) {
      const error = await fails({ ...good, fetch: () => value }, "invalid_response");
      assert.equal(error.status, undefined);
    }
    for (const value of [trapped(), revoked(), trapped(new Response(PAGE[200]))]) await fails({ ...good, fetch: () => [value].at(0) });
    for (const fetch of [async () => trapped(), async () => revoked()]) await fails({ ...good, fetch });
  });

  test("thenables: called back at once, twice, with thenables, never, throwing", async () => {
    const respond = () => new Response(PAGE[200]);
    const resolving = [
      () => respond(),
      () => ({ then: (resolve) => resolve(respond()) }),
      () => ({ then: (resolve) => { resolve(respond()); resolve(new Response("", { status: 500 })); } }),
      () => ({ then: (resolve, reject) => { resolve(respond()); reject(new Error("late")); throw new Error("later"); } }),
      () => ({ then: (resolve) => resolve({ then: (resolve) => resolve(respond()) }) }),
      () => ({ then: (resolve) => { setTimeout(resolve, 20, respond()); } }),
      () => Promise.resolve(Promise.resolve(respond())),
      () => ({ get then() { return (resolve) => resolve(respond()); } }),
    ];
    for (const fetch of resolving) assert.deepEqual((await ends({ ...good, fetch })).token, PAGE_TOKEN, String(fetch));
    const failing = [
      () => ({ then: boom }),
      () => ({ get then() { return boom(); } }),
      () => ({ then: (_, reject) => { reject(undefined); reject(1); } }),
      () => ({ then: (resolve) => resolve(Promise.reject(new Error("inner"))) }),
      boom,
      async () => boom(),
    ];
    for (const fetch of failing) await fails({ ...good, fetch }, "network");
    const never = [() => new Promise(() => {}), () => ({ then() {} }), () => ({ then: (resolve) => resolve({ then() {} }) })];
    for (const fetch of never) await fails({ ...good, fetch, timeout: 50 }, "timeout");
  });

  test("a Response that lies: its getters, headers and body throw or are nonsense", async () => {
    const nonsense = [undefined, null, 0, "text", {}, [], () => {}, boom, trapped(), revoked(), Symbol("s"), 5n];
    const ok = () => ({ status: 200, headers: new Headers(), body: new Response(PAGE[200]).body });

    // Headers that cannot be read are headers that are not there.
    for (const headers of [...nonsense, { get: boom }, { get: () => 5 }, { get: () => trapped() }, { get: 5 }, { get get() { return boom(); } }, { get: () => "nonsense" }, new Map()]) {
      assert.deepEqual((await ends({ ...good, fetch: async () => ({ ...ok(), headers }) })).token, PAGE_TOKEN, typeof headers);
    }
    const throwing = Object.defineProperty(ok(), "headers", { get: boom });
    assert.deepEqual((await ends({ ...good, fetch: async () => throwing })).token, PAGE_TOKEN);

    for (const body of nonsense) {
      const error = await fails({ ...good, fetch: async () => ({ ...ok(), body }) });
      assert.ok(["network", "invalid_response"].includes(error.code));
    }
    for (const reader of nonsense) await fails({ ...good, fetch: async () => ({ ...ok(), body: { getReader: () => reader } }) }, "network");
    for (const result of nonsense) {
      // A function, a list and an object have no `done`, and no bytes as `value`.
      await fails({ ...good, fetch: async () => ({ ...ok(), body: { getReader: () => ({ read: async () => result }) } }) }, "network");
    }
    for (const value of nonsense) await fails({ ...good, fetch: async () => ({ ...ok(), body: { getReader: () => ({ read: async () => ({ done: false, value }) }) } }) }, "network");
    for (const value of nonsense) await fails({ ...good, fetch: async () => ({ status: 200, arrayBuffer: async () => value }), timeout: 2_000 });
    await fails({ ...good, fetch: async () => Object.defineProperty({}, "status", { get: boom }) }, "invalid_response");
    await fails({ ...good, fetch: async () => Object.defineProperty(ok(), "body", { get: boom }) }, "network");

    // By status, whatever else is broken.
    for (const body of [...nonsense, { getReader: boom }, { getReader: () => ({ read: boom }) }]) {
      for (const [status, code] of [[401, "unauthorized"], [503, "internal_server_error"], [302, "unexpected_status"]]) {
        assert.equal((await fails({ ...good, fetch: async () => ({ status, headers: boom, body }) }, code)).status, status);
      }
    }
  });

  test("a global fetch that cannot be read, and a Request that is none", async () => {
    const { fetch: _, ...plain } = good;
    const kept = ["fetch", "Request"].map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]);
    try {
      for (const value of [undefined, null, 5, "text", { prototype: 5 }, trapped(), revoked()]) {
        Object.defineProperty(globalThis, "Request", { configurable: true, value });
        assert.deepEqual((await ends(good)).token, PAGE_TOKEN);
      }
      for (const name of ["Request", "fetch"]) {
        Object.defineProperty(globalThis, name, { configurable: true, get: boom });
        if (name === "Request") assert.deepEqual((await ends(good)).token, PAGE_TOKEN);
        else assert.equal((await fails(plain, "network")).cause.message, "boom");
      }
    } finally {
      for (const [name, descriptor] of kept) Object.defineProperty(globalThis, name, descriptor);
    }
  });

  test("a buffer that lies about its length is no larger than the cap", async () => {
    class Lying extends ArrayBuffer {
      get byteLength() { return 5; }
    }
    const large = await fails({ ...good, fetch: async () => ({ status: 200, arrayBuffer: async () => new Lying(65_537) }) }, "invalid_response");
    assert.match(large.message, /over 64 KiB/);
  });

  test("a stream that knows nothing of the signal is left when the call is", async () => {
    const controller = new AbortController();
    let reads = 0;
    const read = async () => {
      reads += 1;
      await new Promise((resolve) => setTimeout(resolve, 2));
      return { done: false, value: new Uint8Array(1) };
    };
    const fetch = async () => ({ status: 200, headers: new Headers(), body: { getReader: () => ({ read, cancel: async () => {} }) } });
    setTimeout(() => controller.abort("left"), 50);
    assert.equal((await ends({ ...good, fetch }, { signal: controller.signal })).error, "left");
    const before = reads;
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.ok(before > 0 && reads <= before + 1, `${reads - before} reads after the abort`);
  });

  test("chunks that are no Uint8Array, or lie about what they are", async () => {
    const stream = (...chunks) => {
      const left = [...chunks];
      return { status: 200, headers: new Headers(), body: { getReader: () => ({ read: async () => (left.length > 0 ? { done: false, value: left.shift() } : { done: true }), cancel: async () => {} }) } };
    };
    const half = BODY.length >> 1;
    class Lying extends Uint8Array {
      get length() { return 1e9; }
      get byteLength() { return -1; }
      get byteOffset() { return 2 ** 40; }
      get buffer() { return new ArrayBuffer(0); }
      get [Symbol.toStringTag]() { return "Nonsense"; }
      [Symbol.iterator]() { return boom(); }
      static get [Symbol.species]() { return boom; }
      subarray() { return boom(); }
      slice() { return boom(); }
      set() { return boom(); }
    }
    const taken = {
      "halves": [BODY.slice(0, half), BODY.slice(half)],
      "views of a larger buffer": [Uint8Array.from([1, 2, 3, ...BODY, 4, 5]).subarray(3, 3 + BODY.length)],
      "Buffer": [Buffer.from(BODY)],
      "empty ones in between": [new Uint8Array(0), BODY.slice(0, half), new Uint8Array(0), BODY.slice(half), new Uint8Array(0)],
      "a subclass that lies": [Lying.from ? new Lying(BODY) : BODY],
      "memory that is shared": [new Uint8Array(new SharedArrayBuffer(BODY.length)).fill(0).map((_, index) => BODY[index])],
      "own properties that lie": [Object.defineProperties(BODY.slice(), { length: { value: 5 }, byteLength: { get: boom } })],
    };
    for (const [name, chunks] of Object.entries(taken)) {
      assert.deepEqual((await ends({ ...good, fetch: async () => stream(...chunks) })).token, { token: TOKEN, exp: 1_600 }, name);
    }

    const detached = BODY.slice();
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    const shrunk = new Uint8Array(new ArrayBuffer(BODY.length, { maxByteLength: BODY.length }));
    shrunk.buffer.resize?.(0);
    for (const chunk of [detached, "text", [...BODY], BODY.buffer, new Blob([BODY]), { length: 5 }, new Proxy(BODY, {}), Object.create(Uint8Array.prototype), 5, null]) {
      await fails({ ...good, fetch: async () => stream(chunk) });
    }
    // An empty one is nothing; the body is then no JSON.
    await fails({ ...good, fetch: async () => stream(shrunk) });
    await fails({ ...good, fetch: async () => stream(new Uint8Array(200_000)) }, "invalid_response");
    await fails({ ...good, fetch: async () => stream(new Uint8Array(64 * 1024 * 1024)) }, "invalid_response");
  });

  test("arrayBuffer() that gives no ArrayBuffer: neither walked through nor taken for a length", async () => {
    let steps = 0;
    const iterable = { *[Symbol.iterator]() { for (; steps < 1_000_000; steps += 1) yield 0x20; } };
    const arrayLike = new Proxy({}, { get: (_, name) => (name === "length" ? 1_000_000 : name === Symbol.iterator ? undefined : ((steps += 1), 0x20)) });
    for (const value of [1e9, 4, "{}", iterable, arrayLike, BODY.toString(), [...BODY], new Blob([BODY])]) {
      const error = await fails({ ...good, fetch: async () => ({ status: 200, arrayBuffer: async () => value }), timeout: 2_000 });
      assert.ok(["network", "invalid_response"].includes(error.code));
      assert.ok(steps < 70_000, `${steps} steps`);
    }
  });

  test("a stream without end of empty chunks ends at the deadline", async () => {
    const started = performance.now();
    let reads = 0;
    const fetch = async () => ({
      status: 200,
      headers: new Headers(),
      // It would give up by itself, but long after the deadline.
      body: { getReader: () => ({ read: () => Promise.resolve((reads += 1) > 500_000 ? { done: true } : { done: false, value: new Uint8Array(0) }), cancel: async () => {} }) },
    });
    await fails({ ...good, fetch, timeout: 200 }, "timeout");
    assert.ok(performance.now() - started < 2_500, `${performance.now() - started} ms, ${reads} reads`);
  });

  test("a stream that never answers, and a cancel that throws, rejects or never answers", async () => {
    const body = (cancel) => ({ getReader: () => ({ read: async () => ({ done: false, value: new Uint8Array(70_000) }), cancel }) });
    for (const cancel of [undefined, boom, () => Promise.reject(new Error("x")), () => new Promise(() => {}), 5, () => trapped()]) {
      await fails({ ...good, fetch: async () => ({ status: 200, headers: new Headers(), body: body(cancel) }) }, "invalid_response");
    }
    for (const read of [() => new Promise(() => {}), () => ({ then() {} })]) {
      await fails({ ...good, timeout: 50, fetch: async () => ({ status: 200, headers: new Headers(), body: { getReader: () => ({ read, cancel: boom }) } }) }, "timeout");
      const error = await fails({ ...good, timeout: 50, fetch: async () => ({ status: 404, headers: new Headers(), body: { getReader: () => ({ read }) } }) }, "unexpected_status");
      assert.equal(error.status, 404);
    }
  });

  test("settles after the deadline or the abort: nobody sees it", async () => {
    for (const late of [() => new Response(PAGE[200]), () => Promise.reject(new Error("late")), boom]) {
      const fetch = () => new Promise((resolve) => setTimeout(resolve, 60)).then(late);
      await fails({ ...good, fetch, timeout: 20 }, "timeout");
      const controller = new AbortController();
      const call = ends({ ...good, fetch }, { signal: controller.signal });
      setTimeout(() => controller.abort("enough"), 20);
      assert.equal((await call).error, "enough");
      await new Promise((resolve) => setTimeout(resolve, 80));
    }
  });

  test("calls the package again, at once, from every place", async () => {
    const inner = [];
    const again = () => inner.push(authenticate(good), new DigitalpayeAuth(good).getToken());
    const fetch = (...args) => {
      again();
      args[1].signal.addEventListener("abort", again);
      return {
        then(resolve) {
          again();
          resolve({
            get status() { again(); return 200; },
            get headers() { again(); return { get() { again(); return null; } }; },
            get body() {
              again();
              const left = [BODY];
              return {
                get getReader() {
                  again();
                  return () => {
                    again();
                    return { get read() { again(); return async () => { again(); return { get done() { again(); return left.length === 0; }, get value() { again(); return left.shift(); } }; }; } };
                  };
                },
              };
            },
          });
        },
      };
    };
    assert.deepEqual((await ends({ ...good, fetch })).token, { token: TOKEN, exp: 1_600 });
    for (const token of await Promise.all(inner)) assert.deepEqual(token, PAGE_TOKEN);
    assert.ok(inner.length > 20);
  });

  test("its abort listeners throw", async () => {
    const escaped = [];
    const fetch = (_, { signal }) => {
      // What an EventTarget's listener throws is reported as uncaught by Node: it is this fetch's own to catch.
      signal.addEventListener("abort", () => { escaped.push("called"); });
      signal.onabort = () => { escaped.push("onabort"); };
      return new Promise(() => {});
    };
    await fails({ ...good, fetch, timeout: 30 }, "timeout");
    assert.deepEqual(escaped.sort(), ["called", "onabort"]);
  });

  test("keeps and changes what it was given", async () => {
    const fetch = async (_, init) => {
      for (const key of Object.keys(init)) delete init[key];
      init.headers = trapped();
      return new Response("", { status: 503 });
    };
    await fails({ ...good, fetch, maxRetries: 1 }, "internal_server_error");
  });
});

describe("JavaScript that has been changed under the package", () => {
  test("built-in prototypes with members added, or frozen", async () => {
    const { result, stderr, code } = await inChild(async ({ body, secret }) => {
      const { authenticate } = await import("digitalpaye-auth");
      const options = { apiKey: "key", apiSecret: secret, maxRetries: 0, fetch: async () => new Response(body) };
      const seen = [];
      await authenticate(options);
      Array.prototype.extra = 1;
      Object.prototype.extra = { any: "page's" };
      Object.prototype.signal = undefined;
      seen.push(await authenticate(options));
      const error = await authenticate({ ...options, fetch: async () => new Response("", { status: 401 }) }).catch((error) => error);
      seen.push(error.code);
      delete Object.prototype.signal;
      for (const each of [Object.prototype, Array.prototype, Function.prototype, Promise.prototype, Error.prototype]) Object.freeze(each);
      seen.push(await authenticate(options));
      const frozen = await authenticate({ ...options, fetch: async () => new Response("", { status: 429 }) }).catch((error) => error);
      seen.push(frozen.name, frozen.code, frozen.message.length > 0);
      return seen;
    }, { body: PAGE[200], secret: SECRET });
    assert.deepEqual(result, [PAGE_TOKEN, "unauthorized", PAGE_TOKEN, "RateLimitError", "rate_limited", true], `${code} ${stderr}`);
  });
});

test("5,000 calls at once, of every kind, and each ends as it should", async () => {
  const kinds = [
    [{ fetch: async () => new Response(PAGE[200]) }, ({ token }) => token !== undefined],
    [{ fetch: async () => new Response(failure(401, "non"), { status: 401 }) }, ({ error }) => error?.code === "unauthorized"],
    [{ fetch: () => Promise.reject(1) }, ({ error }) => error?.code === "network"],
    [{ fetch: () => new Promise(() => {}), timeout: 50 }, ({ error }) => error?.code === "timeout"],
    [{ apiKey: Symbol("s") }, ({ error }) => error?.code === "invalid_options"],
    [{ fetch: async () => new Response("{") }, ({ error }) => error?.code === "invalid_response"],
  ];
  const outcomes = await Promise.all(Array.from({ length: 5_000 }, async (_, index) => {
    const [options, holds] = kinds[index % kinds.length];
    const outcome = await authenticate({ ...good, ...options }).then((token) => ({ token }), (error) => ({ error }));
    return holds(outcome) && leak(index < 60 ? outcome.error : undefined, [SECRET]) === undefined;
  }));
  assert.equal(outcomes.filter((held) => !held).length, 0);
});

test("a buffer that a fetch of the caller's own hands out is read, and left as it is", async () => {
  const buffer = new TextEncoder().encode(JSON.stringify({ statusCode: 200, data: { token: "opaque", exp: Math.floor(Date.now() / 1_000) + 600 } })).buffer;
  const fetch = async () => ({ status: 200, headers: new Headers(), arrayBuffer: async () => buffer });
  for (let call = 0; call < 2; call += 1) {
    assert.equal((await authenticate({ apiKey: "k", apiSecret: "s", fetch })).token, "opaque");
  }
});
