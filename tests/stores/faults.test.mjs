// Each client of Redis under each fault of its server. With WRITE_TABLE=1 it writes what it
// saw into README.md.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, describe, test } from "node:test";
import { partOf, writePart } from "../lib/marks.mjs";
import { CLIENTS } from "./clients.mjs";
import { FAULTS, cell, putFault } from "./faults.mjs";

const README = new URL("README.md", import.meta.url);
const rows = Object.keys(CLIENTS);
const columns = Object.keys(FAULTS);
const table = new Map();

describe("clients and faults", { concurrency: 3 }, () => {
  for (const fault of columns) {
    for (const client of rows) {
      test(`${client}: ${fault}`, { timeout: 60_000 }, async () => {
        const seen = await putFault(client, fault);
        const counted = (what) => seen.calls.filter((call) => call.what === what).length;
        // A server that hangs is silent to clients without a limit of their own; whoever waits has one, of 2 s.
        // So is a function whose client queues while it is not connected.
        if (fault !== "hanging" && client !== "a function") assert.equal(counted("silent"), 0, JSON.stringify(seen.calls));
        if (fault === "stopped" || fault === "wrong password") assert.equal(counted("answered"), 0, JSON.stringify(seen.calls));
        if (fault === "read-only replica") assert.ok(counted("rejected") >= 2, JSON.stringify(seen.calls));
        if (fault === "nonsense in its keys") assert.equal(counted("answered"), 5, JSON.stringify(seen.calls));
        assert.notEqual(seen.again, false, "the store works again");
        table.set(`${client}: ${fault}`, cell(seen));
      });
    }
  }
});

after(() => {
  if (process.env.WRITE_TABLE !== "1" || table.size < rows.length * columns.length) return;
  const found = rows.map((row) => [row, ...columns.map((column) => table.get(`${row}: ${column}`))]);
  const lines = [["client", ...columns], ["---", ...columns.map(() => "---")], ...found].map((cells) => `| ${cells.join(" | ")} |`);
  writePart(README, "faults", lines.join("\n"));
});

test("the README has a row for each client and a column for each fault", () => {
  const lines = partOf(readFileSync(README, "utf8"), "faults").split("\n")
    .map((each) => each.split("|").slice(1, -1).map((each) => each.trim()));
  assert.deepEqual(lines[0], ["client", ...columns]);
  assert.deepEqual(lines.slice(2).map(([row]) => row), rows);
});
