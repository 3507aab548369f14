// Each caller's deadline is its own: what it ends, and what it leaves to the others. In virtual time.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { importInstalled } from "../lib/install.mjs";
import { SECOND, api, client, holding, now, servedAtOnce, time, virtualApiPerTest } from "../lib/virtual-client.mjs";

const { InternalServerError, TimeoutError } = await importInstalled();
virtualApiPerTest();

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
