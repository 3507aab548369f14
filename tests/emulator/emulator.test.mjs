// What createEmulator promises beside the API's contract: how it is called, what it refuses, what it keeps apart.
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { types } from "node:util";
import { build } from "esbuild";
import { importInstalled, installed } from "../lib/install.mjs";

const { createEmulator } = await importInstalled("digitalpaye-auth/emulator");
const { DigitalpayeAuth, authenticate } = await importInstalled();

const basic = ({ apiKey, apiSecret }) => `Basic ${btoa(`${apiKey}:${apiSecret}`)}`;
const exchange = (emulator, init) => emulator.fetch("https://h/v1/auth", {
  method: "POST", headers: { Authorization: basic(emulator.credentials) }, ...init,
});
const tokenOf = async (emulator) => (await (await exchange(emulator)).json()).data.token;
const balance = (emulator, token) => emulator.fetch("https://h/v1/balance", { headers: { Authorization: `Bearer ${token}` } });
const payload = (token) => JSON.parse(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));

describe("fetch takes what fetch takes", () => {
  const emulator = createEmulator();
  const init = { method: "POST", headers: { Authorization: basic(emulator.credentials) } };
  const url = "https://api.digitalpaye.com/v1/auth";

  test("a string, a URL, a Request, an init over a Request, a Request as init", async () => {
    for (const args of [[url, init], [new URL(url), init], [new Request(url, init)], [new Request(url), init], [url, new Request("http://other/", init)]]) {
      assert.equal((await emulator.fetch(...args)).status, 200);
    }
  });

  test("a path of a script is the one that a URL makes of it", async () => {
    const { fetch, script } = createEmulator();
    for (const path of ["/v1/clé", "/v1/a b", "/v1/{id}", "/v1/100%25", "/v1/../v2", "//twice", "/v1/a\\b", "/v1/|"]) {
      script([{ path, status: 418 }]);
      assert.equal((await fetch(`https://h${path}`)).status, 418, path);
    }
  });

  test("what is no request is a TypeError", async () => {
    for (const args of [[], ["/v1/auth"], ["http://[/"], [url, { method: "a b" }], [url, { body: "x" }], [url, { ...init, signal: {} }], [url, 1]]) {
      await assert.rejects(emulator.fetch(...args), TypeError);
    }
  });

  test("a body of any kind is read", async () => {
    let read = 0;
    const stream = new ReadableStream({ pull: (controller) => (++read > 20 ? controller.close() : controller.enqueue(new Uint8Array(9))) });
    for (const body of ["text", new Uint8Array(3), new URLSearchParams("a=b"), new Blob(["x"]), new FormData(), stream]) {
      assert.equal((await emulator.fetch(url, { ...init, body, duplex: "half" })).status, 200);
    }
    assert.ok(read > 20);
    const request = new Request(url, { ...init, body: "text" });
    await emulator.fetch(request);
    assert.ok(request.bodyUsed);
  });

  test("a body that breaks off is a broken connection", async () => {
    const broken = new Error("mine");
    const body = new ReadableStream({ pull: (controller) => controller.error(broken) });
    await assert.rejects(emulator.fetch(url, { ...init, body, duplex: "half" }), (error) => error instanceof TypeError && error.cause === broken);
  });

  test("its functions can be taken off, and it cannot be changed", async () => {
    const { fetch, requests } = createEmulator();
    assert.equal((await fetch("http://h/")).status, 404);
    assert.equal(requests().length, 1);
    assert.throws(() => { emulator.fetch = undefined; }, TypeError);
    assert.throws(() => { emulator.credentials.apiKey = "x"; }, TypeError);
  });
});

describe("an abort rejects with the signal's reason", () => {
  for (const [name, step] of [["hanging", { hang: true }], ["delayed", { delayMs: 60_000 }]]) {
    test(name, async () => {
      const emulator = createEmulator();
      emulator.script([step]);
      const aborting = new AbortController();
      const reason = { any: "value" };
      const answer = exchange(emulator, { signal: aborting.signal });
      setTimeout(() => aborting.abort(reason), 5);
      await assert.rejects(answer, (error) => error === reason);
      assert.equal("status" in emulator.requests()[0], false);
      assert.equal((await exchange(emulator)).status, 200);
    });
  }

  test("before the call: nothing is sent", async () => {
    const emulator = createEmulator();
    const reason = new Error("mine");
    await assert.rejects(exchange(emulator, { signal: AbortSignal.abort(reason) }), (error) => error === reason);
    await assert.rejects(emulator.fetch(new Request("http://h/", { signal: AbortSignal.abort(reason) })), (error) => error === reason);
    assert.deepEqual(emulator.requests(), []);
  });

  test("while a body is read", async () => {
    const aborting = new AbortController();
    let cancelled;
    const body = new ReadableStream({ pull: () => new Promise(() => {}), cancel: (reason) => { cancelled = reason; } });
    const answer = exchange(createEmulator(), { body, duplex: "half", signal: aborting.signal });
    aborting.abort("reason");
    await assert.rejects(answer, (error) => error === "reason");
    assert.equal(cancelled, "reason");
  });

  test("an init that is frozen is read as any other", async () => {
    assert.equal((await createEmulator().fetch("https://h/v1/auth", Object.freeze({ method: "POST", signal: new AbortController().signal }))).status, 400);
  });

  test("a signal of another implementation will do", async () => {
    const listeners = new Set();
    const signal = { aborted: false, reason: "theirs", addEventListener: (_, listener) => listeners.add(listener), removeEventListener: (_, listener) => listeners.delete(listener) };
    const emulator = createEmulator();
    assert.equal((await exchange(emulator, { signal })).status, 200);
    emulator.script([{ hang: true }]);
    const answer = exchange(emulator, { signal });
    for (const listener of listeners) listener();
    await assert.rejects(answer, (error) => error === "theirs");
    assert.equal(listeners.size, 0);
  });
});

describe("records", () => {
  test("are there as soon as fetch was called, and hold no credentials", async () => {
    const emulator = createEmulator({ apiSecret: "a-secret-of-mine" });
    const answer = exchange(emulator);
    assert.deepEqual(emulator.requests(), [{ method: "POST", path: "/v1/auth", headers: { authorization: "Basic ***" }, status: 200 }]);
    const { data: { token } } = await (await answer).json();
    await balance(emulator, token);
    await emulator.fetch("http://h/v1/balance?a=b", { headers: { Authorization: "a-secret-of-mine", __proto__: null } });
    assert.deepEqual(emulator.requests().map(({ path, headers, status }) => [path, headers.authorization, status]), [
      ["/v1/auth", "Basic ***", 200], ["/v1/balance", "Bearer ***", 200], ["/v1/balance?a=b", "***", 401],
    ]);
    const text = JSON.stringify(emulator.requests());
    for (const secret of ["a-secret-of-mine", token, btoa("emulator_key:a-secret-of-mine")]) assert.ok(!text.includes(secret));
  });

  test("are copies", async () => {
    const emulator = createEmulator();
    await emulator.fetch("http://h/");
    const [record] = emulator.requests();
    record.headers.x = "y";
    record.path = "";
    assert.deepEqual(emulator.requests(), [{ method: "GET", path: "/", headers: {}, status: 404 }]);
  });
});

describe("state", () => {
  test("two emulators share nothing", async () => {
    const [one, two] = [createEmulator({ apiKey: "one" }), createEmulator()];
    one.script([{ status: 503, times: 9 }]);
    const token = await tokenOf(two);
    assert.equal((await exchange(one)).status, 503);
    assert.equal((await balance(one, token)).status, 401);
    one.revoke();
    one.advance(10_000);
    one.reset();
    assert.equal((await balance(two, token)).status, 200);
    assert.equal(one.requests().length, 0);
    assert.equal(two.requests().length, 2);
    assert.equal((await balance(one, await tokenOf(two))).status, 401, "signed by another key");
  });

  test("reset() goes back to the start: clock, script, tokens, records", async () => {
    const emulator = createEmulator({ lifeSeconds: 50 });
    const before = await tokenOf(emulator);
    emulator.advance(1_000);
    emulator.script([{ status: 503, times: 9 }]);
    await exchange(emulator);
    emulator.reset();
    assert.deepEqual(emulator.requests(), []);
    assert.equal((await balance(emulator, before)).status, 401);
    const after = await tokenOf(emulator);
    assert.notEqual(after, before);
    assert.deepEqual(Object.keys(payload(after)), ["companyId", "iat", "exp"]);
    assert.ok(payload(after).iat - payload(before).iat < 10);
    assert.equal(payload(after).exp - payload(after).iat, 50);
  });

  test("a second token of the same second has a jti", async () => {
    const emulator = createEmulator();
    const tokens = [];
    for (let count = 0; count < 200; count++) tokens.push(await tokenOf(emulator));
    assert.equal(new Set(tokens).size, 200);
    assert.ok(!("jti" in payload(tokens[0])));
    assert.ok("jti" in payload(tokens[1]) || payload(tokens[1]).iat > payload(tokens[0]).iat);
  });

  test("a request that was under way at a reset leaves no trace", async () => {
    const emulator = createEmulator();
    emulator.script([{ delayMs: 20 }]);
    const answer = exchange(emulator);
    emulator.reset();
    const { data: { token } } = await (await answer).json();
    assert.deepEqual(emulator.requests(), []);
    assert.equal((await balance(emulator, token)).status, 401);
  });
});

describe("what is wrong is a TypeError that names it, and changes nothing", () => {
  const revoked = Proxy.revocable([], {});
  revoked.revoke();
  const mine = new Error("mine");
  const circular = {};
  circular.self = circular;
  const scripts = [
    [undefined, /^script must be an array, not undefined$/], [null, /^script must be an array, not null$/], ["x", /not a string$/],
    [{ length: 1 }, /^script must be an array, not an object$/], [[null], /^script\[0\] must be an object, not null$/], [[,], /^script\[0\] must be an object, not undefined$/],
    [[{}, 1], /^script\[1\] must be an object, not a number$/], [[[]], /^script\[0\] must be an object, not an array$/],
    [[{ stauts: 503 }], /^script\[0\]\.stauts is not a known field$/], [[{ [Symbol("x")]: 1 }], /^script\[0\] must not have symbols/],
    ...["path", "times", "status", "delayMs", "retryAfter", "headers", "hang", "reject"].flatMap((name) => [
      [[{ [name]: null }], new RegExp(`^script\\[0\\]\\.${name} must be .*, not null$`)],
      [[{ [name]: Symbol("x") }], new RegExp(`^script\\[0\\]\\.${name} must be .*, not a symbol$`)],
    ]),
    ...[NaN, Infinity, 0, -1, 1.5, 2 ** 32].map((times) => [[{ times }], /^script\[0\]\.times must be a whole number from 1/]),
    ...[NaN, 0, 101, 199, 600, 200.5, -503].map((status) => [[{ status }], /^script\[0\]\.status must be a whole number from 200 to 599$/]),
    ...[NaN, Infinity, -1, 2 ** 31].map((delayMs) => [[{ delayMs }], /^script\[0\]\.delayMs must be a number from 0/]),
    ...[NaN, -1, Infinity, 1.5].map((retryAfter) => [[{ retryAfter }], /^script\[0\]\.retryAfter must be a whole number/]),
    [[{ status: "503" }], /must be a number, not a string$/], [[{ retryAfter: "1\r\nX: y" }], /^script\[0\]\.retryAfter must have no line break/],
    [[{ headers: { "X-A": "a\nb" } }], /^script\[0\]\.headers\["X-A"\] must have no line break/], [[{ headers: { "X-A": "—" } }], /above U\+00FF$/],
    [[{ headers: { "X A": "b" } }], /^script\[0\]\.headers\["X A"\] is not the name of a header$/],
    [[{ headers: { "X-A": null } }], /^script\[0\]\.headers\["X-A"\] must be a string, not null$/], [[{ headers: [["X-A", "b"]] }], /headers must be an object, not an array$/],
    [[{ headers: new Headers({ "X-A": "b" }) }], /headers must be a plain object: Object\.fromEntries\(\) makes one of a Map or a Headers$/],
    [[{ path: "v1" }], /^script\[0\]\.path must begin with/], [[{ path: "/\ud800" }], /lone surrogate$/],
    [[{ hang: false }], /^script\[0\]\.hang must be true, not a boolean$/], [[{ hang: true, status: 503 }], /^script\[0\]\.hang must not be given with/],
    [[{ hang: true, reject: true }], /with reject$/], [[{ status: 204, body: "" }], /^script\[0\]\.body must not be given: status 204 has none$/],
    [[{ body: () => {} }], /^script\[0\]\.body must be .*, not a function$/], [[{ body: 1n }], /^script\[0\]\.body must be/], [[{ body: circular }], /^script\[0\]\.body must be/],
    [[{ get status() { throw mine; } }], /^script\[0\]\.status cannot be read$/, mine],
    [[{ body: { toJSON() { throw mine; } } }], /^script\[0\]\.body must be/, mine],
    [new Proxy([], { get() { throw mine; } }), /^script cannot be read$/, mine], [revoked.proxy, /^script cannot be read$/],
    [new Proxy([], { get: () => 1e9 }), /^script must have at most 100000 steps$/],
    [[new Proxy({}, { ownKeys() { throw mine; } })], /^script\[0\] cannot be read$/, mine],
  ];
  const refusal = (message, cause) => (error) => {
    assert.equal(Object.getPrototypeOf(error), TypeError.prototype);
    assert.match(error.message, message);
    if (cause) assert.equal(error.cause, cause);
    return true;
  };

  test("in a script", async () => {
    const emulator = createEmulator();
    emulator.script([{ status: 503, times: 500 }]);
    for (const [script, message, cause] of scripts) {
      assert.throws(() => emulator.script(script), refusal(message, cause), String(message));
      // Nor does a good step before it hold.
      if (!types.isProxy(script) && Array.isArray(script)) assert.throws(() => emulator.script([{ status: 418 }].concat(script)), TypeError);
    }
    assert.equal((await exchange(emulator)).status, 503);
  });

  test("in a config", () => {
    for (const [config, message] of [
      [null, /^config must be an object, not null$/], [[], /not an array$/], ["x", /not a string$/], [() => {}, /not a function$/],
      [{ apikey: "x" }, /^config\.apikey is not a known field$/], [{ lifetime: 1 }, /^config\.lifetime is not/],
      ...["apiKey", "apiSecret", "lifeSeconds", "companyId"].map((name) => [{ [name]: null }, new RegExp(`^config\\.${name} must be .*, not null$`)]),
      ...["apiKey", "apiSecret", "companyId"].map((name) => [{ [name]: "" }, new RegExp(`^config\\.${name} must not be empty$`)]),
      ...["apiKey", "apiSecret"].map((name) => [{ [name]: "a\nb" }, new RegExp(`^config\\.${name} must not hold a control character$`)]),
      [{ apiKey: "a:b" }, /^config\.apiKey must not hold a colon$/], [{ apiSecret: "\ud800" }, /lone surrogate$/],
      ...[NaN, 0, -1, 1.5, Infinity, 1e10].map((lifeSeconds) => [{ lifeSeconds }, /^config\.lifeSeconds must be a whole number from 1/]),
      [{ get apiKey() { throw mine; } }, /^config\.apiKey cannot be read$/],
    ]) assert.throws(() => createEmulator(config), refusal(message), String(message));
    for (const config of [undefined, {}, Object.create(null), { apiKey: undefined }]) createEmulator(config);
  });

  test("in an argument", async () => {
    const emulator = createEmulator();
    const token = await tokenOf(emulator);
    for (const seconds of [undefined, null, "1", NaN, -1, Infinity, 1e10, 1n]) assert.throws(() => emulator.advance(seconds), refusal(/^seconds must be a number from 0/));
    for (const value of [null, 1, {}]) assert.throws(() => emulator.revoke(value), refusal(/^token must be a string, not/));
    assert.equal((await balance(emulator, token)).status, 200);
  });

  test("a getter may use the emulator that reads it", async () => {
    const emulator = createEmulator();
    emulator.script([{ get status() { emulator.script([]); emulator.requests(); emulator.advance(1); void emulator.fetch("http://h/"); return 503; } }]);
    assert.equal((await exchange(emulator)).status, 503);
  });

  test("a prototype that everybody shares makes no difference", async () => {
    const names = ["times", "apiKey", "cause", "number", "act", "delayMs"];
    for (const name of names) Object.defineProperty(Object.prototype, name, { configurable: true, get: () => undefined, set() { throw new Error(name); } });
    try {
      const emulator = createEmulator();
      assert.throws(() => emulator.script([{ get times() { throw 1; } }]), TypeError);
      assert.equal((await exchange(emulator)).status, 200);
      assert.equal(emulator.requests()[0].status, 200);
    } finally {
      for (const name of names) delete Object.prototype[name];
    }
  });
});

test("no main entry has a byte of it", async () => {
  const consumer = await installed();
  for (const conditions of [[], ["workerd"], ["edge-light"]]) {
    for (const entry of ["digitalpaye-auth", "digitalpaye-auth/emulator"]) {
      const { metafile, outputFiles } = await build({
        stdin: { contents: `export * from ${JSON.stringify(entry)}`, resolveDir: consumer }, bundle: true, write: false, metafile: true,
        format: "esm", conditions, external: ["*.wasm", "*.wasm?module", "cloudflare:*"], logLevel: "silent",
      });
      const inputs = Object.keys(metafile.inputs).filter((path) => path.includes("emulator"));
      const text = outputFiles[0].text;
      if (entry === "digitalpaye-auth") {
        assert.deepEqual(inputs, []);
        assert.doesNotMatch(text, /emulator/i);
      } else {
        assert.ok(inputs.length > 2);
        assert.ok(!Object.keys(metafile.inputs).some((path) => path.endsWith(join("wasm", "digitalpaye_auth_bg.js"))), "nor has it one of theirs");
      }
    }
  }
});

test("every client of the package works with it", async () => {
  const emulator = createEmulator({ lifeSeconds: 60 });
  const options = { ...emulator.credentials, fetch: emulator.fetch };
  const { token, exp } = await authenticate(options);
  assert.equal(payload(token).exp, exp);
  const auth = new DigitalpayeAuth({ ...options, environment: "Sandbox" });
  assert.equal((await auth.fetch("/v1/balance")).status, 200);
  assert.equal(emulator.requests().at(-1).headers["x-environment"], "Sandbox");
  await assert.rejects(authenticate({ ...options, apiSecret: "x" }), { code: "unauthorized", reason: /^Identifiants API incorrects/ });
  emulator.script([{ reject: true }]);
  await assert.rejects(authenticate({ ...options, maxRetries: 0 }), { code: "network" });
  emulator.script([{ hang: true }]);
  await assert.rejects(authenticate({ ...options, timeout: 30 }), { code: "timeout" });
  emulator.script([{ retryAfter: 30 }]);
  await assert.rejects(authenticate({ ...options, maxRetries: 0 }), { code: "rate_limited", retryAfter: 30 });
});
