// Seconds of the soak; `npm run check soak` goes on for longer.
import assert from "node:assert/strict";
import { test } from "node:test";
import { soak } from "./soak.mjs";

test("random faults for random callers: every call is answered in time, and nothing grows", { timeout: 120_000 }, async (t) => {
  const figures = await soak({ seconds: 20, seed: 7 });
  t.diagnostic(JSON.stringify(figures));
  // Not by never getting anywhere.
  assert.ok(figures.random.tokens > 200 && figures.random.errors > 20 && figures.random.faults > 20);
  assert.ok(figures.exact.sequences > 100);
});
