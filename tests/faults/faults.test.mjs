// Every fault in every runtime: the typed error, in the time allowed, nothing leaked, and the next call works.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, describe, test } from "node:test";
import { partOf } from "../lib/marks.mjs";
import { faults } from "./faults.mjs";
import { table } from "./markdown.mjs";
import { PATIENCE_MS, SLOW_MS, expected, names, run } from "./run.mjs";

/** What a busy machine may add. */
const BUSY_MS = 4_000;

const outcomes = {};

for (const runtime of names) {
  describe(runtime, () => {
    let report;
    before(async () => {
      report = await run(runtime);
      outcomes[runtime] = new Map(report.results.map(({ fault, ends }) => [fault.id, ends]));
    });

    for (const fault of faults.filter((fault) => expected(fault, runtime))) {
      test(`${fault.stage}: ${fault.name}`, () => {
        const { ends, status, attempts, message, leak, ms, next, exchanges, quiet, exposed } = report.results.find((result) => result.fault === fault);
        assert.equal(ends, expected(fault, runtime), message);
        if (fault.status) assert.equal(status, fault.status);
        if (ends !== "token") assert.equal(attempts, 1);
        if (ends === "TimeoutError") assert.ok(ms >= SLOW_MS - 10, `it ended after ${ms} ms`);
        const most = fault.slow ? SLOW_MS + BUSY_MS : PATIENCE_MS - BUSY_MS;
        assert.ok(ms <= most, `it took ${ms} ms, of ${most}`);
        assert.equal(leak, undefined);
        assert.equal(next, "token", "the next call");
        assert.ok(quiet, "a connection was left open");
        if (fault.deliver && exchanges !== undefined) assert.equal(exchanges, fault.stranger ? 0 : 1, "exchanges that met the fault");
        if (fault.stranger) assert.ok(!exposed, "a stranger got the header");
      });
    }

    test("nothing escapes, and nothing stays", () => {
      assert.equal(report.strangers, 0, "a redirect was followed");
      assert.equal(report.remembered, undefined, "credentials in memory, after dispose");
      assert.deepEqual(report.unhandled, []);
      assert.doesNotMatch(report.output, /sandbox_secret|Basic |eyJ|panic|unreachable|RuntimeError|Uncaught/);
      assert.ok(report.pages < 30, `${report.pages} pages`);
    });
  });
}

test("README.md shows what the run found", () => {
  const document = readFileSync(new URL("README.md", import.meta.url), "utf8");
  assert.equal(partOf(document, "faults"), table(faults, outcomes), "npm run check faults -- --write");
});
