// What makes the table in a document wrong, and what does not.
import assert from "node:assert/strict";
import { test } from "node:test";
import { withPart } from "../lib/marks.mjs";
import { differences, table } from "./lib/markdown.mjs";

const cell = (runtime, more) => ({
  runtime, as: "page", quick: true, version: "1.0", passed: 25, total: 25, limits: ["`Retry-After` hidden"], ...more,
});
const ran = [cell("Chromium"), cell("Firefox"), cell("WebKitGTK", { quick: false })];

for (const language of ["en", "fr"]) {
  const document = (results, made = { date: "2026-11-24", platform: "Linux" }) =>
    withPart("# A\n<!-- runtimes:begin --><!-- runtimes:end -->\nB\n", "runtimes", table(results, { language, ...made }));
  const compare = (results, whole) => differences(document(ran), results, { language, whole });

  test(`${language}: another version, date or platform is no difference`, () => {
    assert.deepEqual(compare(ran.map((result) => ({ ...result, version: "2.0" })), true), []);
    const elsewhere = document(ran, { date: "2027-01-01", platform: "macOS" });
    assert.deepEqual(differences(elsewhere, ran, { language, whole: true }), []);
  });

  test(`${language}: cells that did not run are one only where all were to`, () => {
    assert.deepEqual(compare(ran.slice(0, 2), false), []);
    assert.equal(compare(ran.slice(0, 2), true).length, 1);
  });

  for (const [what, change] of [
    ["fewer cases passed", { passed: 24 }], ["more cases", { passed: 26, total: 26 }], ["nothing hidden", { limits: [] }],
    ["left out by npm test", { quick: false }], ["another runtime", { runtime: "Opera" }],
  ]) {
    test(`${language}: ${what} is a difference`, () => {
      assert.equal(compare([{ ...ran[0], ...change }, ...ran.slice(1)], false).length, 1);
    });
  }

  test(`${language}: what is around the table stays`, () => {
    const once = document(ran);
    assert.match(once, /^# A\n<!-- runtimes:begin -->\n\|[^]*\n<!-- runtimes:end -->\nB\n$/);
    assert.equal(withPart(once, "runtimes", table(ran, { language, date: "2026-11-24", platform: "Linux" })), once);
  });
}
