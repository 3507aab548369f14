// A few seconds of the fuzzer, always the same ones. `npm run check fuzz` goes on for longer, elsewhere each time.
import assert from "node:assert/strict";
import { test } from "node:test";
import { installed } from "../lib/install.mjs";
import { corpus, fuzz } from "./fuzz.mjs";
import { CODES } from "./oracle.mjs";

test("what was found once, and what is at an edge: every input of the corpus", { timeout: 60_000 }, async () => {
  const inputs = corpus();
  const { figures, finds } = await fuzz({ consumer: await installed(), inputs, count: 0 });
  assert.deepEqual(finds, []);
  assert.equal(figures.executions, inputs.length);
});

test("hostile options, signals, replies, stores and clocks: no find, and no secret left in memory, heap or output", { timeout: 240_000 }, async (t) => {
  const { figures, finds } = await fuzz({ consumer: await installed(), seed: 20_261_125, count: 20_000 });
  assert.deepEqual(finds, []);
  t.diagnostic(JSON.stringify(figures));
  // Not by never getting anywhere.
  for (const code of ["token", "an abort's reason", ...Object.keys(CODES)]) assert.ok(figures.outcomes[code] > (code === "credentials" ? 3 : 20), `${figures.outcomes[code]} calls ended with ${code}`);
  assert.ok(figures.compared > 0.3 * figures.executions, `the oracle had something to say of ${figures.compared}`);
});

test("a seed gives the same inputs and the same outcomes, whenever and from wherever it is begun", { timeout: 60_000 }, async () => {
  const consumer = await installed();
  const run = async (from, count) => (await fuzz({ consumer, seed: 5, from, count, snapshot: false })).figures.outcomes;
  const [whole, first, second] = [await run(0, 2_000), await run(0, 1_000), await run(1_000, 1_000)];
  const sum = {};
  for (const [name, count] of [...Object.entries(first), ...Object.entries(second)]) sum[name] = (sum[name] ?? 0) + count;
  assert.deepEqual(sum, whole);
});
