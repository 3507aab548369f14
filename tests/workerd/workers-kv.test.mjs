// The store over Workers KV, in workerd, with miniflare's KV.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { OLD_DATE } from "../lib/workerd.mjs";
import { API_KEY, API_SECRET } from "./api.mjs";
import { pause, start, until } from "./start.mjs";

// Miniflare carries a workerd of its own; this date is within what that one takes.
const RECENT_DATE = "2026-07-01";
const KV_TTL_LEAST = 60;

for (const compatibilityDate of [OLD_DATE, RECENT_DATE]) {
  const startKv = (t, settings) => start(t, "kv", { compatibilityDate, kv: ["TOKENS"], ...settings });

  describe(compatibilityDate, () => {
    test("what one isolate got, the next one uses", async (t) => {
      const { api, ask } = await startKv(t);
      const { token, exp } = await ask("/token?client=a");
      await until(async () => (await ask("/entries")).entries.length === 1, "the token in KV");
      const shared = await ask("/token?client=b");
      assert.deepEqual([shared.token, shared.exp], [token, exp]);
      assert.equal((await ask("/fresh")).token, token);
      assert.equal(api.exchanges.length, 1);
    });

    test("the entry shows neither key nor secret, and ends with the token", async (t) => {
      const { api, ask } = await startKv(t, { api: { lifetime: 600 } });
      const { token } = await ask("/token");
      await until(async () => (await ask("/entries")).entries.length === 1, "the token in KV");
      const { entries: [entry] } = await ask("/entries");
      assert.ok(entry.value.includes(token));
      for (const secret of [API_KEY, API_SECRET, btoa(`${API_KEY}:${API_SECRET}`)]) {
        assert.ok(!entry.name.includes(secret) && !entry.value.includes(secret));
      }
      const left = entry.expiration - Date.now() / 1_000;
      assert.ok(left > 590 && left <= 601, `${left} s`);
      assert.equal(api.exchanges.length, 1);
    });

    test("a token that lives less than KV's least: stored, and not used beyond its life", async (t) => {
      const { api, ask } = await startKv(t, { api: { lifetime: 3 } });
      const { token } = await ask("/token");
      await until(async () => (await ask("/counts")).put === 1, "the token in KV");
      await until(async () => (await ask("/entries")).entries.length === 1, "the token in KV");
      assert.equal((await ask("/token?client=b")).token, token);
      const { puts } = await ask("/counts");
      assert.deepEqual(puts, [{ expirationTtl: KV_TTL_LEAST }]);
      await pause(3_200);
      assert.equal((await ask("/entries")).entries.length, 1, "KV has it yet");
      const next = await ask("/token?client=b");
      assert.notEqual(next.token, token);
      assert.ok(api.minted.has(next.token), JSON.stringify(next));
      assert.equal(api.exchanges.length, 2);
    });

    test("the store by itself, at the edges of KV's least", async (t) => {
      const { ask } = await startKv(t);
      for (const ttl of [0.5, 59, 59.999, 60, 60.001, 86_400]) {
        const { got } = await ask(`/direct?ttl=${ttl}`);
        assert.equal(got.token, "abc");
        assert.equal(got.exp, 4_102_444_800);
        assert.ok(got.ttlSeconds > 0 && got.ttlSeconds <= ttl, `${got.ttlSeconds} s of ${ttl} s`);
      }
    });

    test("invalidate() takes it out of KV", async (t) => {
      const { api, ask } = await startKv(t);
      const { token } = await ask("/token");
      await until(async () => (await ask("/entries")).entries.length === 1, "the token in KV");
      await ask("/invalidate");
      const next = await ask("/token");
      assert.notEqual(next.token, token);
      assert.equal(api.exchanges.length, 2);
      await until(async () => (await ask("/entries")).entries[0]?.value.includes(next.token), "the new token in KV");
    });

    test("forceRefresh goes past it, and renews it", async (t) => {
      const { api, ask } = await startKv(t);
      const { token } = await ask("/token");
      const forced = await ask("/token?force=1");
      assert.notEqual(forced.token, token);
      await until(async () => (await ask("/entries")).entries[0]?.value.includes(forced.token), "the new token in KV");
      assert.equal((await ask("/token?client=b")).token, forced.token);
      assert.equal(api.exchanges.length, 2);
    });

    for (const kind of ["fails", "throws", "hangs"]) {
      test(`a namespace that ${kind} costs an exchange, never an error`, async (t) => {
        const { api, ask, output } = await startKv(t);
        await ask(`/trouble?kind=${kind}`);
        const answers = await Promise.all(Array.from({ length: 5 }, () => ask("/token")));
        for (const answer of answers) {
          assert.ok(api.minted.has(answer.token), JSON.stringify(answer));
          assert.ok(answer.ms < 3_500, `after ${answer.ms} ms`);
        }
        assert.equal(api.exchanges.length, 1);
        assert.ok(api.minted.has((await ask("/token?client=b")).token));
        assert.equal(api.exchanges.length, 2);
        assert.doesNotMatch(output(), /Uncaught|panic|RuntimeError/i);
      });
    }

    test("nonsense in KV costs an exchange, and is replaced", async (t) => {
      const { api, ask } = await startKv(t);
      await ask("/token");
      await until(async () => (await ask("/entries")).entries.length === 1, "the token in KV");
      const values = [
        "", "null", "[]", "{", '"text"', '{"token":5,"exp":5,"expiresAt":5}',
        `{"token":"not a token\\n","exp":${Math.floor(Date.now() / 1_000) + 600},"expiresAt":${Date.now() + 600_000}}`,
        `{"token":"abc","exp":1e400,"expiresAt":${Date.now() + 600_000}}`,
        `{"token":"abc","exp":${Math.floor(Date.now() / 1_000) + 600},"expiresAt":${Date.now() + 172_800_000}}`,
      ];
      for (const [n, value] of values.entries()) {
        await ask(`/put?value=${encodeURIComponent(value)}`);
        const answer = await ask("/fresh");
        assert.ok(api.minted.has(answer.token), `${value}: ${JSON.stringify(answer)}`);
        assert.equal(api.exchanges.length, n + 2, value);
        await until(async () => (await ask("/entries")).entries[0]?.value.includes(answer.token), `instead of ${value}`);
      }
    });
  });
}
