// 5,000 requests at concurrency 50 on one isolate, some of which die at random moments, with tokens that live two seconds and
// an API that fails at times. The seed is printed; SOAK_SEED repeats a run's choices.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DATES, NEWEST_DATE } from "../lib/workerd.mjs";
import { start } from "./start.mjs";

const REQUESTS = 5_000;
const CONCURRENCY = 50;
const LIFETIME = 2;
const EXCHANGE_MS = { least: 20, most: 120 };
/** What an answer may take: an exchange with retries, and leaders that die one after the other. */
const BOUND_MS = 8_000;
/** What a token's age may be when it is handed out: its life counts from its arrival. */
const AGE_MS = LIFETIME * 1_000 + EXCHANGE_MS.most;

const seed = Number(process.env.SOAK_SEED ?? Date.now() % 1_000_000);

/** Mulberry32: small, and the same everywhere. */
function randomness(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const RUNS = [
  ...DATES.map((compatibilityDate) => ({ compatibilityDate, platformWaitUntil: true })),
  ...DATES.map((compatibilityDate) => ({ compatibilityDate, platformWaitUntil: false })),
];

// Two cores carry two of them: each waits most of the time.
describe("soak", { concurrency: 2 }, () => {
  for (const { compatibilityDate, platformWaitUntil } of RUNS) {
    test(`${compatibilityDate}, ${platformWaitUntil ? "with" : "without"} the platform's waitUntil`, async (t) => {
      const run = await start(t, "client", { compatibilityDate, platformWaitUntil, api: { lifetime: LIFETIME } });
      const { api, ask, abandon, output } = run;
      const random = randomness(seed);
      const ofApi = randomness(seed + 1);
      const between = (least, most, next = random) => Math.floor(least + (most - least) * next());
      let failures = 0;
      let failed = -Infinity;
      api.behave = (n) => {
        const delay = between(EXCHANGE_MS.least / 2, EXCHANGE_MS.most / 2, ofApi);
        const bodyDelay = between(EXCHANGE_MS.least / 2, EXCHANGE_MS.most / 2, ofApi);
        const fate = ofApi();
        // Never so often that all attempts of one exchange could fail: then its callers would rightly be told.
        if (fate > 0.25 || n - failed < 4) return { delay, bodyDelay };
        failed = n;
        failures += 1;
        return fate > 0.12 ? { delay, status: 503 } : { delay, reset: true };
      };

      const counts = { live: 0, early: 0, left: 0, streams: 0, invalidated: 0, forced: 0 };
      const times = [];
      const ages = [];
      const wrong = [];
      async function live(path, timeout = BOUND_MS) {
        counts.live += 1;
        const answer = await ask(path, { timeout }).catch((error) => ({ error: { message: error.message } }));
        times.push(answer.ms);
        const mintedAt = api.minted.get(answer.token);
        const age = answer.at - mintedAt;
        ages.push(age);
        if (mintedAt === undefined || age > AGE_MS) wrong.push(`${path}: ${JSON.stringify({ ...answer, age })}`);
      }
      // What a request does, and how often; all others take their token, think, and answer.
      const kinds = [
        [0.06, "early", () => ask(`/early?after=${between(0, 60)}`)],
        [0.02, "early", () => ask("/early")],
        [0.01, "early", () => ask(`/early?force=1&after=${between(0, 60)}`)],
        [0.05, "left", () => abandon("/token", between(0, 80))],
        [0.01, "left", () => abandon("/token?force=1", between(0, 80))],
        [0.04, "left", () => abandon(`/think?ms=${between(0, 200)}`, between(0, 100))],
        [0.02, "streams", () => abandon("/stream", between(0, 100))],
        [0.005, "invalidated", () => ask("/invalidate")],
        [0.005, "forced", () => live("/token?force=1")],
      ];
      async function one() {
        let choice = random();
        const kind = kinds.find(([share]) => (choice -= share) < 0);
        if (kind === undefined) return live(`/think?ms=${between(0, 250)}`);
        const [, count, act] = kind;
        counts[count] += 1;
        return act();
      }

      await live("/token");
      const started = performance.now();
      let begun = 0;
      let warm;
      const lane = async () => {
        while (begun < REQUESTS && wrong.length < CONCURRENCY) {
          begun += 1;
          if (begun === REQUESTS / 5) warm = await ask("/state");
          await one();
        }
      };
      await Promise.all(Array.from({ length: CONCURRENCY }, lane));
      const seconds = (performance.now() - started) / 1_000;

      await live("/token");
      await live("/token?force=1");
      assert.deepEqual(wrong.slice(0, 5), [], `${wrong.length} of ${counts.live} wrong, seed ${seed}`);
      const { memory } = await ask("/state");
      times.sort((a, b) => a - b);
      const figures = {
        seed,
        seconds: Math.round(seconds),
        ...counts,
        exchanges: api.exchanges.length,
        failures,
        oldest: Math.max(...ages),
        ...Object.fromEntries([50, 99, 100].map((p) => [`p${p}`, Math.round(times[Math.ceil((times.length * p) / 100) - 1])])),
        pages: `${warm.memory.pages} to ${memory.pages}`,
      };
      t.diagnostic(JSON.stringify(figures));
      assert.ok(counts.live > 3_000 && counts.left > 300 && counts.early > 300, JSON.stringify(counts));

      // A renewal per life, less its soft window; beside it what fails, what is asked for, and what leaders leave undone.
      const renewals = Math.ceil(seconds / (LIFETIME * 0.7)) + 2;
      const asked = counts.invalidated + counts.forced + REQUESTS * 0.02;
      const bound = 2 * (renewals + failures + asked);
      assert.ok(api.exchanges.length <= bound, `at most ${bound} exchanges: ${JSON.stringify(figures)}`);

      // What is kept for those that died is given up again in time; pages never are.
      assert.ok(memory.pages - warm.memory.pages <= 4, `wasm memory grew: ${figures.pages} pages`);
      assert.equal(memory.instances, 1);
      assert.doesNotMatch(output(), /panic|borrow|unreachable|RuntimeError|recursive|Uncaught|hung/i);
      if (compatibilityDate === NEWEST_DATE) assert.doesNotMatch(output(), /resolved or rejected from a different request/);
    });
  }
});
