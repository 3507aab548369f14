// auth.fetch beside the platform's fetch: see README.md.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { compare } from "./compare.mjs";
import { sift } from "./known.mjs";
import { runtimes, stopBrowser } from "./runtimes.mjs";

after(stopBrowser);

for (const runtime of runtimes) {
  test(`${runtime.name}: server and caller see the same`, { timeout: 120_000 }, async (t) => {
    const { total, possible, found } = await compare(runtime);
    t.diagnostic(`${possible} of ${total} cases, ${found.length} differences, all of them known`);
    assert.ok(possible > 500, `only ${possible} cases could be made`);
    const { unknown, unseen } = sift(runtime.name, found);
    assert.deepEqual(unknown, []);
    assert.deepEqual(unseen, []);
  });
}
