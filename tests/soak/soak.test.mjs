// A short soak with the same choices every time; `npm run soak` is the long one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { soak } from "./soak.mjs";

const SECONDS = 15;
const SEED = 7;

test(`${SECONDS} seconds of random faults and callers (seed ${SEED})`, async (t) => {
  const { random, exact } = await soak({ seconds: SECONDS, seed: SEED });
  t.diagnostic(JSON.stringify({ random, exact }));
  assert.ok(random.calls > 500 && random.tokens > 200 && random.faults > 50, JSON.stringify(random));
  assert.ok(exact.exchanges > 200, JSON.stringify(exact));
});
