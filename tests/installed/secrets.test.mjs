// The secret, the Basic value and the token are nowhere to be seen: in no error at any depth, in no client, in no log.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { inspect } from "node:util";
import { gzipSync } from "node:zlib";
import { inChild } from "../lib/child.mjs";
import { importInstalled } from "../lib/install.mjs";
import { credentialForms, leak } from "../lib/leaks.mjs";
import { startRaw } from "../lib/raw.mjs";
import { PAGE, PAGE_TOKEN, chunked, failure, jwt, reply, success } from "../lib/replies.mjs";

const { authenticate, AuthError, DigitalpayeAuth } = await importInstalled();
const raw = await startRaw();
after(() => raw.stop());

const credentials = { apiKey: "merchant-4711", apiSecret: "xK9-tr0mbone-é!" };
const FORMS = credentialForms(credentials);
const TOKEN = jwt({ companyId: "8437dd13", iat: 1_728_634_203, exp: 1_728_634_803 });
const SIGNATURE = TOKEN.split(".")[2];
const PAYLOAD = TOKEN.split(".")[1];
const options = { ...credentials, maxRetries: 0 };

test("the search finds what is hidden", () => {
  const hidden = "hidden-text";
  const nested = (value) => new Error("outer", { cause: new AggregateError([Object.assign(new Error("inner"), value)], "several") });
  class Private { #it = hidden; get it() { return this.#it; } }
  const cases = [
    hidden, new Error(hidden), nested({ data: hidden }), nested({ [hidden]: 1 }), nested({ bytes: Buffer.from(`..${hidden}..`) }), nested({ map: new Map([["k", hidden]]) }),
    Object.defineProperty(new Error("x"), "secret", { value: hidden, enumerable: false }), Object.create({ up: { there: hidden } }), nested({ [Symbol(hidden)]: 1 }), new Private(),
    Object.assign(new Error("x"), { stack: `Error: x\n at ${hidden}` }), { toJSON: () => hidden }, { toString: () => hidden },
  ];
  for (const [index, value] of cases.entries()) assert.ok(leak(value, ["something else", hidden]), `case ${index}`);
  assert.equal(leak(nested({ data: "harmless" }), [hidden]), undefined);
});

describe("errors", () => {
  /** Every kind of failure, as bytes; each reply holds a whole token where it can. */
  const body = success(TOKEN, 1_728_634_803);
  const late = { Date: "Tue, 24 Nov 2026 12:00:00 GMT" };
  const scripts = {
    "400": reply(400, body),
    "401": reply(401, PAGE[401]),
    "401 that repeats the secret": reply(401, failure(401, `no such secret: ${credentials.apiSecret}`)),
    "401 that repeats the header": reply(401, failure(401, `Authorization: Basic ${FORMS[1]}`)),
    "401 that repeats both, in other members": reply(401, JSON.stringify({ message: FORMS[1], error: credentials.apiSecret, data: { token: TOKEN } })),
    "429": reply(429, body, { "Retry-After": "5", "X-Token": TOKEN }),
    "500": reply(500, body),
    "302": reply(302, body, { Location: `/?token=${TOKEN}` }),
    "200 that is too old": reply(200, body, late),
    "200 without exp": reply(200, `{"data":{"token":"${TOKEN}"}}`),
    "200 with more behind the token": reply(200, success(`${TOKEN} ${TOKEN}`, 1_728_634_803)),
    "200 that is no JSON": reply(200, `${body}x`),
    "200 with statusCode 401": reply(200, JSON.stringify({ statusCode: 401, data: { token: TOKEN } })),
    "200 that is too large": reply(200, body + " ".repeat(70_000)),
    "200 that breaks off": reply(200, body, { "Content-Length": 5_000 }),
    "200 that breaks off in chunks": reply(200, `${chunked([body], { last: false })}zz\r\n`, { "Transfer-Encoding": "chunked" }),
    "200 in a bad chunk": `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n${body}`,
    "200 of bad gzip": reply(200, gzipSync(body).fill(0, 40, 60), { "Content-Encoding": "gzip" }),
    "200 with a bad head": `HTTP/1.1 200 OK\r\nContent-Length: 9\r\nBad Header\r\n\r\n${body}`,
    "200 with the token in a bad head": `HTTP/1.1 200 OK\r\nBad Header\r\nX-Token: ${TOKEN}\r\n\r\n`,
    "no HTTP": body,
    "nothing": "",
    "a reset": (exchange) => exchange.reset(),
    "a body that does not come": (exchange) => exchange.write(reply(200, body, { "Content-Length": 5_000 })),
    "a reply that does not come": () => {},
  };
  for (const [name, script] of Object.entries(scripts)) {
    test(name, async () => {
      for (const maxRetries of [0, 1]) {
        raw.reset(script);
        const error = await authenticate({ ...options, maxRetries, baseUrl: raw.url, timeout: 300 }).then((token) => assert.fail(`it gave ${token.exp}`), (error) => error);
        assert.ok(AuthError.is(error));
        assert.equal(leak(error, [...FORMS, TOKEN, SIGNATURE, PAYLOAD]), undefined);
      }
    });
  }

  test("invalid options, whichever", async () => {
    for (const bad of [{ apiKey: "a:b" }, { apiKey: null }, { environment: "" }, { baseUrl: "nonsense" }, { baseUrl: `https://u:${credentials.apiSecret}@h.example` }, { timeout: -1 }, { maxRetries: 11 }, { fetch: 5 }, { apiSecret: `${credentials.apiSecret}\n` }, { apiSecret: `${credentials.apiSecret}\ud800` }, { apiKey: `${credentials.apiSecret}:` }]) {
      const error = await authenticate({ ...options, ...bad }).then(() => assert.fail("it was taken"), (error) => error);
      assert.equal(error.code, "invalid_options");
      assert.equal(leak(error, FORMS), undefined);
    }
  });

  test("what the package puts around a cause of the caller's own", async () => {
    const cause = Object.freeze({ own: "value" });
    const error = await authenticate({ ...options, fetch: () => Promise.reject(cause) }).catch((error) => error);
    assert.equal(leak(error, FORMS), undefined);
    assert.deepEqual(Reflect.ownKeys(error).sort(), ["attempts", "cause", "code", "message", "retryable", "stack"]);
  });
});

test("a client and all that can be reached from it", async () => {
  raw.reset(reply(200, PAGE[200]));
  const client = new DigitalpayeAuth({ ...options, baseUrl: raw.url });
  const look = () => {
    for (const each of [client, client.getToken, client.constructor, Object.getPrototypeOf(client), [client], { client }]) {
      assert.equal(leak(each, [...FORMS, PAGE_TOKEN.token]), undefined);
    }
    assert.equal(JSON.stringify(client), "{}");
  };
  look();
  const pending = client.getToken();
  look();
  assert.equal(inspect(pending, { depth: Infinity, showHidden: true }).includes(credentials.apiSecret), false);
  await pending;
  look();
});

test("nothing is logged, by any outcome", async () => {
  const { stdout, stderr, result } = await inChild(async ({ url, credentials, body }) => {
    const { authenticate, DigitalpayeAuth } = await import("digitalpaye-auth");
    const options = { ...credentials, maxRetries: 1, timeout: 2_000 };
    const outcomes = [];
    const run = (more) => authenticate({ ...options, ...more }).then(() => outcomes.push("token"), (error) => outcomes.push(error.code));
    await run({ fetch: async () => new Response(body) });
    for (const status of [400, 401, 429, 503, 302]) await run({ fetch: async () => new Response(null, { status }) });
    await run({ fetch: async () => new Response("{") });
    await run({ fetch: () => { throw new Error("own"); } });
    await run({ fetch: () => new Promise(() => {}), timeout: 30 });
    await run({ apiKey: 5 });
    await run({ baseUrl: url });
    await new DigitalpayeAuth({ ...options, fetch: async () => new Response(body) }).getToken();
    return outcomes;
  }, { url: "http://127.0.0.1:1", credentials, body: PAGE[200] }, { flags: ["--trace-warnings"], env: { NODE_DEBUG: "" } });
  assert.deepEqual(result, ["token", "bad_request", "unauthorized", "rate_limited", "internal_server_error", "unexpected_status", "invalid_response", "network", "timeout", "invalid_options", "network"]);
  assert.equal(stderr, "");
  assert.equal(stdout.trim().split("\n").length, 1, "but for the result");
});

test("an error that nobody catches prints no secret", async () => {
  const { code, stdout, stderr } = await inChild(async ({ credentials, token }) => {
    const { authenticate } = await import("digitalpaye-auth");
    const body = JSON.stringify({ reason: `${credentials.apiSecret} is wrong`, data: { token } });
    await authenticate({ ...credentials, fetch: async () => new Response(body, { status: 401 }) });
  }, { credentials, token: TOKEN });
  assert.equal(code, 1);
  assert.match(stderr, /UnauthorizedError/);
  assert.equal(leak(stdout + stderr, [...FORMS, TOKEN, SIGNATURE]), undefined);
});

/** mulberry32: the same numbers in every run. */
function seeded(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe("5,000 mutated replies", () => {
  const random = seeded(20261124);
  const below = (count) => Math.floor(random() * count);
  const pick = (list) => list[below(list.length)];

  const valid = [
    PAGE[200], PAGE[400], PAGE[401], PAGE[500], success(TOKEN, 1_728_634_803), success("opaque+token/~==", 1_728_634_803),
    JSON.stringify({ statusCode: 401, reason: `secret ${credentials.apiSecret}`, data: { token: TOKEN, exp: 1_728_634_803 } }),
    JSON.stringify({ reason: FORMS[1], message: credentials.apiSecret }),
  ].map((text) => Buffer.from(text));
  const fragments = [
    '"statusCode":', '"data":', '"token":', '"exp":', '"reason":', "{", "}", "[", "]", ",", ":", '"', "\\", "\\u0000", "\\ud800", "null", "true", "-1", "0", "1e999", "1e-9",
    "9007199254740993", "\0", "\ufeff", "\u2028", "é", "😀", '"__proto__":', '{"":{}}', "[[[[[[[[", " ".repeat(300), "200", "401", "500", "1728634803",
  ].map((text) => Buffer.from(text));
  const statuses = [200, 200, 200, 200, 200, 400, 401, 403, 404, 408, 429, 500, 502, 503, 302, 201];

  function mutate(bytes, most = 4) {
    for (let left = 1 + below(most); left > 0; left -= 1) {
      const at = below(bytes.length + 1);
      const to = Math.min(bytes.length, at + below(pick([2, 8, 60])));
      const head = bytes.subarray(0, at);
      switch (below(6)) {
        case 0: bytes = Buffer.concat([head, Buffer.from([below(256)]), bytes.subarray(at + 1)]); break;
        case 1: bytes = Buffer.concat([head, bytes.subarray(to)]); break;
        case 2: bytes = Buffer.concat([head, pick(fragments), bytes.subarray(at)]); break;
        case 3: bytes = Buffer.concat([head, pick(fragments), bytes.subarray(to)]); break;
        case 4: bytes = Buffer.concat([head, bytes.subarray(at, to), bytes.subarray(at)]); break;
        default: bytes = Buffer.concat([head, pick(valid).subarray(below(200), 200 + below(200)), bytes.subarray(at)]);
      }
    }
    return bytes;
  }

  const headers = () => ({
    ...(random() < 0.3 && { Date: pick(["Sat, 12 Oct 2024 08:10:03 GMT", "nonsense", "", new Date(below(2 ** 31) * 1_000).toUTCString()]) }),
    ...(random() < 0.1 && { Age: String(below(1_000)) }),
    ...(random() < 0.2 && { "Retry-After": pick(["0", "1", "x", String(below(2 ** 31)), "Sat, 12 Oct 2024 08:10:03 GMT"]) }),
  });

  /** A token or an AuthError, and nothing in the error that does not belong there. */
  function checkOutcome({ token, error }, bytes) {
    if (error === undefined) {
      assert.deepEqual(Reflect.ownKeys(token), ["token", "exp"]);
      assert.match(token.token, /^[A-Za-z0-9\-._~+/]+=*$/);
      assert.ok(Number.isSafeInteger(token.exp));
      assert.ok(Object.isFrozen(token));
      return "token";
    }
    assert.ok(AuthError.is(error) && error instanceof AuthError, inspect(error));
    assert.ok(["bad_request", "unauthorized", "rate_limited", "internal_server_error", "unexpected_status", "invalid_response", "network"].includes(error.code), error.code);
    assert.equal(error.attempts, 1);
    if (error.reason !== undefined) assert.equal(typeof error.reason, "string");
    // The API's own words are its own: a mutation may have moved a token in there. Nothing else may show one.
    const own = error.reason === undefined ? [] : [TOKEN, PAGE_TOKEN.token].filter((each) => error.reason.includes(each));
    const forbidden = [...FORMS, TOKEN, PAGE_TOKEN.token].filter((each) => !own.includes(each));
    assert.equal(leak(error, forbidden), undefined, bytes.toString("latin1"));
    return error.code;
  }

  const outcomeOf = (call) => call.then((token) => ({ token }), (error) => ({ error }));

  test("4,000 bodies", async () => {
    const seen = {};
    for (let count = 0; count < 4_000; count += 1) {
      const bytes = mutate(pick(valid));
      const reply = { status: pick(statuses), headers: headers() };
      const outcome = await outcomeOf(authenticate({ ...options, fetch: async () => new Response(bytes, reply) }));
      const kind = checkOutcome(outcome, bytes);
      seen[kind] = (seen[kind] ?? 0) + 1;
    }
    // The mutations reach every way that there is.
    for (const kind of ["token", "bad_request", "unauthorized", "rate_limited", "internal_server_error", "unexpected_status", "invalid_response"]) {
      assert.ok(seen[kind] > 20, `${kind}: ${JSON.stringify(seen)}`);
    }
    assert.deepEqual(await authenticate({ ...options, fetch: async () => new Response(PAGE[200]) }), PAGE_TOKEN, "the instance works as before");
  });

  test("1,000 replies as bytes on a socket, heads and chunks included", async () => {
    const seen = {};
    for (let count = 0; count < 1_000; count += 1) {
      const body = pick(valid);
      const whole = random() < 0.5
        ? reply(pick(statuses), body, headers())
        : reply(pick(statuses), chunked([body.subarray(0, 50), body.subarray(50)]), { ...headers(), "Transfer-Encoding": "chunked" });
      const bytes = mutate(whole, pick([1, 1, 4]));
      raw.reset(bytes);
      const outcome = await outcomeOf(authenticate({ ...options, baseUrl: raw.url, timeout: 10_000 }));
      const kind = checkOutcome(outcome, bytes);
      seen[kind] = (seen[kind] ?? 0) + 1;
    }
    for (const kind of ["token", "unauthorized", "invalid_response", "network"]) assert.ok(seen[kind] > 5, `${kind}: ${JSON.stringify(seen)}`);
    raw.reset(reply(200, PAGE[200]));
    assert.deepEqual(await authenticate({ ...options, baseUrl: raw.url }), PAGE_TOKEN, "the instance works as before");
  });
});
