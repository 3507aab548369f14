// The pages on the emulator: their tests run, as they stand, in the runners that they are for.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { must } from "../../scripts/lib/process.mjs";
import { typeset } from "../lib/typography.mjs";
import { blocksOf, headingsOf, proseOf, tablesOf } from "../docs/extract.mjs";
import { makeProject, runner } from "./projects.mjs";

const read = (name) => readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8");
const pages = { English: read("emulator.md"), French: read("emulator.fr.md") };
const codeOf = (page) => Object.fromEntries(blocksOf(page).map(({ name, code }) => [name, code]));
const files = ["pay.js", "pay.vitest.test.js", "pay.node.test.js", "serve.sh", "token.sh", "token.php", "token.java"];

for (const [language, page] of Object.entries(pages)) {
  describe(language, () => {
    const code = codeOf(page);

    test("has the blocks that are tested, and no others", () => assert.deepEqual(Object.keys(code), files));

    test("the test for Vitest passes, and fails without the second attempt", async () => {
      const vitest = async (folder) => must(process.execPath, [await runner("vitest/vitest.mjs"), "run", "--root", folder], { cwd: folder, timeout: 60_000 });
      const tests = (text) => ({ "pay.js": code["pay.js"], "pay.vitest.test.js": text });
      assert.match((await vitest(await makeProject(tests(code["pay.vitest.test.js"]), { tools: ["vitest"] }))).stdout, /1 passed/);
      const broken = code["pay.vitest.test.js"].replace("fetch: emulator.fetch", "fetch: emulator.fetch, maxRetries: 0");
      await assert.rejects(vitest(await makeProject(tests(broken), { tools: ["vitest"] })), ({ output }) => /InternalServerError/.test(output));
    });

    test("the test for node --test passes, and fails without the second attempt", async () => {
      const project = await makeProject(code);
      const { stdout } = await must(process.execPath, ["--test", "pay.node.test.js"], { cwd: project, timeout: 60_000 });
      assert.match(stdout, /pass 1/);
      const broken = await makeProject({ ...code, "pay.node.test.js": code["pay.node.test.js"].replace("fetch: emulator.fetch", "fetch: emulator.fetch, maxRetries: 0") });
      await assert.rejects(must(process.execPath, ["--test", "pay.node.test.js"], { cwd: broken, timeout: 60_000 }), ({ output }) => /InternalServerError/.test(output));
    });

    test("a test has ten lines", () => {
      for (const name of ["pay.vitest.test.js", "pay.node.test.js"]) {
        const lines = code[name].split("\n");
        const [begin, end] = [lines.findIndex((line) => line.startsWith("test(")), lines.indexOf("});")];
        assert.ok(end - begin - 1 <= 10, name);
      }
    });
  });
}

test("both languages say the same things in the same places", () => {
  const { English, French } = pages;
  assert.deepEqual(headingsOf(French).map(({ level }) => level), headingsOf(English).map(({ level }) => level));
  const firstCells = (page) => tablesOf(page).slice(1).flatMap(({ rows }) => rows.map(([cell]) => cell));
  assert.deepEqual(firstCells(French), firstCells(English));
  const data = (page) => blocksOf(page).map(({ code }) => code.replaceAll(/"(not enough money|solde insuffisant|a payment [^"]+|un paiement [^"]+)"/g, '""'));
  assert.deepEqual(data(French), data(English));
  assert.equal(typeset(proseOf(French)), proseOf(French));
});
