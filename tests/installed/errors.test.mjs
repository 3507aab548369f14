// Every row of the error table, made for real: by the bytes on a socket, or by what a fetch rejects with.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import { createContext, runInContext } from "node:vm";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { CLASSES, rejection } from "../lib/errors.mjs";
import { importInstalled, installed, requireInstalled } from "../lib/install.mjs";
import { leak } from "../lib/leaks.mjs";
import { startRaw } from "../lib/raw.mjs";
import { PAGE, PAGE_TOKEN, chunked, failure, jwt, reply, success } from "../lib/replies.mjs";
import { freePort } from "../lib/server.mjs";

const api = await importInstalled();
const { authenticate, AuthError } = api;
const raw = await startRaw();
after(() => raw.stop());

const options = { apiKey: "key", apiSecret: "a secret of no importance", maxRetries: 0 };
const DATE = "Tue, 24 Nov 2026 12:00:00 GMT";

/** The error of one call against these bytes. */
function failing(script, more = {}) {
  raw.reset(...[script].flat());
  return rejection(authenticate({ ...options, baseUrl: raw.url, ...more }));
}

/** Checks all that an AuthError has, and that it has nothing else. */
function check(error, { code, retryable, attempts = 1, ...rest }) {
  assert.ok(error instanceof Error && error instanceof AuthError && AuthError.is(error));
  assert.equal(error.code, code, error.stack);
  assert.equal(error.constructor, api[CLASSES[code]]);
  assert.equal(error.name, CLASSES[code]);
  assert.equal(error.constructor.name, CLASSES[code]);
  assert.ok(error instanceof api[CLASSES[code]]);
  for (const other of Object.values(CLASSES)) assert.equal(error instanceof api[other], other === CLASSES[code]);
  assert.equal(error.retryable, retryable);
  assert.equal(error.attempts, attempts);
  assert.equal(typeof error.message, "string");
  assert.notEqual(error.message, "");
  assert.ok(error.stack.startsWith(`${error.name}: `), error.stack);
  assert.equal(String(error), `${error.name}: ${error.message}`);
  for (const name of ["status", "reason", "retryAfter", "option"]) {
    assert.equal(error[name], rest[name], name);
    assert.equal(name in error, name in rest, `${name} in error`);
  }
  if ("cause" in rest) {
    assert.ok(Object.hasOwn(error, "cause"));
    assert.ok(Object.is(error.cause, rest.cause));
    assert.ok(!Object.keys(error).includes("cause"), "as the language's own cause, it is not enumerable");
  }
  return error;
}

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

describe("the network", () => {
  test("nobody listens", async () => {
    const error = await rejection(authenticate({ ...options, baseUrl: `http://127.0.0.1:${await freePort()}` }));
    check(error, { code: "network", retryable: true });
    assert.equal(error.cause?.cause?.code, "ECONNREFUSED");
  });

  test("the host has no address", async () => {
    const error = await rejection(authenticate({ ...options, baseUrl: "http://no-such-host.localhost:9" }));
    check(error, { code: "network", retryable: true });
  });

  const scripts = {
    "closed without a reply": "",
    "reset without a reply": (exchange) => exchange.reset(),
    "closed within the head": "HTTP/1.1 200 OK\r\nContent-Le",
    "no HTTP at all": "SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "a bad header field": "HTTP/1.1 200 OK\r\nContent Length\r\n\r\n{}",
    "an endless head": (exchange) => exchange.pour(Buffer.from(`X-Filler: ${"x".repeat(1_000)}\r\n`.repeat(10)), 50_000_000),
  };
  for (const [name, script] of Object.entries(scripts)) {
    test(name, async () => {
      const start = name === "an endless head" ? (exchange) => { exchange.write("HTTP/1.1 200 OK\r\n"); script(exchange); } : script;
      const error = await failing([start]);
      check(error, { code: "network", retryable: true });
      assert.ok(error.cause instanceof Error);
    });
  }

  const body = PAGE[200];
  const broken = {
    "the body ends early": reply(200, body.slice(0, -3), { "Content-Length": Buffer.byteLength(body) }),
    "the body ends early, after a whole token": reply(200, body, { "Content-Length": Buffer.byteLength(body) + 1 }),
    // Had the server announced that it closes the connection, undici would take that for the end.
    "the last chunk is missing": Buffer.concat([Buffer.from("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), chunked([body], { last: false })]),
    "the chunks are none": reply(200, "zz\r\nnot a chunk", { "Transfer-Encoding": "chunked" }),
    "the connection is reset within the body": (exchange) => {
      exchange.write(reply(200, body.slice(0, 10), { "Content-Length": 500 }));
      setTimeout(() => exchange.reset(), 30);
    },
    "the body is not gzip": reply(200, body, { "Content-Encoding": "gzip" }),
    "the gzip is damaged": reply(200, gzipSync(body).fill(0, 30, 60), { "Content-Encoding": "gzip" }),
  };
  for (const [name, script] of Object.entries(broken)) {
    test(`${name}: the body broke off`, async () => {
      const error = await failing(script);
      check(error, { code: "network", status: 200, retryable: true });
      assert.ok(error.cause instanceof Error);
    });
  }

  test("it is tried again, and heals", async () => {
    for (const script of ["", reply(200, body.slice(0, -3), { "Content-Length": Buffer.byteLength(body) })]) {
      raw.reset(script, reply(200, body));
      assert.deepEqual(await authenticate({ ...options, baseUrl: raw.url, maxRetries: 1 }), PAGE_TOKEN);
      assert.equal(raw.requests.length, 2);
    }
  });

  test("cause is the very value that fetch rejected with", async () => {
    const custom = Object.assign(new RangeError("mine", { cause: { deep: 1 } }), { code: "HTTP_ERROR", data: "x" });
    const cyclic = new Error("cyclic");
    cyclic.cause = cyclic;
    const values = [
      new TypeError("fetch failed"), custom, cyclic, new DOMException("gone", "AbortError"), new AggregateError([new Error("a")], "all"),
      { any: "object" }, Object.freeze([1, 2]), Object.create(null), () => {}, "text", "", 0, -0, NaN, 5n, true, false, null, undefined, Symbol("s"),
      Promise.resolve(5), new Proxy({}, { get() { throw new Error("trap"); } }),
    ];
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    for (const value of [...values, proxy]) {
      for (const fetch of [() => Promise.reject(value), () => { throw value; }, async () => ({ status: 200, body: { getReader: () => ({ read: () => Promise.reject(value) }) } })]) {
        const error = await rejection(authenticate({ ...options, fetch }));
        assert.equal(error.code, "network");
        assert.ok(Object.hasOwn(error, "cause"));
        assert.ok(Object.is(error.cause, value), inspect(value));
      }
    }
  });

  test("a body's stream that errors gives its own error as cause", async () => {
    const reason = { own: true };
    const fetch = async () => new Response(new ReadableStream({ start: (controller) => controller.error(reason) }));
    check(await rejection(authenticate({ ...options, fetch })), { code: "network", status: 200, retryable: true, cause: reason });
  });

  describe("where undici's own error carries bytes of the reply", () => {
    const token = jwt({ iat: 1_000, exp: 1_600 });
    const scripts = {
      "after a bad header field": `HTTP/1.1 200 OK\r\nContent-Length: 300\r\nBad Header\r\n\r\n${success(token, 1_600)}`,
      "after a bad status line": `HTTP/9.9 200 OK\r\n\r\n${success(token, 1_600)}`,
      "at a bad chunk": `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n${success(token, 1_600)}`,
      "at a bad chunk after a good one": `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\nzz\r\n${success(token, 1_600)}`,
      "with the token in the head": `HTTP/1.1 200 OK\r\nBad Header\r\nX-Token: ${token}\r\n\r\n`,
    };

    /** The cause that undici gives, and the one that we do. */
    async function causes(script, authenticate, more) {
      raw.reset(script);
      let theirs = await fetch(raw.url, { method: "POST" }).then((response) => response.text()).then(() => undefined, (error) => error);
      const error = await rejection(authenticate({ ...options, baseUrl: raw.url, ...more }));
      assert.equal(error.code, "network");
      return { theirs, error };
    }
    const chain = (error) => {
      const list = [];
      for (let each = error; each !== undefined && list.length < 10; each = each.cause) list.push({ name: each.name, message: each.message, code: each.code });
      return list;
    };

    for (const [name, script] of Object.entries(scripts)) {
      test(name, async () => {
        const { theirs, error } = await causes(script, authenticate);
        assert.ok(leak(theirs, [token]), "this reply is one that undici puts into its error");
        assert.equal(leak(error, [token]), undefined);
        // Of the same name, message and code all along.
        assert.deepEqual(chain(error.cause), chain(theirs));
        assert.ok(chain(error.cause).some(({ code }) => /^HPE_[A-Z_]+$/.test(code)), "HPE_ code");
        assert.ok(error.cause instanceof Error && /\n\s+at /.test(error.cause.stack) || typeof error.cause.stack === "string");
      });
    }

    test("also when the parser gives its error no code, as newer releases do", async () => {
      const parser = Object.assign(new Error("Response does not match"), { name: "HTTPParserError", code: undefined, data: token });
      const theirs = new TypeError("terminated", { cause: parser });
      const error = await rejection(authenticate({ ...options, fetch: () => Promise.reject(theirs) }));
      assert.equal(leak(error, [token]), undefined);
      assert.deepEqual(chain(error.cause), chain(theirs));
    });

    test("also when the package was evaluated in another realm, as jest does", async () => {
      const source = readFileSync(join(await installed(), "node_modules", "digitalpaye-auth", "cjs", "index.cjs"), "utf8");
      const module = { exports: {} };
      const { URL, AbortController, AbortSignal, performance, setTimeout, clearTimeout, TextDecoder, TextEncoder, Request, Headers, crypto, queueMicrotask } = globalThis;
      const context = createContext({ URL, AbortController, AbortSignal, performance, setTimeout, clearTimeout, TextDecoder, TextEncoder, Request, Headers, crypto, queueMicrotask, module, require: undefined });
      runInContext(`(function (module, exports) {${source}\n})(module, module.exports)`, context);
      for (const script of Object.values(scripts)) {
        const { error } = await causes(script, module.exports.authenticate, { fetch });
        assert.equal(leak(error, [token]), undefined);
        assert.ok(chain(error.cause).some(({ code }) => /^HPE_[A-Z_]+$/.test(code)));
        // `instanceof` holds across realms as well.
        assert.ok(AuthError.is(error) && error instanceof api.NetworkError);
      }
      raw.reset(reply(200, PAGE[200]));
      assert.deepEqual({ ...(await module.exports.authenticate({ ...options, baseUrl: raw.url, fetch })) }, PAGE_TOKEN);
    });
  });
});

describe("the cap of 65,536 bytes, decoded", () => {
  const token = jwt({ iat: 1_000, exp: 1_600 });
  /** A good 200 of exactly so many bytes. */
  function sized(length) {
    const body = Buffer.alloc(length, 0x20);
    body.write(success(token, 1_600));
    return body;
  }
  const framings = {
    "by Content-Length": (body) => reply(200, body),
    "in chunks": (body) => reply(200, chunked([body.subarray(0, 1), body.subarray(1, 40_000), body.subarray(40_000)]), { "Transfer-Encoding": "chunked" }),
    "until the end": (body) => Buffer.concat([Buffer.from("HTTP/1.1 200 OK\r\n\r\n"), body]),
    "gzipped": (body) => reply(200, gzipSync(body), { "Content-Encoding": "gzip" }),
    "by brotli": (body) => reply(200, brotliCompressSync(body), { "Content-Encoding": "br" }),
  };
  for (const [name, framing] of Object.entries(framings)) {
    test(name, async () => {
      for (const length of [65_535, 65_536]) {
        raw.reset(framing(sized(length)));
        assert.deepEqual(await authenticate({ ...options, baseUrl: raw.url }), { token, exp: 1_600 }, String(length));
      }
      for (const length of [65_537, 131_072]) {
        check(await failing(framing(sized(length))), { code: "invalid_response", status: 200, retryable: false });
      }
    });
  }

  test("without a socket: in one chunk, in small ones, as arrayBuffer()", async () => {
    const shapes = {
      "one chunk": (body) => new Response(body),
      "many small chunks": (body) => new Response(new ReadableStream({
        start(controller) {
          for (let at = 0; at < body.length; at += 13) controller.enqueue(Uint8Array.from(body.subarray(at, at + 13)));
          controller.close();
        },
      })),
      "arrayBuffer()": (body) => ({ status: 200, headers: new Headers(), arrayBuffer: async () => Uint8Array.from(body).buffer }),
    };
    for (const [name, shape] of Object.entries(shapes)) {
      assert.deepEqual(await authenticate({ ...options, fetch: async () => shape(sized(65_536)) }), { token, exp: 1_600 }, name);
      check(await rejection(authenticate({ ...options, fetch: async () => shape(sized(65_537)) })), { code: "invalid_response", status: 200, retryable: false });
    }
  });

  test("a stream without end is hung up on", async () => {
    for (const head of ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 500 Internal Server Error\r\n\r\n"]) {
      let poured;
      const started = performance.now();
      const error = await failing(async (exchange) => {
        exchange.write(head);
        poured = await exchange.pour(Buffer.alloc(16_384, 0x20), 1e9);
      }, { timeout: 20_000 });
      const status = Number(head.slice(9, 12));
      check(error, status === 200
        ? { code: "invalid_response", status, retryable: false }
        : { code: "internal_server_error", status, retryable: true });
      await raw.requests[0].closed;
      assert.ok(performance.now() - started < 10_000);
      assert.ok(poured < 50e6, `${poured} bytes were taken: what the socket's buffers hold, and no more`);
    }
  });

  test("a bomb is not unpacked", async () => {
    const bomb = gzipSync(Buffer.alloc(100e6, 0x20), { level: 9 });
    assert.ok(bomb.length < 200_000);
    const before = process.memoryUsage();
    const error = await failing(reply(200, bomb, { "Content-Encoding": "gzip" }));
    check(error, { code: "invalid_response", status: 200, retryable: false });
    const after = process.memoryUsage();
    assert.ok(after.rss - before.rss < 60e6, `${(after.rss - before.rss) / 1e6} MB more`);
  });

  test("a stream of the caller's own is cancelled", async () => {
    let cancelled = 0;
    let pulled = 0;
    const body = new ReadableStream({
      pull(controller) {
        pulled += 1;
        controller.enqueue(new Uint8Array(1_000));
      },
      cancel() {
        cancelled += 1;
      },
    });
    check(await rejection(authenticate({ ...options, fetch: async () => new Response(body) })), { code: "invalid_response", status: 200, retryable: false });
    assert.equal(cancelled, 1);
    assert.ok(pulled >= 66 && pulled < 80, `${pulled} chunks`);
  });
});

describe("time-outs", () => {
  const HALF = reply(200, "{", { "Content-Length": 500 });
  const scripts = {
    "no reply": () => {},
    "half a head": (exchange) => exchange.write("HTTP/1.1 200 OK\r\nContent-"),
    "a head and no body": (exchange) => exchange.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
    "half a body": (exchange) => exchange.write(HALF),
    "a body byte by byte": (exchange) => {
      exchange.write(reply(200, "{", { "Content-Length": 60_000 }));
      const drip = setInterval(() => exchange.write(" "), 20);
      exchange.closed.then(() => clearInterval(drip));
    },
  };
  for (const [name, script] of Object.entries(scripts)) {
    test(`${name}: TimeoutError, in time, and the connection is closed`, async () => {
      const started = performance.now();
      const error = await failing([script], { timeout: 250, maxRetries: 5 });
      const took = performance.now() - started;
      check(error, { code: "timeout", retryable: true });
      assert.ok(took >= 245 && took < 3_000, `${took} ms`);
      assert.equal(raw.requests.length, 1);
      await raw.requests[0].closed;
    });
  }

  test("no connection", async () => {
    // A listener that does not accept, and whose backlog is full: who connects now gets neither yes nor no.
    const listener = spawn(process.execPath, ["-e", `
      const server = require("node:net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
        require("node:fs").writeSync(1, server.address().port + "\\n");
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30_000);
        process.exit();
      });
    `], { stdio: ["ignore", "pipe", "inherit"] });
    const fillers = [];
    try {
      const [line] = await once(listener.stdout, "data");
      const port = Number(line);
      for (let connected = true; connected && fillers.length < 50;) {
        const filler = connect(port, "127.0.0.1");
        fillers.push(filler);
        filler.on("error", () => {});
        connected = await Promise.race([once(filler, "connect").then(() => true), sleep(100, false)]);
      }
      const started = performance.now();
      const error = await rejection(authenticate({ ...options, baseUrl: `http://127.0.0.1:${port}`, timeout: 250 }));
      const took = performance.now() - started;
      check(error, { code: "timeout", retryable: true });
      assert.ok(took >= 245 && took < 3_000, `${took} ms`);
    } finally {
      for (const filler of fillers) filler.destroy();
      listener.kill("SIGKILL");
      await once(listener, "close");
    }
  });

  test("it bounds the whole call, attempts and waits together", async () => {
    let requests = 0;
    const started = performance.now();
    const error = await failing((exchange) => {
      requests += 1;
      setTimeout(() => exchange.end(reply(503, failure(503, "plus tard"))), 100);
    }, { timeout: 700, maxRetries: 10 });
    const took = performance.now() - started;
    assert.ok(["timeout", "internal_server_error"].includes(error.code), error.code);
    assert.ok(took < 3_000, `${took} ms`);
    assert.equal(error.attempts, requests);
    assert.ok(requests >= 2 && requests <= 7, `${requests} requests`);
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
