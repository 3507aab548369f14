// Every quick cell of the table of runtimes, from the packed and installed package, and the table in docs/runtimes.md.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { cells, nameOf, runCell, stopBrowsers } from "./lib/cells.mjs";
import { differences } from "./lib/markdown.mjs";

const results = [];

after(stopBrowsers);

for (const cell of cells.filter(({ quick }) => quick)) {
  test(nameOf(cell), { timeout: 120_000 }, async (t) => {
    const result = await runCell(cell);
    results.push(result);
    t.diagnostic(`${cell.runtime} ${result.version}: ${result.passed} of ${result.total} cases`);
    assert.deepEqual(result.failures, []);
  });
}

for (const [language, file] of [["en", "docs/runtimes.md"], ["fr", "docs/runtimes.fr.md"]]) {
  test(`the table in ${file} says what the run found`, () => {
    const document = readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
    assert.deepEqual(differences(document, results, { language, whole: false }), []);
  });
}
