// Failures of the network: nobody there, a connection that breaks, a body without end, an answer that does not come.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import { createContext, runInContext } from "node:vm";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { rejection } from "../lib/errors.mjs";
import { importInstalled, installed } from "../lib/install.mjs";
import { leak } from "../lib/leaks.mjs";
import { check, failing, options, raw } from "../lib/raw-calls.mjs";
import { PAGE, PAGE_TOKEN, chunked, failure, jwt, reply, success } from "../lib/replies.mjs";
import { freePort } from "../lib/server.mjs";

const api = await importInstalled();
const { authenticate, AuthError } = api;

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
