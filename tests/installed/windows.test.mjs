// When a token is renewed, and who waits for it: soft window, hard window, cooldown. In virtual time.
import assert from "node:assert/strict";
import { afterEach, before, beforeEach, describe, test } from "node:test";
import { rejectionsPerTest } from "../lib/client.mjs";
import { importInstalled } from "../lib/install.mjs";
import { credentials, track } from "../lib/tokens.mjs";
import { scriptedFetch, virtualTime } from "../lib/virtual.mjs";

const time = virtualTime();
const { random } = Math;
const SECOND = 1_000;

let DigitalpayeAuth, InternalServerError, TimeoutError, NetworkError;
let api;

before(async () => {
  ({ DigitalpayeAuth, InternalServerError, TimeoutError, NetworkError } = await importInstalled());
});
beforeEach(() => {
  time.clear();
  api = scriptedFetch(time);
  // No spread, unless a test says so.
  Math.random = () => 0;
});
afterEach(() => {
  Math.random = random;
});
rejectionsPerTest();

const client = (options) =>
  new DigitalpayeAuth({ ...credentials, baseUrl: "http://127.0.0.1:9", fetch: api.fetch, maxRetries: 0, ...options });

/** A client that holds a token of that life, and when that began. */
async function holding(lifetime, options) {
  const auth = client(options);
  const first = track(auth.getToken());
  await time.settle();
  const token = api.last.token(lifetime);
  const from = time.now();
  await time.settle();
  assert.equal(first.value?.token, token);
  return { auth, token, at: (seconds) => time.advanceTo(from + seconds * SECOND) };
}

/** What a call gets without any time passing. */
async function now(auth, call) {
  const caller = track(auth.getToken(call));
  await time.settle();
  return caller;
}

async function servedAtOnce(auth, token) {
  const caller = await now(auth);
  assert.equal(caller.value?.token, token, `${caller.state} ${caller.error}`);
}

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

describe("deadlines", () => {
  test("when an exchange times out, those with time left start another, however little that is", async () => {
    for (const left of [0.5, 2, 15, 29]) {
      const auth = client();
      const begun = api.count;
      const first = await now(auth);
      await time.advance(left * SECOND);
      const [second, third] = [await now(auth), await now(auth)];
      await time.advance((30 - left) * SECOND);
      assert.ok(first.error instanceof TimeoutError);
      assert.equal(api.exchanges[begun].aborted, true);
      assert.equal(api.count, begun + 2, `${left} s are left`);
      const token = api.last.token(600);
      await time.settle();
      assert.equal(second.value?.token, token);
      assert.equal(third.value?.token, token);
    }
  });

  test("of those who started another are still their own", async () => {
    const auth = client();
    const first = await now(auth);
    await time.advance(20 * SECOND);
    const second = await now(auth);
    await time.advance(5 * SECOND);
    const third = await now(auth);
    await time.advance(5 * SECOND);
    assert.equal(first.state, "rejected");
    await time.advance(19.9 * SECOND);
    assert.equal(second.state, "pending");
    await time.advance(0.2 * SECOND);
    assert.ok(second.error instanceof TimeoutError);
    assert.equal(third.state, "pending");
    await time.advance(4.9 * SECOND);
    assert.ok(third.error instanceof TimeoutError);
    assert.ok(api.exchanges.every(({ aborted }) => aborted));
    assert.deepEqual(time.pending(), []);
  });
});

describe("deadlines and what is known by then", () => {
  test("a status decides, though its body does not come in time", async () => {
    const auth = client();
    const callers = [await now(auth), await now(auth, { forceRefresh: true })];
    api.last.reply(503, new ReadableStream({}));
    await time.advance(31 * SECOND);
    for (const { error } of callers) {
      assert.ok(error instanceof InternalServerError);
      assert.equal(error.status, 503);
      assert.equal(error.attempts, 1);
    }
  });

  test("a refresh that outlasts callers with different deadlines waits 5, then 10 s, as one that fails does", async () => {
    const { auth, token, at } = await holding(600, { timeout: 10_000 });
    await at(500);
    const first = await now(auth, { forceRefresh: true });
    await at(502);
    const second = await now(auth, { forceRefresh: true });
    await at(504);
    const controller = new AbortController();
    const third = await now(auth, { forceRefresh: true, signal: controller.signal });
    await at(510.5);
    assert.ok(first.error instanceof TimeoutError);
    assert.equal(api.count, 3, "another exchange for the two with time left");
    controller.abort("enough");
    await third.settled;
    await at(512.5);
    assert.ok(second.error instanceof TimeoutError);
    assert.equal(api.last.aborted, true);
    await at(521.5);
    await servedAtOnce(auth, token);
    assert.equal(api.count, 3);
    await at(522.5);
    await servedAtOnce(auth, token);
    assert.equal(api.count, 4);
  });
});

describe("a wait before a retry", () => {
  test("that only the later callers can afford rejects the earlier ones at once, and goes on for the others", async () => {
    const auth = client({ maxRetries: 2 });
    const early = await now(auth);
    await time.advance(25 * SECOND);
    const late = await now(auth);
    await time.advance(1 * SECOND);
    api.last.fail(429, { "Retry-After": "10" });
    await time.settle();
    assert.equal(early.error?.code, "rate_limited");
    assert.equal(early.error.retryAfter, 10);
    assert.equal(late.state, "pending");
    await time.advance(9.9 * SECOND);
    assert.equal(api.count, 1);
    await time.advance(0.2 * SECOND);
    assert.equal(api.count, 2);
    const token = api.last.token(600);
    await time.settle();
    assert.equal(late.value?.token, token);
    assert.deepEqual(time.pending(), []);
  });

  test("that nobody can afford is not begun: all reject at once", async () => {
    const auth = client({ maxRetries: 2 });
    const early = await now(auth);
    await time.advance(5 * SECOND);
    const late = await now(auth);
    api.last.fail(503, { "Retry-After": "30" });
    await time.settle();
    assert.ok(early.error instanceof InternalServerError);
    assert.ok(late.error instanceof InternalServerError);
    assert.deepEqual(time.pending(), []);
  });

  test("ends for each caller at its own deadline", async () => {
    const auth = client({ maxRetries: 2 });
    const early = await now(auth);
    await time.advance(10 * SECOND);
    const late = await now(auth);
    await time.advance(10 * SECOND);
    api.last.fail(503, { "Retry-After": "9" });
    await time.advance(9.1 * SECOND);
    assert.equal(api.count, 2);
    await time.advance(1 * SECOND);
    assert.ok(early.error instanceof TimeoutError, `${early.error}`);
    assert.equal(late.state, "pending");
    await time.advance(10 * SECOND);
    assert.ok(late.error instanceof TimeoutError);
    assert.ok(api.exchanges.slice(1).every(({ aborted }) => aborted));
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
