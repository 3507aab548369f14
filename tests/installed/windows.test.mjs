// When a token is renewed, and who waits for it: soft window, hard window, cooldown. In virtual time.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { importInstalled } from "../lib/install.mjs";
import { track } from "../lib/tokens.mjs";
import { SECOND, api, client, holding, now, servedAtOnce, time, virtualApiPerTest } from "../lib/virtual-client.mjs";

const { InternalServerError, TimeoutError, NetworkError } = await importInstalled();
virtualApiPerTest();
const { random } = Math;

describe("the soft window", () => {
  const cases = [
    // life, soft window, hard window (s)
    [4, 0.8, 0.2],
    [20, 4, 1],
    [60, 12, 3],
    [600, 120, 10],
    [7_200, 120, 10],
    [86_400, 120, 10],
  ];
  for (const [life, soft] of cases) {
    test(`of a token of ${life} s is its last ${soft} s`, async () => {
      const { auth, token, at } = await holding(life);
      await at(life - soft - 0.01);
      await servedAtOnce(auth, token);
      assert.equal(api.count, 1, "fresh");
      await at(life - soft + 0.01);
      await servedAtOnce(auth, token);
      assert.equal(api.count, 2, "soft");
    });

    test(`of a token of ${life} s begins at most a tenth earlier`, async () => {
      Math.random = () => 0.999_999;
      const { auth, token, at } = await holding(life);
      await at(life - soft * 1.1 - 0.01);
      await servedAtOnce(auth, token);
      assert.equal(api.count, 1, "fresh");
      await at(life - soft * 1.1 + 0.01);
      await servedAtOnce(auth, token);
      assert.equal(api.count, 2, "soft");
    });
  }

  for (const [life, , hard] of cases) {
    test(`of a token of ${life} s ends with its last ${hard} s`, async () => {
      const { auth, token, at } = await holding(life, { timeout: 100_000 });
      await at(life - hard - 0.01);
      await servedAtOnce(auth, token);
      assert.equal(api.count, 2);
      await at(life - hard + 0.01);
      const waiting = await now(auth);
      assert.equal(waiting.state, "pending");
      const next = api.last.token(life);
      await time.settle();
      assert.equal(waiting.value?.token, next);
      assert.equal(api.count, 2);
    });
  }

  test("does not align a fleet: instances begin it at different times, each always at its own", async () => {
    Math.random = random;
    const starts = [];
    for (let instance = 0; instance < 20; instance += 1) {
      const { auth, at } = await holding(600);
      const own = [];
      for (let renewal = 0; renewal < 2; renewal += 1) {
        const from = renewal === 0 ? api.last.at : time.now();
        const before = api.count;
        await (renewal === 0 ? at(467) : time.advance(467 * SECOND));
        while (api.count === before) {
          await time.advance(250);
          await now(auth);
        }
        own.push(time.now() - from);
        api.last.token(600);
        await time.settle();
      }
      assert.ok(own.every((start) => start >= 468 * SECOND && start <= 480.25 * SECOND), `${own}`);
      assert.equal(new Set(own).size, 1, `the same instance: ${own}`);
      starts.push(own[0]);
    }
    assert.ok(new Set(starts).size > 10, `${starts}`);
  });

  test("serves the old token while the server hangs, with one request under way", async () => {
    const { auth, token, at } = await holding(600);
    await at(485);
    for (let call = 0; call < 100; call += 1) {
      await servedAtOnce(auth, token);
      await time.advance(250);
    }
    assert.equal(api.count, 2);
    const next = api.last.token(600);
    await time.settle();
    await servedAtOnce(auth, next);
    assert.equal(api.count, 2);
  });

  test("serves the old token in the same turn: no wait for anything", async () => {
    const { auth, token, at } = await holding(600);
    await at(485);
    let served;
    auth.getToken().then((grant) => (served = grant.token));
    await null;
    await null;
    assert.equal(served, token);
  });

  test("serves a caller with a signal and one with options as any other", async () => {
    const { auth, token, at } = await holding(600);
    await at(485);
    assert.equal((await now(auth, { signal: new AbortController().signal })).value?.token, token);
    assert.equal((await now(auth, { forceRefresh: false })).value?.token, token);
    assert.equal(api.count, 2);
  });

  test("gives up a refresh that hangs after `timeout`, and asks again after 5 s", async () => {
    const { auth, token, at } = await holding(600, { timeout: 20_000 });
    await at(485);
    await servedAtOnce(auth, token);
    await time.advance(19_900);
    assert.equal(api.last.aborted, false);
    await time.advance(200);
    assert.equal(api.last.aborted, true);
    await time.advance(4_700);
    await servedAtOnce(auth, token);
    assert.equal(api.count, 2);
    await time.advance(300);
    await servedAtOnce(auth, token);
    assert.equal(api.count, 3);
  });

  test("without calls nothing is asked for", async () => {
    const { at } = await holding(600);
    await at(700);
    assert.equal(api.count, 1);
    assert.deepEqual(time.pending(), []);
  });
});

describe("the hard window", () => {
  test("an abort ends the wait with its reason, not with the held token", async () => {
    const { auth, at } = await holding(600);
    await at(595);
    const controller = new AbortController();
    const caller = await now(auth, { signal: controller.signal });
    controller.abort("enough");
    await time.settle();
    assert.equal(caller.error, "enough");
    assert.equal(api.last.aborted, true);
  });

  test("waits for the new token, with one request for all", async () => {
    const { auth, at } = await holding(600);
    await at(595);
    const callers = [await now(auth), await now(auth), await now(auth, { forceRefresh: true })];
    assert.ok(callers.every(({ state }) => state === "pending"));
    const next = api.last.token(600);
    await time.settle();
    assert.ok(callers.every(({ value }) => value?.token === next));
    assert.equal(api.count, 2);
  });

  test("a refresh that fails gives the held token to plain callers and the error to forceRefresh", async () => {
    const { auth, token, at } = await holding(600);
    await at(595);
    const plain = await now(auth);
    const forced = await now(auth, { forceRefresh: true });
    api.last.fail(503);
    await time.settle();
    assert.equal(plain.value?.token, token);
    assert.ok(forced.error instanceof InternalServerError);
    assert.equal(api.count, 2);
  });

  test("after a failure the held token is served at once for 5 s, then one caller waits again", async () => {
    const { auth, token, at } = await holding(600);
    await at(590.5);
    api.answer = (exchange) => exchange.fail(503);
    await servedAtOnce(auth, token);
    assert.equal(api.count, 2);
    await time.advance(4_900);
    await servedAtOnce(auth, token);
    assert.equal(api.count, 2);
    await time.advance(200);
    await servedAtOnce(auth, token);
    assert.equal(api.count, 3);
  });

  test("a refresh that outlasts a caller's deadline gives it the held token, then", async () => {
    const { auth, token, at } = await holding(600, { timeout: 3_000 });
    await at(591);
    const caller = await now(auth);
    await time.advance(2_900);
    assert.equal(caller.state, "pending");
    await time.advance(200);
    assert.equal(caller.value?.token, token);
    assert.equal(api.last.aborted, true, "nobody waits any more");
    await servedAtOnce(auth, token);
    assert.equal(api.count, 2, "and it is not asked again at once");
  });

  test("forceRefresh sees the time-out, a plain caller beside it the held token", async () => {
    const { auth, token, at } = await holding(600, { timeout: 3_000 });
    await at(591);
    const forced = await now(auth, { forceRefresh: true });
    const plain = await now(auth);
    await time.advance(3_100);
    assert.ok(forced.error instanceof TimeoutError);
    assert.equal(plain.value?.token, token);
  });

  test("a caller whose time runs out after the token's end gets the error: an expired token is served to nobody", async () => {
    const { auth, at } = await holding(600, { timeout: 3_000 });
    await at(599);
    const caller = await now(auth);
    await time.advance(2_999);
    assert.equal(caller.state, "pending");
    await time.advance(10);
    assert.ok(caller.error instanceof TimeoutError);
  });

  test("a refresh that fails after the token's end fails for the caller", async () => {
    const { auth, at } = await holding(600);
    await at(599);
    const caller = await now(auth);
    await at(601);
    api.last.reject(new TypeError("fetch failed"));
    await time.settle();
    assert.ok(caller.error instanceof NetworkError);
  });

  test("callers who come in it join the refresh that the soft window began", async () => {
    const { auth, token, at } = await holding(600);
    await at(580);
    await servedAtOnce(auth, token);
    await at(591);
    const caller = await now(auth);
    assert.equal(caller.state, "pending");
    assert.equal(api.count, 2);
    api.last.fail(503);
    await time.settle();
    assert.equal(caller.value?.token, token);
  });
});

describe("the end of a life", () => {
  test("is never overstepped, whenever the calls come", async () => {
    Math.random = random;
    for (const life of [2, 5, 20, 600]) {
      const auth = client({ timeout: 1_000 });
      const ends = new Map();
      api.answer = (exchange) => ends.set(exchange.token(life), time.now() + life * SECOND);
      for (let call = 0; call < 150; call += 1) {
        const caller = await now(auth);
        assert.ok(ends.get(caller.value?.token) > time.now(), `${caller.state} after ${time.now()}`);
        await time.advance(random() * life * SECOND * 0.4);
        if (call % 7 === 0) api.answer = (exchange) => exchange.fail(503);
        if (call % 7 === 1) api.answer = (exchange) => ends.set(exchange.token(life), time.now() + life * SECOND);
        if (call % 7 === 1) await now(auth);
        if (call % 7 === 0) {
          const during = await now(auth);
          assert.ok(during.error instanceof InternalServerError || ends.get(during.value.token) > time.now());
          api.answer = (exchange) => ends.set(exchange.token(life), time.now() + life * SECOND);
        }
      }
    }
  });

  test("a life counts from when the token was asked for: it cannot be younger", async () => {
    const auth = client();
    const first = track(auth.getToken());
    await time.settle();
    await time.advance(3_000);
    // An old reply: nothing but its own iat and exp tells how long it lives.
    api.last.token(20, { date: false, age: 3 });
    await time.settle();
    assert.equal(first.state, "resolved");
    await time.advance(12_900);
    await now(auth);
    assert.equal(api.count, 1);
    await time.advance(200);
    await now(auth);
    assert.equal(api.count, 2, "the soft window of 20 s asked for 3 s before the reply");
  });

  test("a server that hands out an older token: its Date tells what is left", async () => {
    const auth = client();
    track(auth.getToken());
    await time.settle();
    api.last.token(600, { age: 580 });
    await time.settle();
    await time.advance(15_900);
    await now(auth);
    assert.equal(api.count, 1);
    await time.advance(200);
    await now(auth);
    assert.equal(api.count, 2, "the soft window of the 20 s that were left");
  });
});
