// `npm test` itself: whatever goes wrong in a test, its sum says so, and in a bounded time.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { promisify } from "node:util";
import { libtest, verdict } from "../../scripts/lib/runners.mjs";
import { temporaryFolder } from "../../scripts/lib/temporary.mjs";

const run = promisify(execFile);

const folder = temporaryFolder("digitalpaye-auth-runners");

/** One of the runners in a process of its own: what it prints is about tests that are meant to fail. */
async function tally(runner, ...args) {
  const script = `import { runners } from ${JSON.stringify(new URL("../../scripts/lib/runners.mjs", import.meta.url))};
const tally = await runners()[${JSON.stringify(runner)}](...${JSON.stringify(args)});
process.stdout.write("\\n" + JSON.stringify(tally));`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", script], { timeout: 60_000 });
  return JSON.parse(stdout.split("\n").at(-1));
}

const head = 'import test, { describe, it } from "node:test"; import assert from "node:assert";';

for (const [what, sources, expected] of [
  ["passing tests", [`test("a", async (t) => { await t.test("b", () => {}); }); describe("s", () => { it("c", () => {}); });`], { passed: 3, failed: 0, skipped: 0 }],
  ["a skipped test", [`test("a", () => {}); test("b", { skip: true }, () => {});`], { passed: 1, failed: 0, skipped: 1 }],
  ["a failing test", [`test("a", () => {}); test("b", () => assert.fail("on purpose"));`], { passed: 1, failed: 1, skipped: 0 }],
  ["tests of two files", [`test("a", () => {});`, `test("b", () => assert.fail("on purpose"));`], { passed: 1, failed: 1, skipped: 0 }],
  ["a file that throws", [`throw new Error("on purpose");`], { passed: 0, failed: 1, skipped: 0 }],
  ["a file that exits", [`test("a", () => {}); test("b", async () => { setTimeout(() => process.exit(3), 20); await new Promise((r) => setTimeout(r, 5000)); });`], { failed: 1 }],
  ["a test that never ends", [`test("a", () => new Promise((r) => setTimeout(r, 60_000)));`], { passed: 0, failed: 1, skipped: 0 }],
  ["a test that blocks", [`test("a", () => { for (;;); });`], { passed: 0, failed: 1, skipped: 0 }],
]) {
  test(`Node.js' runner: ${what}`, async () => {
    const files = sources.map((source, index) => {
      const file = join(folder, `${index}.test.mjs`);
      writeFileSync(file, head + source);
      return file;
    });
    const begun = performance.now();
    const counted = await tally("nodeTests", files, {}, { fileTimeout: 3_000 });
    for (const [key, value] of Object.entries(expected)) assert.equal(counted[key], value, key);
    assert.ok(performance.now() - begun < 30_000);
  });
}

test("Rust's harness: its lines are summed, coloured or not", () => {
  const output = `
running 3 tests
test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.01s
     Running tests/other.rs
test result: \u001b[31mFAILED\u001b[0m. 10 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s
a test may print "test result: ok. 100 passed; 0 failed; 0 ignored" in a line of its own words
`;
  assert.deepEqual(libtest(output), { passed: 13, failed: 2, skipped: 1 });
});

for (const [what, script, expected] of [
  ["passes", `echo "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured"`, { passed: 2, failed: 0 }],
  ["fails", `echo "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured"; exit 101`, { passed: 2, failed: 1 }],
  ["does not compile", `echo "error[E0433]" >&2; exit 101`, { passed: 0, failed: 1 }],
  ["passes and then crashes", `echo "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured"; kill -SEGV $$`, { passed: 2, failed: 1 }],
  ["runs nothing", `echo "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured"`, { passed: 0, failed: 1 }],
]) {
  test(`Rust's harness: a run that ${what}`, async () => {
    const { passed, failed } = await tally("cargoTests", ["sh", "-c", script]);
    assert.deepEqual({ passed, failed }, expected);
  });
}

test("a check is one passed or one failed", async () => {
  assert.deepEqual(await tally("checks", ["true"], ["false"], ["sh", "-c", "exit 7"]), { passed: 1, failed: 2, skipped: 0 });
});

test("a run that was stopped has failed, whatever it had counted", () => {
  const counted = { passed: 5, failed: 0, skipped: 0 };
  assert.equal(verdict(counted, { code: null, signal: "SIGTERM", timedOut: true }).failed, 1);
  assert.equal(verdict({ ...counted, failed: 3 }, { code: null, signal: "SIGTERM", timedOut: true }).failed, 3);
  assert.deepEqual(verdict(counted, { code: 0 }), counted);
});
