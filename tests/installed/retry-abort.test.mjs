// How a call is ended from outside: by its signal, at any moment of an exchange and of a wait.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { rejection } from "../lib/errors.mjs";
import { importInstalled } from "../lib/install.mjs";
import { startRaw } from "../lib/raw.mjs";
import { PAGE, PAGE_TOKEN, reply } from "../lib/replies.mjs";

const { authenticate } = await importInstalled();
const raw = await startRaw();
after(() => raw.stop());

const options = { apiKey: "key", apiSecret: "a secret of no importance" };

describe("abort", () => {
  const reasons = [new Error("mine"), "text", "", 0, null, false, NaN, 5n, Symbol("s"), { any: "object" }, () => {}, Object.freeze([])];

  /** Aborts a call in the middle of `script` once `when` has resolved, and checks that it ends in the same turn. */
  async function abortDuring(script, when, reason, more = {}) {
    raw.reset(...script);
    const controller = new AbortController();
    const call = authenticate({ ...options, baseUrl: raw.url, ...more }, { signal: controller.signal });
    let outcome;
    call.then((token) => (outcome = { token }), (error) => (outcome = { error }));
    await when();
    assert.equal(outcome, undefined, "it had not settled");
    controller.abort(reason);
    // A turn is over when its microtasks have run; none of them may depend on I/O or a timer.
    for (let microtask = 0; microtask < 20 && outcome === undefined; microtask += 1) await null;
    assert.ok(outcome, "it rejects in the same turn");
    assert.ok("error" in outcome);
    assert.ok(Object.is(outcome.error, controller.signal.reason));
    if (reason !== undefined) assert.ok(Object.is(outcome.error, reason));
    return outcome.error;
  }

  test("before the call: refused with the reason, nothing sent", async () => {
    raw.reset(reply(200, PAGE[200]));
    const before = raw.connections;
    for (const reason of [...reasons, undefined]) {
      const signal = AbortSignal.abort(reason);
      const error = await rejection(authenticate({ ...options, baseUrl: raw.url }, { signal }));
      assert.ok(Object.is(error, signal.reason));
    }
    assert.equal((await rejection(authenticate({ ...options, baseUrl: raw.url }, { signal: AbortSignal.abort() }))).name, "AbortError");
    assert.equal(raw.connections, before);
  });

  test("in the turn of the call: nothing is sent", async () => {
    let sent = 0;
    const controller = new AbortController();
    const call = authenticate({ ...options, fetch: async () => { sent += 1; return new Response(PAGE[200]); } }, { signal: controller.signal });
    controller.abort("changed my mind");
    assert.equal(await rejection(call), "changed my mind");
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(sent, 0);
  });

  test("while waiting for the reply: with any reason, and the server sees the connection close", async () => {
    for (const reason of [...reasons, undefined]) {
      const error = await abortDuring([() => {}], () => raw.request(1), reason);
      if (reason === undefined) assert.equal(error.name, "AbortError");
      await raw.requests[0].closed;
      assert.equal(raw.requests.length, 1);
    }
  });

  test("while the body comes", async () => {
    const half = (exchange) => exchange.write(reply(200, "{", { "Content-Length": 500 }));
    for (const script of [half, (exchange) => exchange.write(reply(503, "{", { "Content-Length": 500 }))]) {
      await abortDuring([script], async () => {
        await raw.request(1);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }, "no longer");
      await raw.requests[0].closed;
    }
  });

  test("during a wait before a retry: nothing more is sent", async () => {
    await abortDuring([reply(503, "", { "Retry-After": "1" })], async () => {
      await raw.request(1);
      await raw.requests[0].closed;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }, { any: "reason" });
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    assert.equal(raw.requests.length, 1);
  });

  test("after the call has settled: nothing", async () => {
    const controller = new AbortController();
    raw.reset(reply(200, PAGE[200]));
    assert.deepEqual(await authenticate({ ...options, baseUrl: raw.url }, { signal: controller.signal }), PAGE_TOKEN);
    controller.abort("too late");
    const failed = new AbortController();
    raw.reset(reply(401, PAGE[401]));
    const error = await rejection(authenticate({ ...options, baseUrl: raw.url }, { signal: failed.signal }));
    failed.abort("too late");
    assert.equal(error.code, "unauthorized");
  });

  test("AbortSignal.timeout and AbortSignal.any work as signals", async () => {
    raw.reset(() => {});
    const timeout = AbortSignal.timeout(50);
    const error = await rejection(authenticate({ ...options, baseUrl: raw.url }, { signal: timeout }));
    assert.equal(error, timeout.reason);
    assert.equal(error.name, "TimeoutError");
    // On a busy machine those 50 ms are over before the request is sent.
    raw.reset(() => {});
    const controller = new AbortController();
    const any = AbortSignal.any([controller.signal, AbortSignal.timeout(60_000)]);
    const call = authenticate({ ...options, baseUrl: raw.url }, { signal: any });
    await raw.request(1);
    controller.abort("one of them");
    assert.equal(await rejection(call), "one of them");
  });

  test("an event named abort on a signal that has not aborted ends nothing", async () => {
    const controller = new AbortController();
    raw.reset((exchange) => setTimeout(() => exchange.end(reply(200, PAGE[200])), 100), () => {});
    const call = authenticate({ ...options, baseUrl: raw.url }, { signal: controller.signal });
    controller.signal.dispatchEvent(new Event("abort"));
    assert.deepEqual(await call, PAGE_TOKEN);
    // And the real one still counts.
    const other = authenticate({ ...options, baseUrl: raw.url }, { signal: controller.signal });
    controller.signal.dispatchEvent(new Event("abort"));
    await raw.request(2);
    controller.abort("now");
    assert.equal(await rejection(other), "now");
  });

  test("one signal for many calls ends them all, and keeps no listener of those that settled", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const listeners = new Set();
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (type, listener, how) => { listeners.add(listener); return addEventListener.call(signal, type, listener, how); };
    signal.removeEventListener = (type, listener, how) => { listeners.delete(listener); return removeEventListener.call(signal, type, listener, how); };
    raw.reset(reply(200, PAGE[200]));
    for (let count = 0; count < 20; count += 1) await authenticate({ ...options, baseUrl: raw.url }, { signal });
    assert.equal(listeners.size, 0);
    raw.reset(() => {});
    const calls = Array.from({ length: 20 }, () => rejection(authenticate({ ...options, baseUrl: raw.url }, { signal })));
    await raw.request(20);
    controller.abort("all");
    assert.deepEqual(await Promise.all(calls), Array(20).fill("all"));
  });

  test("an abort of one call is none of another", async () => {
    const controller = new AbortController();
    raw.reset((exchange) => setTimeout(() => exchange.end(reply(200, PAGE[200])), 100));
    const one = authenticate({ ...options, baseUrl: raw.url }, { signal: controller.signal });
    const other = authenticate({ ...options, baseUrl: raw.url });
    controller.abort("one");
    assert.equal(await rejection(one), "one");
    assert.deepEqual(await other, PAGE_TOKEN);
  });
});
