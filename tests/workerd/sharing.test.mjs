// One client, many requests of one isolate: they share a token, an exchange and a failure, and nothing else.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DATES, NEWEST_DATE } from "../lib/workerd.mjs";
import { pause, start, until } from "./start.mjs";

const EXCHANGE_MS = 300;
/** What a waiter may be late by: its own timer, on two busy cores. */
const LATE_MS = 500;

const many = (count, ask) => Promise.all(Array.from({ length: count }, ask));

for (const compatibilityDate of DATES) {
  describe(compatibilityDate, () => {
    test("100 cold requests: one exchange", async (t) => {
      const { api, ask, output } = await start(t, "client", { compatibilityDate });
      api.behave = () => ({ delay: EXCHANGE_MS });
      const answers = await many(100, () => ask("/token"));
      assert.deepEqual([...new Set(answers.map(({ token }) => token))], [...api.minted.keys()]);
      assert.equal(api.exchanges.length, 1);
      const slowest = Math.max(...answers.map(({ ms }) => ms));
      assert.ok(slowest < EXCHANGE_MS + LATE_MS, `after ${slowest} ms`);
      assert.equal(output(), "");
    });

    test("an exchange that fails: each request is told, by an error of its own", async (t) => {
      const { api, ask, output } = await start(t, "client", { compatibilityDate });
      api.behave = () => ({ delay: EXCHANGE_MS, status: 401 });
      const answers = await many(20, () => ask("/token"));
      for (const { error } of answers) assert.equal(error?.code, "unauthorized");
      assert.equal(api.exchanges.length, 1);
      assert.equal(output(), "");
    });

    test("forceRefresh from 20 requests: one exchange, past the token held", async (t) => {
      const { api, ask } = await start(t, "client", { compatibilityDate });
      const { token } = await ask("/token");
      api.behave = () => ({ delay: EXCHANGE_MS });
      const answers = await many(20, () => ask("/token?force=1"));
      assert.equal(api.exchanges.length, 2);
      for (const answer of answers) assert.equal(answer.token, api.exchanges[1].token);
      assert.notEqual(answers[0].token, token);
      assert.equal((await ask("/token")).token, answers[0].token);
    });

    test("invalidate() in one request while others wait: they get the token of a new exchange", async (t) => {
      const { api, ask } = await start(t, "client", { compatibilityDate });
      api.behave = () => ({ delay: EXCHANGE_MS });
      const waiting = many(10, () => ask("/token"));
      await until(() => api.exchanges.length === 1, "the first exchange");
      await ask("/invalidate");
      const answers = await waiting;
      await until(() => api.exchanges.every(({ answered, cut }) => answered || cut), "all exchanges over");
      assert.equal(api.exchanges.length, 2);
      for (const answer of answers) assert.equal(answer.token, api.exchanges[1].token, JSON.stringify(answer));
      assert.equal((await ask("/token")).token, api.exchanges[1].token, "the late reply was not kept");
    });

    test("invalidate(old) in one request keeps the newer token of another", async (t) => {
      const { api, ask } = await start(t, "client", { compatibilityDate });
      const old = await ask("/token");
      const renewed = await ask("/token?force=1");
      await ask(`/invalidate?token=${old.token}`);
      assert.equal((await ask("/token")).token, renewed.token);
      await ask(`/invalidate?token=${renewed.token}`);
      assert.notEqual((await ask("/token")).token, renewed.token);
      assert.equal(api.exchanges.length, 3);
    });

    test("a caller that aborts is told in the same turn, by its own reason, and nobody else is", async (t) => {
      const { api, ask, output } = await start(t, "client", { compatibilityDate });
      api.behave = () => ({ delay: EXCHANGE_MS });
      const beside = [];
      const led = ask("/abort?count=5&after=100");
      await until(() => api.exchanges.length === 1, "the exchange");
      beside.push(ask("/token"), ask("/abort?count=3&after=100"));
      for (const answer of [await led, await beside[1]]) {
        assert.equal(answer.inSameTurn[0], "own reason", JSON.stringify(answer));
        assert.ok(answer.inSameTurn.slice(1).every((outcome) => outcome === "pending"), JSON.stringify(answer));
        assert.ok(answer.outcomes.slice(1).every((outcome) => outcome === "token"), JSON.stringify(answer));
      }
      assert.ok(api.minted.has((await beside[0]).token));
      assert.equal(api.exchanges.length, 1);
      assert.equal(output(), "");
    });

    test("all callers abort: the exchange is cancelled, and the next one begins another", async (t) => {
      const { api, ask } = await start(t, "client", { compatibilityDate });
      api.behave = () => ({ delay: 5_000 });
      const answer = await ask("/abort?count=5&after=100&all=1");
      assert.deepEqual(answer.inSameTurn, Array(5).fill("own reason"));
      await until(() => api.exchanges[0]?.cut, "the connection closed", 2_000);
      api.behave = () => ({});
      assert.ok(api.minted.has((await ask("/token")).token));
      assert.equal(api.exchanges.length, 2);
    });

    test("the one that leads aborts, those in other requests go on", async (t) => {
      const { api, ask } = await start(t, "client", { compatibilityDate });
      api.behave = () => ({ delay: EXCHANGE_MS });
      const led = ask("/abort?count=1&after=150&all=1");
      await until(() => api.exchanges.length === 1, "the exchange");
      const answers = await many(5, () => ask("/token"));
      assert.deepEqual((await led).inSameTurn, ["own reason"]);
      for (const answer of answers) {
        assert.ok(api.minted.has(answer.token), JSON.stringify(answer));
        assert.ok(answer.ms < EXCHANGE_MS + 1_500, `after ${answer.ms} ms`);
      }
    });

    test("a signal that is aborted already is refused, also when a token is held", async (t) => {
      const { api, ask } = await start(t, "client", { compatibilityDate });
      assert.equal((await ask("/aborted")).refused, true);
      assert.equal(api.exchanges.length, 0);
      await ask("/token");
      assert.equal((await ask("/aborted")).refused, true);
    });

    test("a caller in one request runs out of time, the others do not", async (t) => {
      const { api, ask } = await start(t, "client", { compatibilityDate });
      api.behave = () => ({ delay: 800 });
      const led = ask("/token");
      await until(() => api.exchanges.length === 1, "the exchange");
      const hasty = await ask("/token?timeout=200");
      assert.ok(hasty.error, JSON.stringify(hasty));
      assert.ok(hasty.ms > 150 && hasty.ms < 600, `after ${hasty.ms} ms`);
      assert.ok(api.minted.has((await led).token));
      assert.equal(api.exchanges.length, 1);
    });

    test("two clients, and two isolates, have nothing in common", async (t) => {
      const one = await start(t, "client", { compatibilityDate });
      const two = await start(t, "client", { compatibilityDate });
      const [{ token }, other] = await Promise.all([one.ask("/token"), one.ask("/other")]);
      assert.ok(one.api.minted.has(token));
      assert.equal(other.error.code, "unauthorized");
      assert.equal(one.api.exchanges.length, 2);
      assert.equal(two.api.exchanges.length, 0);
      assert.ok(two.api.minted.has((await two.ask("/token")).token));
    });

    test("disposed of in one request while others wait: they fail at once and clearly, as do all later ones", async (t) => {
      const { api, ask, output } = await start(t, "client", { compatibilityDate });
      api.behave = () => ({ delay: 2_000 });
      const waiting = many(5, () => ask("/token"));
      await until(() => api.exchanges.length === 1, "the exchange");
      await ask("/dispose");
      const answers = [...(await waiting), await ask("/token"), await ask("/fetch?path=/v1/balance")];
      for (const answer of answers) {
        assert.equal(answer.error?.isAuthError, true, JSON.stringify(answer));
        assert.match(answer.error.message, /dispos/i);
        assert.ok(answer.ms < 1_000, `after ${answer.ms} ms`);
      }
      assert.equal(output(), "");
    });

    test("fetch(): with the token, and once more with a new one after a 401", async (t) => {
      const { api, ask } = await start(t, "client", { compatibilityDate });
      const first = await ask("/fetch?path=/v1/balance");
      assert.equal(first.status, 200);
      for (const token of api.minted.keys()) api.revoked.add(token);
      api.behave = () => ({ delay: EXCHANGE_MS });
      const answers = await many(20, () => ask("/fetch?path=/v1/transfer&method=POST&body=%7B%22amount%22%3A5%7D"));
      for (const { status, body } of answers) {
        assert.equal(status, 200);
        assert.equal(JSON.parse(body).body, '{"amount":5}', "the body was sent again");
      }
      assert.equal(api.exchanges.length, 2, "20 times 401: one exchange");
      assert.ok(api.bearers.every(({ headers }) => headers["x-environment"] === "Production"));
      assert.ok(api.bearers.every(({ url }) => url === "/v1/balance" || url === "/v1/transfer"));
      const refused = await ask(`/fetch?path=${encodeURIComponent("https://elsewhere.example/")}`);
      assert.equal(refused.error.code, "invalid_options");
    });

    for (const as of ["url", "bytes", "buffer", "blob", "parameters", "form", "request", "request and headers"]) {
      test(`fetch(): ${as} sent again after a 401`, async (t) => {
        const { api, ask } = await start(t, "client", { compatibilityDate });
        const { token } = await ask("/token");
        api.revoked.add(token);
        const answer = await ask(`/fetch?path=/v1/transfer&method=POST&body=amount&as=${encodeURIComponent(as)}`);
        assert.equal(answer.status, 200, JSON.stringify(answer));
        assert.equal(api.bearers.length, 2);
        assert.equal(api.exchanges.length, 2);
        const [first, second] = api.bearers;
        assert.match(first.body, /amount/);
        // A form has another boundary each time that it is sent.
        const withoutBoundary = ({ body }) => body.replace(/--\w{32}/g, "--");
        assert.equal(withoutBoundary(second), withoutBoundary(first));
        assert.equal(second.method, "POST");
        if (as === "request and headers") assert.equal(second.headers["x-trace"], "1");
      });
    }

    test("fetch(): a stream is not sent again, and its 401 is returned", async (t) => {
      const { api, ask } = await start(t, "client", { compatibilityDate });
      const { token } = await ask("/token");
      api.revoked.add(token);
      const answer = await ask("/fetch?path=/v1/transfer&method=POST&body=amount&as=stream");
      assert.equal(answer.status, 401, JSON.stringify(answer));
      assert.equal(api.bearers.length, 1);
      assert.notEqual((await ask("/token")).token, token, "the token refused was invalidated");
    });

    test("fetch(): the caller's signal ends its wait for a token", async (t) => {
      const { api, ask } = await start(t, "client", { compatibilityDate });
      api.behave = () => ({ delay: 2_000 });
      const answer = await ask("/fetch-aborted?path=/v1/balance&after=200");
      assert.equal(answer.aborted, true, JSON.stringify(answer));
      assert.equal(answer.message, "enough");
      assert.ok(answer.after < 600, `after ${answer.after} ms`);
      assert.equal(api.bearers.length, 0);
    });
  });
}

// At old dates a caller's code goes on in the request that settled its promise, and ends with it; an abort listener
// cannot tell in which request it runs. Since 2024-10-14 the runtime itself sees to it (handle_cross_request_promise_resolution).
test("a signal aborted by another request, which then ends: its caller is told, in its own request", async (t) => {
  const { api, ask, output } = await start(t, "client", { compatibilityDate: NEWEST_DATE });
  api.behave = () => ({ delay: EXCHANGE_MS });
  const led = ask("/token");
  await until(() => api.exchanges.length === 1, "the exchange");
  const caller = ask("/abort-elsewhere");
  await pause(50);
  await ask("/abort-that");
  const { ownReason, next } = await caller;
  assert.equal(ownReason, true);
  assert.equal(next, (await led).token);
  assert.equal(output(), "");
});
