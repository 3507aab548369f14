// A `fetch` of the caller's own that throws, lies, re-enters or never answers, and its replies.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BODY, TOKEN, boom, ends, fails, good, revoked, trapped, worksAfterEachTest } from "../lib/hostile.mjs";
import { importInstalled } from "../lib/install.mjs";
import { LyingBuffer, LyingBytes } from "../lib/lying.mjs";
import { PAGE, PAGE_TOKEN } from "../lib/replies.mjs";

const { authenticate, DigitalpayeAuth } = await importInstalled();
worksAfterEachTest();

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
    const large = await fails({ ...good, fetch: async () => ({ status: 200, arrayBuffer: async () => new LyingBuffer(65_537) }) }, "invalid_response");
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
    const taken = {
      "halves": [BODY.slice(0, half), BODY.slice(half)],
      "views of a larger buffer": [Uint8Array.from([1, 2, 3, ...BODY, 4, 5]).subarray(3, 3 + BODY.length)],
      "Buffer": [Buffer.from(BODY)],
      "empty ones in between": [new Uint8Array(0), BODY.slice(0, half), new Uint8Array(0), BODY.slice(half), new Uint8Array(0)],
      "a subclass that lies": [new LyingBytes(BODY)],
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

test("a buffer that a fetch of the caller's own hands out is read, and left as it is", async () => {
  const buffer = new TextEncoder().encode(JSON.stringify({ statusCode: 200, data: { token: "opaque", exp: Math.floor(Date.now() / 1_000) + 600 } })).buffer;
  const fetch = async () => ({ status: 200, headers: new Headers(), arrayBuffer: async () => buffer });
  for (let call = 0; call < 2; call += 1) {
    assert.equal((await authenticate({ apiKey: "k", apiSecret: "s", fetch })).token, "opaque");
  }
});
