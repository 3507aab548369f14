// Any number of callers, one exchange.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { api, apiPerTest, client } from "../lib/client.mjs";
import { importInstalled } from "../lib/install.mjs";
import { sleep, track, until } from "../lib/tokens.mjs";

const { TimeoutError, InternalServerError, UnauthorizedError } = await importInstalled();
apiPerTest();

const herd = (count, ask) => Promise.allSettled(Array.from({ length: count }, (_, index) => ask(index)));

describe("one exchange", () => {
  test("10,000 concurrent cold calls make 1 request", async () => {
    const auth = client();
    const calls = await herd(10_000, () => auth.getToken());
    assert.equal(api.count, 1);
    assert.ok(calls.every(({ value }) => value?.token === api.tokens[0]));
  });

  test("10,000 cold calls of which each has a signal of its own make 1 request", async () => {
    const auth = client();
    const calls = await herd(10_000, () => auth.getToken({ signal: new AbortController().signal }));
    assert.equal(api.count, 1);
    assert.ok(calls.every(({ value }) => value?.token === api.tokens[0]));
  });

  test("calls that come while the request is under way join it", async () => {
    api.answer = () => {};
    const auth = client();
    const calls = [auth.getToken()];
    const exchange = await api.exchange(1);
    for (let wave = 0; wave < 5; wave += 1) {
      await sleep(5);
      calls.push(auth.getToken(), auth.getToken({}));
    }
    exchange.token();
    assert.deepEqual(new Set((await Promise.all(calls)).map(({ token }) => token)), new Set([api.tokens[0]]));
    assert.equal(api.count, 1);
  });

  test("1,000 calls after each other make 1 request", async () => {
    const auth = client();
    for (let call = 0; call < 1_000; call += 1) assert.equal((await auth.getToken()).token, api.tokens[0]);
    assert.equal(api.count, 1);
  });

  for (const lifetime of [20, 60]) {
    test(`10 calls on a token of ${lifetime} s make 1 request`, async () => {
      api.lifetime = lifetime;
      const auth = client();
      for (let call = 0; call < 10; call += 1) {
        await auth.getToken();
        await sleep(20);
      }
      assert.equal(api.count, 1);
    });
  }

  test("two clients share nothing", async () => {
    const [one, other] = [client(), client()];
    assert.notEqual((await one.getToken()).token, (await other.getToken()).token);
    one.invalidate();
    await other.getToken();
    assert.equal(api.count, 2);
  });

  test("a token is a plain frozen {token, exp}", async () => {
    const granted = await client().getToken();
    assert.deepEqual(Object.keys(granted), ["token", "exp"]);
    assert.equal(Object.getPrototypeOf(granted), Object.prototype);
    assert.ok(Object.isFrozen(granted));
  });
});

describe("a failure with nothing held", () => {
  test("reaches all who wait, each with an error of its own, from 1 request", async () => {
    api.answer = (exchange) => exchange.fail(401);
    const auth = client();
    const calls = await herd(1_000, () => auth.getToken());
    assert.equal(api.count, 1);
    assert.ok(calls.every(({ reason }) => reason instanceof UnauthorizedError && reason.reason === "raison 401"));
    assert.equal(new Set(calls.map(({ reason }) => reason)).size, 1_000);
  });

  test("is not kept: the next call asks at once", async () => {
    api.answer = (exchange) => (exchange.n < 4 ? exchange.fail(503) : exchange.token());
    const auth = client();
    for (let call = 1; call < 4; call += 1) {
      await assert.rejects(auth.getToken(), InternalServerError);
      assert.equal(api.count, call);
    }
    assert.equal((await auth.getToken()).token, api.tokens[0]);
  });

  test("a call made in the very turn of the failure asks again", async () => {
    api.answer = (exchange) => (exchange.n === 1 ? exchange.fail(503) : exchange.token());
    const auth = client();
    assert.equal((await auth.getToken().catch(() => auth.getToken())).token, api.tokens[0]);
    assert.equal(api.count, 2);
  });
});

describe("forceRefresh", () => {
  test("goes past the held token, which it replaces", async () => {
    const auth = client();
    const { token: old } = await auth.getToken();
    const { token: forced } = await auth.getToken({ forceRefresh: true });
    assert.notEqual(forced, old);
    assert.equal((await auth.getToken()).token, forced);
    assert.equal(api.count, 2);
  });

  test("callers share one exchange", async () => {
    const auth = client();
    await auth.getToken();
    const calls = await herd(500, () => auth.getToken({ forceRefresh: true }));
    assert.ok(calls.every(({ value }) => value?.token === api.tokens[1]));
    assert.equal(api.count, 2);
  });

  test("and plain callers with nothing held share one exchange", async () => {
    const auth = client();
    await herd(100, (index) => auth.getToken(index % 2 ? { forceRefresh: true } : undefined));
    assert.equal(api.count, 1);
  });

  test("one after the other make a request each", async () => {
    const auth = client();
    for (let call = 1; call <= 3; call += 1) {
      await auth.getToken({ forceRefresh: true });
      assert.equal(api.count, call);
    }
  });

  test("does not make plain callers wait while the held token is fresh", async () => {
    const auth = client();
    const { token: old } = await auth.getToken();
    api.answer = () => {};
    const forced = auth.getToken({ forceRefresh: true });
    const exchange = await api.exchange(2);
    assert.equal((await auth.getToken()).token, old);
    assert.equal((await auth.getToken({ forceRefresh: false })).token, old);
    exchange.token();
    assert.equal((await forced).token, api.tokens[1]);
    assert.equal((await auth.getToken()).token, api.tokens[1]);
  });

  test("callers see the error, plain callers still get the held token", async () => {
    const auth = client();
    const { token: old } = await auth.getToken();
    api.answer = (exchange) => exchange.fail(503);
    const calls = await herd(10, () => auth.getToken({ forceRefresh: true }));
    assert.ok(calls.every(({ reason }) => reason instanceof InternalServerError));
    assert.equal((await auth.getToken()).token, old);
    assert.equal(api.count, 2);
  });

  test("is not held up by an earlier failure", async () => {
    const auth = client();
    await auth.getToken();
    api.answer = (exchange) => (exchange.n === 2 ? exchange.fail(503) : exchange.token());
    await assert.rejects(auth.getToken({ forceRefresh: true }), InternalServerError);
    assert.equal((await auth.getToken({ forceRefresh: true })).token, api.tokens[1]);
  });

  test("that times out says so while a good token is held", async () => {
    const auth = client({ timeout: 300 });
    await auth.getToken();
    api.answer = () => {};
    await assert.rejects(auth.getToken({ forceRefresh: true }), TimeoutError);
    assert.equal(await (await api.exchange(2)).closed, true, "the exchange is cancelled");
    assert.equal((await auth.getToken()).token, api.tokens[0]);
  });
});

describe("deadlines", () => {
  test("are each caller's own: when the exchange times out, those with time left start another", async () => {
    api.answer = (exchange) => exchange.n > 1 && exchange.token();
    const auth = client({ timeout: 800 });
    const begun = performance.now();
    const first = track(auth.getToken());
    await api.exchange(1);
    await sleep(400);
    const second = track(auth.getToken());
    await Promise.all([first.settled, second.settled]);
    assert.ok(first.error instanceof TimeoutError);
    assert.equal(second.value?.token, api.tokens[0]);
    assert.equal(api.count, 2);
    assert.equal(await api.exchanges[0].closed, true);
    const elapsed = performance.now() - begun;
    assert.ok(elapsed >= 799 && elapsed < 1_200, `at the end of the first caller's time, not the second's: ${elapsed}`);
  });

  test("a herd of one moment at a server that hangs makes 1 request and times out together", async () => {
    api.answer = () => {};
    const auth = client({ timeout: 400 });
    const begun = performance.now();
    let last;
    const calls = await herd(1_000, () => {
      last = performance.now();
      return auth.getToken();
    });
    const elapsed = performance.now() - begun;
    assert.ok(calls.every(({ reason }) => reason instanceof TimeoutError));
    // On a busy machine it is not of one moment: those that came this much later have time left for another request.
    const worthwhile = 0.1 * 400;
    if (last - begun < worthwhile) assert.equal(api.count, 1);
    else assert.ok(api.count <= 2, `${api.count} requests`);
    assert.ok(elapsed >= 399 && elapsed < 2_000, `${elapsed}`);
    assert.equal(await api.exchanges[0].closed, true);
  });

  test("with calls that keep coming, a server that hangs gets one request at a time", async () => {
    api.answer = () => {};
    const auth = client({ timeout: 400 });
    const calls = [];
    const begun = performance.now();
    while (performance.now() - begun < 1_300) {
      calls.push(track(auth.getToken()));
      await sleep(10);
      assert.ok(api.exchanges.filter(({ hungUp }) => !hungUp).length <= 2, "the last one, and one on its way out");
    }
    assert.ok(api.count >= 3 && api.count <= 6, `${api.count} requests in 1,300 ms`);
    await Promise.all(calls.map(({ settled }) => settled));
    assert.ok(calls.every(({ error }) => error instanceof TimeoutError));
    await until(() => api.exchanges.every(({ hungUp }) => hungUp));
  });
});
