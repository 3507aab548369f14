// Whatever calls the client from inside of a call of the client finds it whole, and leaves it so.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DATES } from "../lib/workerd.mjs";
import { pause, start } from "./start.mjs";

/** What each of them is called by at least. */
const CALLED_FROM = {
  fetch: ["fetch"],
  store: ["get", "set", "acquire", "release"],
  waitUntil: [],
  callOptions: ["getter forceRefresh"],
  response: ["response status", "response body"],
};

const LIFETIME = 2;

for (const compatibilityDate of DATES) {
  // They wait most of the time: side by side.
  describe(compatibilityDate, { concurrency: true }, () => {
    for (const [name, callers] of Object.entries(CALLED_FROM)) {
      test(`${name} that calls back`, async (t) => {
        const { api, ask, output } = await start(t, "reentrancy", { compatibilityDate, api: { lifetime: LIFETIME } });
        api.behave = () => ({ delay: 20 });
        let calls = {};
        for (let round = 0; round < 4; round += 1) {
          const asked = Array.from({ length: 10 }, () => ask(`/${name}`, { timeout: 5_000 }));
          if (round === 3) asked.push(ask(`/${name}?force=1`, { timeout: 5_000 }));
          const answers = await Promise.all(asked);
          for (const answer of answers) assert.ok(api.minted.has(answer.token), JSON.stringify(answer));
          ({ calls } = answers.at(-1));
          await pause(LIFETIME * 600);
        }
        for (const caller of callers) assert.ok(calls[caller] > 0, `${caller} called: ${JSON.stringify(calls)}`);
        assert.ok(api.exchanges.length < 60, `${api.exchanges.length} exchanges`);
        assert.doesNotMatch(output(), /panic|borrow|unreachable|RuntimeError|recursive|Uncaught/i);
      });
    }

    test("a signal whose parts call back", async (t) => {
      const { api, ask, output } = await start(t, "reentrancy", { compatibilityDate });
      const answer = await ask("/signal", { timeout: 5_000 });
      // Whether such a proxy passes for an AbortSignal is not the point: it is one or it is refused.
      assert.ok(api.minted.has(answer.token) || answer.error?.code === "invalid_options", JSON.stringify(answer));
      assert.doesNotMatch(output(), /panic|borrow|unreachable|RuntimeError|recursive|Uncaught/i);
    });

    test("a fetch that waits for the very token it is to get ends by the deadline", async (t) => {
      const { api, ask } = await start(t, "reentrancy", { compatibilityDate });
      const answers = await Promise.all(Array.from({ length: 5 }, () => ask("/circle", { timeout: 5_000 })));
      for (const answer of answers) {
        assert.equal(answer.error?.isAuthError, true, JSON.stringify(answer));
        assert.ok(answer.ms < 2_500, `after ${answer.ms} ms`);
      }
      assert.equal(api.exchanges.length, 0);
    });
  });
}
