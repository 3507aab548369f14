// The request that leads the exchange ends before the exchange does. Whoever waits beside it, and all who come later, must
// get their tokens all the same, and in time.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DATES, OLD_DATE } from "../lib/workerd.mjs";
import { pause, start, until } from "./start.mjs";

const EXCHANGE_MS = 500;
const ENDS_AFTER_MS = 150;
/** What a caller may wait beyond the exchange that serves it when its leader has gone. Far below the 30 s of `timeout`. */
const BOUND_MS = 1_500;

/** The ways in which the leading request ends `ms` after it began. */
const ENDINGS = {
  "answers at once": ({ ask }) => ask("/early"),
  "answers early": ({ ask }, ms) => ask(`/early?after=${ms}`),
  "is left by its client": ({ abandon }, ms) => abandon("/token", ms),
  "is left by its client while it streams": ({ abandon }, ms) => abandon("/stream", ms),
};

describe("a promise that requests share, as in code for Node, fails", () => {
  for (const compatibilityDate of DATES) {
    for (const ending of ["answers early", "is left by its client"]) {
      test(`${compatibilityDate}: the leader ${ending}`, async (t) => {
        const run = await start(t, "shared-promise", { compatibilityDate });
        run.api.behave = () => ({ delay: EXCHANGE_MS });
        const led = ENDINGS[ending](run, ENDS_AFTER_MS);
        await pause(ENDS_AFTER_MS / 2);
        const waited = EXCHANGE_MS + BOUND_MS;
        const outcome = (path) => run.ask(path, { timeout: waited }).catch((error) => ({ hung: error.message }));
        const beside = outcome("/token");
        await led;
        for (const result of [await beside, await outcome("/token")]) {
          assert.equal(result.token, undefined);
          if (compatibilityDate === OLD_DATE) assert.match(result.hung, /no answer within/);
          else assert.match(result.error.message, /created by a request that has since ended/);
        }
      });
    }
  }
});

// They wait most of the time: some side by side.
for (const compatibilityDate of DATES) {
  for (const platformWaitUntil of [true, false]) {
    const name = `${compatibilityDate}, ${platformWaitUntil ? "with" : "without"} the platform's waitUntil`;
    describe(name, { concurrency: 4 }, () => {
      for (const [ending, lead] of Object.entries(ENDINGS)) {
        test(`the leader ${ending}: those beside it and all later ones get their tokens`, async (t) => {
          const run = await start(t, "client", { compatibilityDate, platformWaitUntil, api: { lifetime: 600 } });
          const { api, ask } = run;
          api.behave = () => ({ delay: EXCHANGE_MS / 2, bodyDelay: EXCHANGE_MS / 2 });
          const led = lead(run, ENDS_AFTER_MS);
          await (ending === "answers at once" ? led : until(() => api.exchanges.length === 1, "the exchange"));
          const beside = Array.from({ length: 5 }, () => ask("/token"));
          await led;
          const later = Array.from({ length: 5 }, () => ask("/token"));

          const answers = await Promise.all([...beside, ...later]);
          const [{ token }] = answers;
          assert.ok(api.minted.has(token), "a token of the API");
          for (const answer of answers) {
            assert.equal(answer.token, token, JSON.stringify(answer));
            assert.ok(answer.ms < EXCHANGE_MS + BOUND_MS, `answered after ${answer.ms} ms`);
          }
          for (let n = 0; n < 3; n += 1) assert.equal((await ask("/token")).token, token);
          if (platformWaitUntil) assert.equal(api.exchanges.length, 1, "the leader's exchange went on");
          else assert.ok(api.exchanges.length <= 2, `one caller took over: ${api.exchanges.length} exchanges`);
        });
      }

      test("nobody waits when the leader ends: the next caller, seconds later, is served", async (t) => {
        const run = await start(t, "client", { compatibilityDate, platformWaitUntil });
        run.api.behave = () => ({ delay: EXCHANGE_MS });
        await ENDINGS["is left by its client"](run, ENDS_AFTER_MS);
        await pause(2_000);
        const { token, ms } = await run.ask("/token");
        assert.ok(run.api.minted.has(token));
        assert.ok(ms < EXCHANGE_MS + BOUND_MS, `answered after ${ms} ms`);
      });

      test("one leader after the other ends: the callers beside them are served", async (t) => {
        const run = await start(t, "client", { compatibilityDate, platformWaitUntil });
        const { api, ask, abandon } = run;
        api.behave = () => ({ delay: EXCHANGE_MS });
        const leaders = [abandon("/token", ENDS_AFTER_MS)];
        await until(() => api.exchanges.length === 1, "the exchange");
        for (let n = 1; n < 8; n += 1) leaders.push(abandon("/token", ENDS_AFTER_MS * (n + 1)));
        await pause(20);
        const beside = Array.from({ length: 5 }, () => ask("/token"));
        await Promise.all(leaders);
        for (const answer of await Promise.all(beside)) {
          assert.ok(api.minted.has(answer.token), JSON.stringify(answer));
          // At worst each of those who went took over once, in turn.
          assert.ok(answer.ms < 8 * (ENDS_AFTER_MS + BOUND_MS), `answered after ${answer.ms} ms`);
        }
        assert.ok(api.exchanges.length <= 9, `${api.exchanges.length} exchanges`);
      });

      test("the leader ends in the wait between two attempts", async (t) => {
        const run = await start(t, "client", { compatibilityDate, platformWaitUntil });
        const { api, ask, abandon } = run;
        api.behave = (n) => (n === 1 ? { status: 503, headers: { "Retry-After": "1" } } : {});
        const led = abandon("/token", 300);
        await until(() => api.exchanges.length === 1, "the first attempt");
        const beside = Array.from({ length: 5 }, () => ask("/token"));
        await led;
        for (const answer of await Promise.all(beside)) {
          assert.ok(api.minted.has(answer.token), JSON.stringify(answer));
          assert.ok(answer.ms < 1_000 + BOUND_MS, `answered after ${answer.ms} ms`);
        }
        const [first, second] = api.exchanges;
        assert.equal(api.exchanges.length, 2);
        assert.ok(second.at - first.at >= 950, `Retry-After: 1 was obeyed, ${second.at - first.at} ms`);
      });

      test("a server that hangs: each caller's own deadline holds, with the leader gone", async (t) => {
        const run = await start(t, "client", { compatibilityDate, platformWaitUntil, options: { timeout: 1_000, maxRetries: 0 } });
        const { api, ask, abandon } = run;
        api.behave = () => ({ hang: true });
        const led = abandon("/token", ENDS_AFTER_MS);
        await until(() => api.exchanges.length === 1, "the exchange");
        const beside = Array.from({ length: 5 }, () => ask("/token"));
        await led;
        beside.push(ask("/token"));
        for (const answer of await Promise.all(beside)) {
          assert.equal(answer.error?.code, "timeout", JSON.stringify(answer));
          assert.ok(answer.ms > 950 && answer.ms < 1_600, `after ${answer.ms} ms`);
        }
        api.behave = () => ({});
        assert.ok(api.minted.has((await ask("/token")).token));
      });
    });
  }
}
