// An abort ends one caller's wait; the exchange ends only when nobody waits.
import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, test } from "node:test";
import { api, apiPerTest, client } from "../lib/client.mjs";
import { importInstalled } from "../lib/install.mjs";
import { credentials, sleep, track, until } from "../lib/tokens.mjs";

const { authenticate, InvalidOptionsError } = await importInstalled();
apiPerTest();

const listeners = (signal) => getEventListeners(signal, "abort").length;

/** What is rejected by the time that the turn of the abort is over: before a microtask that is queued right after it. */
async function abortedInTheSameTurn(promise, abort) {
  const order = [];
  const outcome = promise.then(
    () => assert.fail("it resolved"),
    (error) => {
      order.push("rejected");
      return error;
    },
  );
  await null;
  abort();
  queueMicrotask(() => order.push("next"));
  const error = await outcome;
  await null;
  assert.deepEqual(order, ["rejected", "next"]);
  return error;
}

describe("one among many", () => {
  test("is rejected in the same turn, with its own reason; the others get their token from the one exchange", async () => {
    api.answer = () => {};
    const auth = client();
    const controller = new AbortController();
    const reason = new Error("no longer wanted");
    const others = Array.from({ length: 50 }, () => track(auth.getToken({ signal: new AbortController().signal })));
    const one = auth.getToken({ signal: controller.signal });
    const exchange = await api.exchange(1);
    assert.equal(await abortedInTheSameTurn(one, () => controller.abort(reason)), reason);
    await sleep(30);
    assert.equal(exchange.hungUp, false);
    assert.ok(others.every(({ state }) => state === "pending"));
    const token = exchange.token();
    await Promise.all(others.map(({ settled }) => settled));
    assert.ok(others.every(({ value }) => value?.token === token));
    assert.equal(api.count, 1);
  });

  test("also when it is the one that began the exchange", async () => {
    api.answer = () => {};
    const auth = client();
    const controller = new AbortController();
    const leader = auth.getToken({ signal: controller.signal });
    const other = track(auth.getToken());
    const exchange = await api.exchange(1);
    const reason = await abortedInTheSameTurn(leader, () => controller.abort());
    assert.equal(reason, controller.signal.reason);
    assert.equal(reason.name, "AbortError");
    await sleep(30);
    const token = exchange.token();
    await other.settled;
    assert.equal(other.value?.token, token);
    assert.equal(api.count, 1);
  });

  test("each with its own reason, whatever value that is", async () => {
    api.answer = () => {};
    const auth = client();
    const reasons = ["a text", 0, false, null, Symbol("reason"), { code: 7 }, new TypeError("mine")];
    const held = auth.getToken();
    const exchange = await api.exchange(1);
    for (const reason of reasons) {
      const controller = new AbortController();
      const call = auth.getToken({ signal: controller.signal });
      assert.equal(await abortedInTheSameTurn(call, () => controller.abort(reason)), reason);
    }
    exchange.token();
    await held;
    assert.equal(api.count, 1);
  });

  test("AbortSignal.timeout and AbortSignal.any end the wait with their reasons", async () => {
    api.answer = () => {};
    const auth = client();
    const other = track(auth.getToken());
    await assert.rejects(auth.getToken({ signal: AbortSignal.timeout(20) }), { name: "TimeoutError" });
    if (AbortSignal.any) {
      const controller = new AbortController();
      const call = auth.getToken({ signal: AbortSignal.any([controller.signal, AbortSignal.timeout(60_000)]) });
      const reason = new Error("either");
      assert.equal(await abortedInTheSameTurn(call, () => controller.abort(reason)), reason);
    }
    (await api.exchange(1)).token();
    await other.settled;
    assert.equal(other.state, "resolved");
  });

  test("one signal of many calls ends them all, and no other", async () => {
    api.answer = () => {};
    const auth = client();
    const controller = new AbortController();
    const order = [];
    const mine = Array.from({ length: 20 }, (_, index) =>
      auth.getToken({ signal: controller.signal }).catch((reason) => order.push([index, reason])),
    );
    const other = track(auth.getToken());
    const exchange = await api.exchange(1);
    controller.abort("all of them");
    await Promise.all(mine);
    assert.deepEqual(order, Array.from({ length: 20 }, (_, index) => [index, "all of them"]));
    exchange.token();
    await other.settled;
    assert.equal(other.state, "resolved");
    assert.equal(api.count, 1);
  });

  test("of 1,000 with every other one aborted, the rest get their token from 1 request", async () => {
    api.answer = () => {};
    const auth = client();
    const controllers = Array.from({ length: 1_000 }, () => new AbortController());
    const calls = controllers.map(({ signal }) => track(auth.getToken({ signal })));
    const exchange = await api.exchange(1);
    for (const [index, controller] of controllers.entries()) if (index % 2) controller.abort(index);
    await sleep(0);
    const token = exchange.token();
    await Promise.all(calls.map(({ settled }) => settled));
    assert.ok(calls.every(({ value, error }, index) => (index % 2 ? error === index : value?.token === token)));
    assert.equal(api.count, 1);
  });

  test("does not end the wait of another client with the same server", async () => {
    api.answer = () => {};
    const controller = new AbortController();
    const [one, other] = [client(), client()];
    const aborted = track(one.getToken({ signal: controller.signal }));
    const waiting = track(other.getToken());
    await api.exchange(2);
    controller.abort();
    await aborted.settled;
    await until(() => api.exchanges.some(({ hungUp }) => hungUp));
    const open = api.exchanges.filter(({ hungUp }) => !hungUp);
    assert.equal(open.length, 1);
    open[0].token();
    await waiting.settled;
    assert.equal(waiting.state, "resolved");
  });
});

describe("abort of all", () => {
  test("cancels the exchange: the server sees the connection close", async () => {
    api.answer = () => {};
    const auth = client();
    const controllers = [new AbortController(), new AbortController(), new AbortController()];
    const calls = controllers.map(({ signal }) => track(auth.getToken({ signal })));
    const exchange = await api.exchange(1);
    controllers[0].abort();
    controllers[2].abort();
    await sleep(30);
    assert.equal(exchange.hungUp, false, "one still waits");
    controllers[1].abort();
    assert.equal(await exchange.closed, true);
    assert.ok(calls.every(({ state }) => state === "rejected"));
    assert.equal(api.count, 1);
  });

  test("also in the middle of a reply", async () => {
    api.answer = (exchange) => exchange.begin(200);
    const auth = client();
    const controller = new AbortController();
    const call = auth.getToken({ signal: controller.signal });
    const exchange = await api.exchange(1);
    await sleep(30);
    await abortedInTheSameTurn(call, () => controller.abort());
    assert.equal(await exchange.closed, true);
  });

  test("also before the request is out", async () => {
    const auth = client();
    const controller = new AbortController();
    const call = auth.getToken({ signal: controller.signal });
    controller.abort("never mind");
    await assert.rejects(call, (reason) => reason === "never mind");
    await sleep(50);
    assert.ok(api.exchanges.every(({ hungUp }) => hungUp));
  });

  test("also during the wait before a retry: no further request", async () => {
    api.answer = (exchange) => exchange.fail(503, { "Retry-After": "1" });
    const auth = client({ maxRetries: 5 });
    const controller = new AbortController();
    const call = auth.getToken({ signal: controller.signal });
    await (await api.exchange(1)).closed;
    await sleep(30);
    await abortedInTheSameTurn(call, () => controller.abort());
    await sleep(1_100);
    assert.equal(api.count, 1);
  });

  test("a later call begins an exchange of its own", async () => {
    api.answer = (exchange) => exchange.n > 1 && exchange.token();
    const auth = client();
    const controller = new AbortController();
    const call = track(auth.getToken({ signal: controller.signal }));
    await api.exchange(1);
    controller.abort();
    const next = auth.getToken();
    await call.settled;
    assert.equal((await next).token, api.tokens[0]);
    assert.equal(api.count, 2);
  });

  test("a call made by whoever sees the rejection begins an exchange of its own", async () => {
    api.answer = (exchange) => exchange.n > 1 && exchange.token();
    const auth = client();
    const controller = new AbortController();
    const call = auth.getToken({ signal: controller.signal }).catch(() => auth.getToken());
    await api.exchange(1);
    controller.abort();
    assert.equal((await call).token, api.tokens[0]);
    assert.equal(api.count, 2);
  });

  test("of forceRefresh callers keeps the held token", async () => {
    const auth = client();
    const { token } = await auth.getToken();
    api.answer = () => {};
    const controller = new AbortController();
    const call = auth.getToken({ forceRefresh: true, signal: controller.signal });
    const exchange = await api.exchange(2);
    await abortedInTheSameTurn(call, () => controller.abort());
    assert.equal(await exchange.closed, true);
    assert.equal((await auth.getToken()).token, token);
    assert.equal(api.count, 2);
  });
});

describe("a signal that has aborted already", () => {
  test("is refused with its reason, and nothing is sent", async () => {
    const auth = client();
    const reason = new Error("too late");
    await assert.rejects(auth.getToken({ signal: AbortSignal.abort(reason) }), (error) => error === reason);
    await assert.rejects(auth.getToken({ signal: AbortSignal.abort() }), { name: "AbortError" });
    await assert.rejects(authenticate({ ...credentials, baseUrl: api.url }, { signal: AbortSignal.abort(reason) }), (error) => error === reason);
    await sleep(30);
    assert.equal(api.count, 0);
  });

  test("is refused even when a token is held", async () => {
    const auth = client();
    await auth.getToken();
    await assert.rejects(auth.getToken({ signal: AbortSignal.abort("held or not") }), (reason) => reason === "held or not");
    await assert.rejects(auth.getToken({ signal: AbortSignal.abort(7), forceRefresh: true }), (reason) => reason === 7);
    assert.equal(api.count, 1);
  });

  test("does not disturb those who wait", async () => {
    api.answer = () => {};
    const auth = client();
    const other = track(auth.getToken());
    const exchange = await api.exchange(1);
    await assert.rejects(auth.getToken({ signal: AbortSignal.abort() }));
    const token = exchange.token();
    await other.settled;
    assert.equal(other.value?.token, token);
  });
});

describe("an abort that comes too late", () => {
  test("changes nothing", async () => {
    const auth = client();
    const controller = new AbortController();
    const { token } = await auth.getToken({ signal: controller.signal });
    controller.abort();
    assert.equal((await auth.getToken()).token, token);
    assert.equal(api.count, 1);
  });
});

describe("listeners on a caller's signal", () => {
  const settlings = {
    "a token": { answer: (exchange) => exchange.token() },
    "an error": { answer: (exchange) => exchange.fail(503) },
    "a time-out": { answer: () => {}, options: { timeout: 100 } },
    "an abort": { answer: () => {}, end: (auth, controller) => controller.abort() },
    "a dispose": { answer: () => {}, end: (auth) => auth[Symbol.dispose]() },
  };
  for (const [name, { answer, options, end }] of Object.entries(settlings)) {
    test(`are gone after ${name}`, async () => {
      api.answer = answer;
      const auth = client(options);
      const controller = new AbortController();
      const calls = Array.from({ length: 5 }, () => track(auth.getToken({ signal: controller.signal })));
      assert.ok(listeners(controller.signal) >= 1);
      await api.exchange(1);
      end?.(auth, controller);
      await Promise.all(calls.map(({ settled }) => settled));
      assert.equal(listeners(controller.signal), 0);
    });
  }

  test("are not added for a token that is held", async () => {
    const auth = client();
    await auth.getToken();
    const { signal } = new AbortController();
    const call = auth.getToken({ signal });
    assert.equal(listeners(signal), 0);
    await call;
  });

  test("are kept for those who still wait with it", async () => {
    api.answer = () => {};
    const { signal } = new AbortController();
    const [one, other] = [client(), client()];
    const calls = [track(one.getToken({ signal })), track(other.getToken({ signal }))];
    const exchange = await api.exchange(1);
    await api.exchange(2);
    exchange.token();
    await Promise.race(calls.map(({ settled }) => settled));
    assert.equal(listeners(signal), 1);
    api.exchanges[1].token();
    await Promise.all(calls.map(({ settled }) => settled));
    assert.equal(listeners(signal), 0);
  });

  test("of one signal given to 50 calls raise no warning", async () => {
    const warnings = [];
    const note = (warning) => warnings.push(warning.name);
    process.on("warning", note);
    const { signal } = new AbortController();
    const auth = client();
    await Promise.all(Array.from({ length: 50 }, () => auth.getToken({ signal })));
    await sleep(0);
    process.off("warning", note);
    assert.deepEqual(warnings, []);
    assert.equal(listeners(signal), 0);
  });

  test("an event that somebody else dispatches is no abort", async () => {
    api.answer = () => {};
    const auth = client();
    const controller = new AbortController();
    const call = track(auth.getToken({ signal: controller.signal }));
    const exchange = await api.exchange(1);
    controller.signal.dispatchEvent(new Event("abort"));
    await sleep(0);
    assert.equal(call.state, "pending");
    controller.abort("now");
    await call.settled;
    assert.equal(call.error, "now");
    assert.equal(await exchange.closed, true);
  });
});

for (const value of [null, {}, "signal", new AbortController()]) {
  test(`a signal that is no AbortSignal (${Object.prototype.toString.call(value)}) is an option at fault, held token or not`, async () => {
    const auth = client();
    const fault = (error) => error instanceof InvalidOptionsError && error.option === "signal";
    await assert.rejects(auth.getToken({ signal: value }), fault);
    assert.equal(api.count, 0);
    await auth.getToken();
    await assert.rejects(auth.getToken({ signal: value }), fault);
  });
}
