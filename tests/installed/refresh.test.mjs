// A refresh behind the callers' backs: who sees it fail, when the next is made, and what it keeps alive. In virtual time.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { importInstalled } from "../lib/install.mjs";
import { SECOND, api, holding, now, servedAtOnce, time, virtualApiPerTest } from "../lib/virtual-client.mjs";

const { InternalServerError } = await importInstalled();
virtualApiPerTest();

describe("a refresh behind the callers' backs that fails", () => {
  test("is seen by nobody, and the next waits 5, 10, 20, then 30 s", async () => {
    const { auth, token, at } = await holding(3_600);
    api.answer = (exchange) => exchange.fail(503);
    await at(3_480.5);
    const begun = api.count;
    while (time.now() < api.exchanges[0].at + 3_589 * SECOND) {
      await servedAtOnce(auth, token);
      await time.advance(100);
    }
    const starts = api.exchanges.slice(begun).map((exchange) => exchange.at / SECOND);
    const waits = starts.slice(1).map((start, index) => start - starts[index]);
    assert.equal(waits.length, 5);
    for (const [index, wait] of [5, 10, 20, 30, 30].entries()) {
      assert.ok(waits[index] >= wait && waits[index] <= wait + 0.2, `${waits}`);
    }
  });

  for (const [name, fail] of Object.entries({
    "by the network": (exchange) => exchange.reject(new TypeError("fetch failed")),
    "with 401": (exchange) => exchange.fail(401),
    "with a reply that is no token": (exchange) => exchange.reply(200, "{}"),
    "with a token that has already expired": (exchange) => exchange.token(0),
  })) {
    test(`${name}: the same`, async () => {
      const { auth, token, at } = await holding(600);
      api.answer = fail;
      await at(481);
      for (let call = 0; call < 49; call += 1) {
        await servedAtOnce(auth, token);
        await time.advance(100);
      }
      assert.equal(api.count, 2);
      await time.advance(200);
      await servedAtOnce(auth, token);
      assert.equal(api.count, 3);
    });
  }

  test("counts with its retries as one", async () => {
    const { auth, token, at } = await holding(600, { maxRetries: 2 });
    api.answer = (exchange) => exchange.fail(503);
    await at(481);
    for (let call = 0; call < 49; call += 1) {
      await servedAtOnce(auth, token);
      await time.advance(100);
    }
    assert.equal(api.count, 4);
  });

  test("waits for as long as Retry-After says, where that is longer", async () => {
    const { auth, token, at } = await holding(3_600);
    api.answer = (exchange) => exchange.fail(429, { "Retry-After": "60" });
    await at(3_485);
    await servedAtOnce(auth, token);
    await time.advance(59_000);
    await servedAtOnce(auth, token);
    assert.equal(api.count, 2);
    await time.advance(1_100);
    await servedAtOnce(auth, token);
    assert.equal(api.count, 3);
  });

  test("is forgotten with the next success", async () => {
    const { auth, at } = await holding(600);
    api.answer = (exchange) => exchange.fail(503);
    await at(481);
    await now(auth);
    await time.advance(5_001);
    await now(auth);
    await time.advance(10_001);
    api.answer = (exchange) => exchange.token(600);
    await now(auth);
    assert.equal(api.count, 4);
    const next = api.last.granted;
    api.answer = (exchange) => exchange.fail(503);
    await time.advance(481 * SECOND);
    await servedAtOnce(auth, next);
    assert.equal(api.count, 5);
    await time.advance(4_900);
    await servedAtOnce(auth, next);
    assert.equal(api.count, 5);
    await time.advance(200);
    await servedAtOnce(auth, next);
    assert.equal(api.count, 6);
  });

  test("leaves no unhandled rejection, nor does the token's end, and then the error is everybody's", async () => {
    const { auth, token, at } = await holding(600);
    api.answer = (exchange) => exchange.fail(503);
    for (let second = 481; second < 590; second += 1) {
      await at(second);
      await servedAtOnce(auth, token);
    }
    await at(600.001);
    const before = api.count;
    for (let call = 1; call <= 5; call += 1) {
      const caller = await now(auth);
      assert.ok(caller.error instanceof InternalServerError);
      assert.equal(api.count, before + call, "with nothing held every caller asks at once");
    }
    api.answer = (exchange) => exchange.token(600);
    assert.equal((await now(auth)).value?.token, api.last.granted);
  });

  test("that began in the soft window and fails after the token's end fails for those who wait by then", async () => {
    const { auth, token, at } = await holding(20);
    await at(19.5 - 3);
    await servedAtOnce(auth, token);
    await at(20.5);
    const waiting = await now(auth);
    assert.equal(waiting.state, "pending");
    assert.equal(api.count, 2, "it joins the refresh that is under way");
    api.last.fail(503);
    await time.settle();
    assert.ok(waiting.error instanceof InternalServerError);
    await now(auth);
    assert.equal(api.count, 3, "the next caller asks at once");
  });

  test("with nobody waiting, at the token's end: the next caller asks at once", async () => {
    const { auth, token, at } = await holding(20);
    await at(16.5);
    await servedAtOnce(auth, token);
    await at(20.5);
    api.last.fail(503);
    await time.settle();
    api.answer = (exchange) => exchange.token(20);
    assert.equal((await now(auth)).value?.token, api.last.granted);
    assert.equal(api.count, 3);
  });

  test("that lands after the token's end serves those who wait", async () => {
    const { auth, at } = await holding(20);
    await at(16.5);
    await now(auth);
    await at(21);
    const waiting = await now(auth);
    const next = api.last.token(20);
    await time.settle();
    assert.equal(waiting.value?.token, next);
    assert.equal(api.count, 2);
  });
});

describe("a refresh behind the callers' backs", () => {
  test("goes on when the forceRefresh callers who joined it give up", async () => {
    const { auth, token, at } = await holding(600);
    await at(500);
    await servedAtOnce(auth, token);
    const controller = new AbortController();
    const forced = await now(auth, { forceRefresh: true, signal: controller.signal });
    assert.equal(forced.state, "pending");
    assert.equal(api.count, 2);
    controller.abort("enough");
    await time.settle();
    assert.equal(forced.error, "enough");
    assert.equal(api.last.aborted, false);
    const next = api.last.token(600);
    await time.settle();
    await servedAtOnce(auth, next);
  });

  test("shows its error to forceRefresh callers who joined it, and to nobody else", async () => {
    const { auth, token, at } = await holding(600);
    await at(500);
    await servedAtOnce(auth, token);
    const forced = await now(auth, { forceRefresh: true });
    api.last.fail(503);
    await time.settle();
    assert.ok(forced.error instanceof InternalServerError);
    await servedAtOnce(auth, token);
    assert.equal(api.count, 2);
  });
});

describe("timers", () => {
  test("none is left when the last call has settled", async () => {
    const { auth, at } = await holding(600);
    assert.deepEqual(time.pending(), []);
    await at(595);
    const [plain, forced] = [await now(auth), await now(auth, { forceRefresh: true })];
    assert.ok(time.pending().length > 0);
    api.last.fail(503);
    await Promise.all([plain.settled, forced.settled]);
    assert.deepEqual(time.pending(), []);
  });

  test("of a refresh behind the callers' backs do not keep a process, its retries included", async () => {
    const { auth, at } = await holding(600, { maxRetries: 3 });
    Math.random = () => 0.9;
    await at(500);
    await now(auth);
    assert.ok(time.pending().length > 0);
    assert.ok(time.pending().every(({ ref }) => !ref));
    api.last.fail(503);
    await time.settle();
    assert.ok(time.pending().length > 0, "the wait before the retry");
    assert.ok(time.pending().every(({ ref }) => !ref));
  });

  test("of a caller who waits do", async () => {
    const { auth, at } = await holding(600);
    await at(585);
    await now(auth);
    assert.ok(time.pending().every(({ ref }) => !ref));
    await at(591);
    const caller = await now(auth);
    assert.equal(api.count, 2, "it waits for the refresh that was behind the callers' backs");
    assert.ok(time.pending().some(({ ref }) => ref));
    api.last.token(600);
    await caller.settled;
    assert.deepEqual(time.pending(), []);
  });
});
