// Every row of the error table, made for real: by the bytes on a socket, or by what a fetch rejects with.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { CLASSES, rejection } from "../lib/errors.mjs";
import { importInstalled, requireInstalled } from "../lib/install.mjs";
import { leak } from "../lib/leaks.mjs";
import { check, failing, options, raw } from "../lib/raw-calls.mjs";
import { PAGE, PAGE_TOKEN, chunked, failure, reply } from "../lib/replies.mjs";

const api = await importInstalled();
const { authenticate, AuthError } = api;
const DATE = "Tue, 24 Nov 2026 12:00:00 GMT";

describe("by status", () => {
  const rows = [
    [[400], "bad_request", false],
    [[401], "unauthorized", false],
    [[429], "rate_limited", true],
    [[500, 501, 502, 503, 504, 507, 511, 520, 599], "internal_server_error", true],
    [[408], "unexpected_status", true],
    [[201, 202, 203, 204, 205, 206, 226, 300, 301, 302, 303, 304, 307, 308, 402, 403, 404, 405, 409, 410, 413, 418, 421, 425, 451, 499, 600, 700, 999], "unexpected_status", false],
  ];
  for (const [statuses, code, retryable] of rows) {
    for (const status of statuses) {
      test(`${status}: ${CLASSES[code]}`, async () => {
        const bodyless = [204, 205, 304].includes(status); // of which fetch drops what there is
        const body = bodyless ? "" : failure(status, `raison ${status}`);
        const error = await failing(reply(status, body, bodyless ? [["X-No", "body"]] : {}));
        check(error, { code, status, retryable, ...(bodyless ? {} : { reason: `raison ${status}` }) });
      });
    }
  }

  test("400 and 401, and all else that is not retryable, are sent once, however many retries there are", async () => {
    for (const status of [400, 401, 403, 404, 302, 204]) {
      const error = await failing(reply(status, status === 204 ? "" : failure(status, "non"), { "Retry-After": "0" }), { maxRetries: 10 });
      assert.equal(error.status, status);
      assert.equal(error.attempts, 1);
      assert.equal(error.retryAfter, 0);
      assert.equal(raw.requests.length, 1);
    }
    const broken = await failing(reply(200, "{}"), { maxRetries: 10 });
    check(broken, { code: "invalid_response", status: 200, retryable: false });
    assert.equal(raw.requests.length, 1);
  });

  test("a status outside of what Response allows, by a fetch of the caller's own", async () => {
    for (const status of [-1, 1, 100, 199, 600, 1_000, 2 ** 40]) {
      const error = await rejection(authenticate({ ...options, fetch: async () => ({ status, headers: new Headers(), body: null }) }));
      check(error, { code: "unexpected_status", status, retryable: false });
    }
  });

  test("an opaque redirect, of which a page is not shown the status", async () => {
    const opaque = { status: 0, type: "opaqueredirect", headers: new Headers(), body: null, ok: false };
    check(await rejection(authenticate({ ...options, fetch: async () => opaque })), { code: "unexpected_status", retryable: false });
  });

  // The platform's fetch rejects in its place; one of the caller's own, a mock or a service worker's, may hand it out.
  test("Response.error() is a failure of the network, and tried again", async () => {
    let calls = 0;
    const error = await rejection(authenticate({ ...options, maxRetries: 1, fetch: async () => Response.error(calls += 1) }));
    check(error, { code: "network", retryable: true, attempts: 2 });
    assert.equal(calls, 2);
  });
});

describe("HTTP's status decides, whatever the body is", () => {
  const HTML = "<!doctype html><html><body><h1>502 Bad Gateway</h1></body></html>";
  const large = Buffer.alloc(65_537, 0x20);
  large.write(failure(500, "too far away to be read"));

  const bodies = {
    "HTML": (status) => reply(status, HTML, { "Content-Type": "text/html" }),
    "empty": (status) => reply(status),
    "a token": (status) => reply(status, PAGE[200]),
    "too large": (status) => reply(status, large),
    "too large, and compressed": (status) => reply(status, gzipSync(large), { "Content-Encoding": "gzip" }),
    "broken off": (status) => reply(status, failure(status, "cut").slice(0, -5), { "Content-Length": 500 }),
    "broken off, though it would be JSON so far": (status) => reply(status, failure(status, "cut"), { "Content-Length": 500 }),
    "broken off within a chunk": (status) => reply(status, chunked([failure(status, "cut")], { last: false }).subarray(0, -8), { "Transfer-Encoding": "chunked" }),
    "reset": (status) => (exchange) => {
      exchange.write(reply(status, "{", { "Content-Length": 500 }));
      setTimeout(() => exchange.reset(), 30);
    },
    "not what Content-Encoding says": (status) => reply(status, failure(status, "plain"), { "Content-Encoding": "gzip" }),
    "gzip cut off": (status) => reply(status, gzipSync(failure(status, "cut")).subarray(0, 20), { "Content-Encoding": "gzip" }),
    "brotli nonsense": (status) => reply(status, "nonsense nonsense nonsense", { "Content-Encoding": "br" }),
    "chunks that are none": (status) => reply(status, "zz\r\nnot a chunk", { "Transfer-Encoding": "chunked" }),
    "reason no string": (status) => reply(status, `{"reason":{"text":"x"}}`),
    "a list": (status) => reply(status, `["reason"]`),
    "null": (status) => reply(status, "null"),
  };
  const rows = [[400, "bad_request", false], [401, "unauthorized", false], [502, "internal_server_error", true], [429, "rate_limited", true], [404, "unexpected_status", false]];
  for (const [name, script] of Object.entries(bodies)) {
    test(`${name}: by status, without reason`, async () => {
      for (const [status, code, retryable] of rows) check(await failing(script(status)), { code, status, retryable });
    });
  }

  test("not there in time: by status, without reason, at the deadline", async () => {
    for (const [status, code, retryable] of rows) {
      const started = performance.now();
      const error = await failing((exchange) => exchange.write(reply(status, '{"reason":"half', { "Content-Length": 500, "Retry-After": "7" })), { timeout: 250, maxRetries: 3 });
      const took = performance.now() - started;
      check(error, { code, status, retryable, retryAfter: 7 });
      assert.ok(took >= 245 && took < 3_000, `${took} ms`);
      assert.equal(raw.requests.length, 1);
      await raw.requests[0].closed;
    }
  });

  test("a body of the right form gives its reason, in any encoding, with or without the rest", async () => {
    const reason = "Clé refusée – 不可 😀";
    const body = JSON.stringify({ reason });
    for (const script of [
      reply(401, body),
      reply(401, `\ufeff${body}`),
      reply(401, gzipSync(body), { "Content-Encoding": "gzip" }),
      reply(401, brotliCompressSync(body), { "Content-Encoding": "br" }),
      reply(401, chunked([...Buffer.from(body)].map((byte) => Buffer.from([byte]))), { "Transfer-Encoding": "chunked" }),
    ]) {
      check(await failing(script), { code: "unauthorized", status: 401, retryable: false, reason });
    }
  });

  test("reason is the API's own words, untouched", async () => {
    for (const reason of ["", " ", "\n", "a\u0000b\u001b[31m", "\ud800 alone", "e\u0301", "\ufeffx", "x".repeat(60_000), "__proto__", "<script>"]) {
      const error = await failing(reply(400, JSON.stringify({ reason })));
      assert.equal(error.reason, reason);
      assert.equal(error.status, 400);
    }
  });

  test("reason is left out when it holds the secret or the Basic value, and only then", async () => {
    const { apiKey, apiSecret } = { apiKey: "key", apiSecret: "s3cr3t/é+=" };
    const basic = Buffer.from(`${apiKey}:${apiSecret}`).toString("base64");
    for (const reason of [apiSecret, `wrong secret ${apiSecret}!`, basic, `Authorization: Basic ${basic}`, `\ud800${apiSecret}`]) {
      for (const body of [JSON.stringify({ reason }), JSON.stringify({ reason }).replace(/[a-z0-9]/gi, (one) => `\\u00${one.charCodeAt(0).toString(16)}`).replace(/^.*?:/, '{"reason":')]) {
        const error = await failing(reply(401, body), { apiKey, apiSecret });
        check(error, { code: "unauthorized", status: 401, retryable: false });
        assert.equal(leak(error, [apiSecret, basic]), undefined);
      }
    }
    for (const reason of [apiKey, "s3cr3t/e\u0301+=", "S3CR3T/É+=", "Basic"]) {
      assert.equal((await failing(reply(401, JSON.stringify({ reason })), { apiKey, apiSecret })).reason, reason);
    }
    // The body's own statusCode gives a reason too.
    const inner = await failing(reply(200, failure(401, `wrong secret ${apiSecret}`)), { apiKey, apiSecret });
    check(inner, { code: "unauthorized", status: 401, retryable: false });
  });
});

describe("the classes", () => {
  test("are exported, extend AuthError, and keep their names", async () => {
    assert.deepEqual(
      Object.keys(api).sort(),
      ["AuthError", "DigitalpayeAuth", "authenticate", ...Object.values(CLASSES)].sort(),
    );
    for (const [code, name] of Object.entries(CLASSES)) {
      assert.equal(api[name].name, name);
      assert.ok(api[name].prototype instanceof AuthError);
      assert.equal(Object.getPrototypeOf(api[name]), AuthError);
      const made = new api[name]("made by hand", { status: 503, attempts: 2, cause: 5 });
      assert.deepEqual([made.name, made.code, made.status, made.attempts, made.cause, made.message], [name, code, 503, 2, 5, "made by hand"]);
      assert.ok(made instanceof api[name] && AuthError.is(made));
    }
    assert.equal(AuthError.name, "AuthError");
    assert.equal(api.DigitalpayeAuth.name, "DigitalpayeAuth");
    assert.equal(authenticate.name, "authenticate");
    assert.ok(AuthError.prototype instanceof Error);
  });

  test("of the ESM and of the CJS copy know each other's errors", async () => {
    const cjs = await requireInstalled();
    assert.notEqual(cjs.AuthError, AuthError, "these are two copies");
    assert.deepEqual(Object.keys(cjs).filter((name) => name !== "__esModule").sort(), Object.keys(api).sort());
    for (const [from, to] of [[api, cjs], [cjs, api]]) {
      raw.reset(reply(401, PAGE[401]));
      const error = await rejection(from.authenticate({ ...options, baseUrl: raw.url }));
      assert.ok(error instanceof to.AuthError);
      assert.ok(error instanceof to.UnauthorizedError);
      assert.ok(!(error instanceof to.BadRequestError));
      assert.ok(to.AuthError.is(error));
      assert.ok(error instanceof from.UnauthorizedError);
    }
    raw.reset(reply(200, PAGE[200]));
    assert.deepEqual(await cjs.authenticate({ ...options, baseUrl: raw.url }), PAGE_TOKEN);
  });

  test("AuthError.is says no to everything else, and never throws", () => {
    const { proxy: revoked, revoke } = Proxy.revocable({}, {});
    revoke();
    const trapped = new Proxy({}, Object.fromEntries(["get", "has", "getPrototypeOf", "getOwnPropertyDescriptor", "ownKeys"].map((trap) => [trap, () => { throw new Error(trap); }])));
    const others = [
      undefined, null, true, 0, 5n, "network", Symbol("s"), {}, [], () => {}, new Error("x"), new TypeError("x"), Object.create(null),
      { code: "network", name: "NetworkError", message: "x", attempts: 1 }, revoked, trapped, AuthError, api.NetworkError,
    ];
    for (const value of others) assert.equal(AuthError.is(value), false, typeof value);
    for (const value of others.slice(0, -4)) {
      assert.equal(value instanceof AuthError, false);
      assert.equal(value instanceof api.NetworkError, false);
    }
  });

  test("a class derived from one of ours has instances of its own only", async () => {
    class Mine extends api.NetworkError {}
    assert.ok(new Mine("x") instanceof Mine);
    assert.ok(new Mine("x") instanceof api.NetworkError);
    assert.ok(!(new api.NetworkError("x") instanceof Mine));
    assert.ok(!((await failing("")) instanceof Mine));
  });

  test("errors survive what loggers do to them", async () => {
    const error = await failing(reply(429, failure(429, "trop"), { "Retry-After": "3" }));
    assert.deepEqual(JSON.parse(JSON.stringify(error)), { code: "rate_limited", retryable: true, attempts: 1, status: 429, reason: "trop", retryAfter: 3 });
    const clone = structuredClone(error);
    assert.equal(clone.message, error.message);
    assert.match(inspect(error), /RateLimitError: .*429/);
    assert.match(inspect(error), /attempts: 1/);
  });

  test("every call has an error object of its own", async () => {
    const cause = new Error("shared");
    const fetch = () => Promise.reject(cause);
    const [a, b] = await Promise.all([rejection(authenticate({ ...options, fetch })), rejection(authenticate({ ...options, fetch }))]);
    assert.notEqual(a, b);
    assert.equal(a.cause, b.cause);
  });
});

test("Retry-After is given with every error that has it", async () => {
  const rows = [
    ["0", 0], ["1", 1], ["120", 120], [" 5 ", 5], ["007", 7], ["86400", 86_400],
    ["Tue, 24 Nov 2026 12:00:10 GMT", 10], ["Tuesday, 24-Nov-26 12:00:10 GMT", 10], ["Tue Nov 24 12:00:10 2026", 10],
    ["1.5", 2], ["1.0", 1], ["0.001", 1], ["1, 2", 1], ["2,2", 2], ["Tue, 24 Nov 2026 12:00:10 GMT, Tue, 24 Nov 2026 12:00:30 GMT", 10],
    ["Tue, 24 Nov 2026 11:59:50 GMT", 0], ["Wed, 25 Nov 2026 12:00:00 GMT", 86_400],
    ["", undefined], ["1.", undefined], [".5", undefined], ["1.2.3", undefined], [", 2", undefined], ["-1", undefined], ["soon", undefined], ["1s", undefined], ["0x10", undefined], ["1e3", undefined],
    ["Tue, 24 Nov 2026 12:00:10 +0100", undefined], ["2026-11-24T12:00:10Z", undefined], ["٣", undefined],
  ];
  for (const [text, seconds] of rows) {
    for (const status of [429, 503, 401, 404]) {
      const fetch = async () => new Response(failure(status, "raison"), { status, headers: { Date: DATE, "X-Retry-After": text } });
      // Response refuses header values that a socket lets pass.
      const headers = { get: (name) => ({ date: DATE, "retry-after": text })[name.toLowerCase()] ?? null };
      const own = async () => ({ status, headers, body: (await fetch().catch(() => new Response(""))).body });
      const error = await rejection(authenticate({ ...options, fetch: own }));
      assert.equal(error.status, status);
      assert.equal(error.retryAfter, seconds, `Retry-After: ${text}`);
      assert.equal("retryAfter" in error, seconds !== undefined);
    }
  }
  const huge = await failing(reply(503, "", { "Retry-After": "9".repeat(400) }));
  assert.ok(Number.isFinite(huge.retryAfter) && huge.retryAfter > 1e9);

  // Without Date it is the local clock that a date is read against.
  const error = await failing(reply(503, "", { "Retry-After": new Date(Date.now() + 60_000).toUTCString() }));
  assert.ok(error.retryAfter > 55 && error.retryAfter <= 60, String(error.retryAfter));
  const ahead = await failing(reply(429, "", { "Retry-After": "Tue, 24 Nov 2026 12:00:30 GMT", Date: DATE }));
  assert.equal(ahead.retryAfter, 30);
});
