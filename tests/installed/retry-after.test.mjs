// What the server said in Retry-After holds for later calls of a client, too.
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { importInstalled } from "../lib/install.mjs";
import { answering, failureReply, memoryStore, tokenReply } from "../lib/listen.mjs";
import { credentials, mint, sleep } from "../lib/tokens.mjs";

const { authenticate, DigitalpayeAuth, InternalServerError, RateLimitError } = await importInstalled();
const auths = [];

afterEach(() => {
  for (const auth of auths.splice(0)) auth[Symbol.dispose]();
});

function client(options) {
  const auth = new DigitalpayeAuth({ ...credentials, baseUrl: "http://127.0.0.1:9", timeout: 5_000, ...options });
  auths.push(auth);
  return auth;
}

const failed = (promise) => promise.then(({ exp }) => assert.fail(`it gave a token until ${exp}`), (error) => error);
const limited = (value, headers) => () => failureReply(429, { "Retry-After": value, ...headers });

describe("later calls", () => {
  test("50 calls, 1 request: the same error, what is left, no attempts", async () => {
    const api = answering(limited("60"));
    const auth = client(api);
    const first = await failed(auth.getToken());
    assert.ok(first instanceof RateLimitError);
    assert.equal(first.attempts, 1);
    assert.equal(first.retryAfter, 60);
    for (let call = 0; call < 50; call += 1) {
      const started = performance.now();
      const error = await failed(auth.getToken());
      assert.ok(performance.now() - started < 500, "at once");
      assert.ok(error instanceof RateLimitError);
      assert.notEqual(error, first);
      const { attempts, status, reason, retryAfter } = error;
      assert.deepEqual({ attempts, status, reason }, { attempts: 0, status: 429, reason: "raison 429" });
      assert.ok(retryAfter === 59 || retryAfter === 60, `${retryAfter}`);
    }
    assert.equal(api.requests.length, 1);
  });

  test("what is left gets less, and then it is asked again", async () => {
    const api = answering(limited("2"), () => tokenReply());
    const auth = client({ ...api, timeout: 1_500 });
    assert.equal((await failed(auth.getToken())).retryAfter, 2);
    await sleep(1_100);
    assert.equal((await failed(auth.getToken())).retryAfter, 1);
    assert.equal(api.requests.length, 1);
    await sleep(1_000);
    assert.ok((await auth.getToken()).token);
    assert.equal(api.requests.length, 2);
  });

  test("with forceRefresh, after invalidate(), and those of auth.fetch", async () => {
    const api = answering(limited("60"));
    const auth = client(api);
    await failed(auth.getToken());
    auth.invalidate();
    for (const call of [() => auth.getToken({ forceRefresh: true }), () => auth.getToken({ signal: new AbortController().signal }), () => auth.fetch("/v1/balance")]) {
      const error = await failed(call());
      assert.ok(error instanceof RateLimitError);
      assert.equal(error.attempts, 0);
    }
    assert.equal(api.requests.length, 1);
  });

  test("of a 503 as well, with its own class", async () => {
    const api = answering(() => failureReply(503, { "Retry-After": "60" }));
    const auth = client(api);
    await failed(auth.getToken());
    const error = await failed(auth.getToken());
    assert.ok(error instanceof InternalServerError);
    assert.equal(error.attempts, 0);
    assert.equal(api.requests.length, 1);
  });

  test("not those of another client, nor of authenticate()", async () => {
    const api = answering(limited("60"));
    await failed(client(api).getToken());
    await failed(client(api).getToken());
    await failed(authenticate({ ...credentials, ...api, timeout: 5_000 }));
    assert.equal(api.requests.length, 3);
  });

  test("a failure without the header is not one of these", async () => {
    const api = answering(() => failureReply(503));
    const auth = client({ ...api, maxRetries: 0 });
    for (let call = 0; call < 3; call += 1) assert.equal((await failed(auth.getToken())).attempts, 1);
    assert.equal(api.requests.length, 3);
  });
});

describe("with a store", () => {
  test("a later call looks there, and serves what another one has put in", async () => {
    const store = memoryStore();
    const api = answering(limited("60"));
    const auth = client({ store, ...api });
    const reads = [];
    const { get } = store;
    store.get = (key) => { reads.push(key); return get(key); };
    assert.ok(await failed(auth.getToken()) instanceof RateLimitError);
    const before = reads.length;
    const error = await failed(auth.getToken());
    assert.equal(error.attempts, 0);
    assert.ok(reads.length > before, "the store is asked");
    const grant = mint(600);
    store.entries.set(reads[0], grant);
    assert.deepEqual(await auth.getToken(), grant);
    assert.equal(api.requests.length, 1);
    assert.equal(store.leases.size, 0, "no lease is left behind");
  });

  test("a token near its end is replaced by the store's while the server refuses", async () => {
    const store = memoryStore();
    const api = answering(() => tokenReply(3), limited("60"));
    const auth = client({ store, maxRetries: 0, ...api });
    const { token } = await auth.getToken();
    await sleep(2_600);
    assert.equal((await auth.getToken()).token, token);
    await sleep(50);
    const [key] = store.entries.keys();
    const grant = mint(600);
    store.entries.set(key, grant);
    await sleep(600);
    assert.deepEqual(await auth.getToken(), grant);
    assert.equal(api.requests.length, 2);
  });
});

describe("what the header says", () => {
  const now = Date.parse("2026-01-15T12:00:00Z");
  const http = (ms) => new Date(ms).toUTCString();
  const HOUR = 3_600_000;
  const cases = {
    "1.5": [["1.5"], 2],
    "0.001": [["0.001"], 1],
    "60, 120: the first": [["60, 120"], 60],
    "a date against the reply's Date": [[http(now + 90_000), { Date: http(now) }], 90],
    "the same, an hour off our clock": [[http(now + HOUR + 90_000), { Date: http(now + HOUR) }], 90],
    "nonsense": [["soon"], undefined],
    "a negative number": [["-5"], undefined],
    "nothing": [[""], undefined],
  };
  for (const [name, [[value, headers], expected]] of Object.entries(cases)) {
    test(name, async () => {
      const auth = client({ ...answering(limited(value, headers)), maxRetries: 0 });
      const { retryAfter } = await failed(auth.getToken());
      assert.equal(retryAfter, expected);
    });
  }

  test("a date against the local clock, without a Date", async () => {
    const auth = client({ ...answering(limited(http(Date.now() + 90_000))), maxRetries: 0 });
    const { retryAfter } = await failed(auth.getToken());
    assert.ok(retryAfter >= 88 && retryAfter <= 91, `${retryAfter}`);
  });

  test("two headers are one list: the first of them", async () => {
    const headers = new Headers([["Retry-After", "60"], ["Retry-After", "120"]]);
    const auth = client({ fetch: async () => new Response("{}", { status: 429, headers }), maxRetries: 0 });
    assert.equal((await failed(auth.getToken())).retryAfter, 60);
  });

  test("a wrong Date on a 200 does not end a good token", async () => {
    const { exp } = mint(600);
    for (const off of [-23 * HOUR, -HOUR, HOUR, 23 * HOUR]) {
      const grant = mint(600);
      const body = JSON.stringify({ statusCode: 200, data: grant });
      const api = { fetch: async () => new Response(body, { headers: { Date: http(exp * 1_000 + off) } }) };
      assert.deepEqual(await client({ ...api, maxRetries: 0 }).getToken(), grant, `${off / HOUR} h`);
    }
  });

  test("a wait that does not fit is not begun; one that fits is waited for", async () => {
    const api = answering(limited("1"), () => tokenReply());
    const started = performance.now();
    assert.ok((await client({ ...api, maxRetries: 1 }).getToken()).token);
    assert.ok(performance.now() - started >= 950);
    const other = answering(limited("60"), () => tokenReply());
    const again = performance.now();
    await failed(client({ ...other, maxRetries: 1 }).getToken());
    assert.ok(performance.now() - again < 500);
    assert.equal(other.requests.length, 1);
  });
});
