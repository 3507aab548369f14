// Every code block of the READMEs, run as it is (see reader.mjs).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { startSandbox } from "../lib/sandbox.mjs";
import { blocksOf } from "./extract.mjs";
import { Reader } from "./reader.mjs";
import { recipes } from "./recipes.mjs";

const root = new URL("../../", import.meta.url);
// Drawings and nothing else.
const DRAWING = "text";

for (const document of ["README.md", "README.fr.md"]) {
  describe(document, () => {
    const blocks = blocksOf(readFileSync(new URL(document, root), "utf8"));
    const runnable = blocks.filter(({ language }) => language !== DRAWING);
    let sandbox;
    let reader;
    before(async () => {
      sandbox = await startSandbox();
      reader = new Reader(sandbox);
    });
    after(() => sandbox?.stop());

    for (const block of runnable) {
      const name = `${block.language} ${block.name}`;
      test(`line ${block.line}: ${name}`, async () => {
        assert.ok(Object.hasOwn(recipes, name), `nothing runs the block "${name}": tests/docs/recipes.mjs has to`);
        await sandbox.reset();
        await recipes[name](reader, block, blocks);
      });
    }

    test("each block was run, and nothing else", () => {
      const names = runnable.map(({ language, name }) => `${language} ${name}`);
      assert.equal(new Set(names).size, names.length, "two blocks have one name");
      assert.deepEqual([...reader.executed].sort(), names.sort());
      assert.deepEqual(Object.keys(recipes).sort(), names);
    });
  });
}
