// Which stages of `npm test` a change can reach, and how their jobs run beside each other.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import test, { describe } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { sideBySide } from "../../scripts/lib/side-by-side.mjs";
import { isThere, stages, stagesReachedBy, testFiles } from "../../scripts/lib/stages.mjs";

const names = (some) => some.map(({ name }) => name);
const tracked = execFileSync("git", ["ls-files"], { cwd: new URL("../..", import.meta.url), encoding: "utf8" }).trim().split("\n");

describe("the stages that a change reaches", () => {
  for (const [what, files, expected] of [
    ["nothing", [], []],
    ["a page of the documentation", ["docs/errors.fr.md"], ["packaging", "docs"]],
    ["the page", ["www/src/main.js"], ["page"]],
    ["one suite", ["tests/stores/redis.test.mjs"], ["stores"]],
    ["an example", ["examples/cron/pay.js"], ["examples"]],
    ["two of these", ["www/index.html", "tests/soak/soak.test.mjs"], ["page", "faults"]],
    ["tests on the host", ["tests/host/refresh.rs"], ["fmt", "clippy", "host"]],
    ["a file that no stage knows", [".ci/run"], names(stages)],
  ]) test(what, () => assert.deepEqual(names(stagesReachedBy(files)), expected));

  test("a decision: all but what needs no package", () => {
    assert.deepEqual(names(stages.filter((stage) => !stagesReachedBy(["src/refresh.rs"]).includes(stage))), ["deny"]);
  });

  test("each suite's own files reach it", () => {
    for (const stage of stages.filter(({ suites }) => suites)) {
      for (const file of stage.suites.flatMap(testFiles)) assert.ok(stagesReachedBy([file]).includes(stage), file);
    }
  });

  test("every test file is some stage's, or a command's of its own", () => {
    const all = new Set(stages.filter(isThere).flatMap(({ suites = [] }) => suites.flatMap(testFiles)));
    const others = tracked.filter((file) => file.endsWith(".test.mjs") && !all.has(file));
    assert.deepEqual(others.filter((file) => !/^tests\/(frameworks|test-runners)\//.test(file)), []);
  });
});

describe("side by side", () => {
  /** Runs jobs that note their beginnings and ends. */
  async function play(jobs, width) {
    const notes = [];
    const running = new Set();
    let most = 0;
    await sideBySide(jobs.map(({ name, ms = 5, ...rest }) => ({ ...rest, run: async () => {
      running.add(name);
      most = Math.max(most, running.size);
      notes.push([name, ...[...running].filter((other) => other !== name)]);
      await sleep(ms);
      running.delete(name);
    } })), width);
    return { notes, most };
  }

  test("as many as are wanted, each once, in their order", async () => {
    const { notes, most } = await play(["a", "b", "c", "d", "e"].map((name) => ({ name })), 2);
    assert.deepEqual(notes.map(([name]) => name), ["a", "b", "c", "d", "e"]);
    assert.equal(most, 2);
  });

  test("one at a time in a lane, beside others", async () => {
    const { notes } = await play([{ name: "a1", lane: "a", ms: 30 }, { name: "a2", lane: "a" }, { name: "b", ms: 60 }, { name: "a3", lane: "a" }], 3);
    assert.deepEqual(notes.map(([name]) => name), ["a1", "b", "a2", "a3"]);
    for (const [name, ...others] of notes) if (name.startsWith("a")) assert.ok(!others.some((other) => other.startsWith("a")), String(others));
  });

  test("alone, after all others", async () => {
    const { notes } = await play([{ name: "alone", alone: true }, { name: "a", ms: 20 }, { name: "b" }, { name: "too", alone: true }], 3);
    assert.deepEqual(notes, [["a"], ["b", "a"], ["alone"], ["too"]]);
  });

  test("nothing to do", () => sideBySide([], 3));
});
