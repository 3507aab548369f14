// Every code block of a page, run as it is (see reader.mjs).
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startSandbox } from "../lib/sandbox.mjs";
import { blocksOf } from "./extract.mjs";
import { read } from "./pages.mjs";
import { Reader } from "./reader.mjs";

/** The blocks that are programs: not drawings, and not what a program beside prints. */
export const programsOf = (markdown) => blocksOf(markdown).filter(({ language }) => language !== "text");

/** Registers the tests of a page and of its twin: `recipes` says of each block how it is run, and what has to come of it. */
export function testBlocks({ en, fr }, recipes) {
  for (const document of [en, fr]) {
    const blocks = blocksOf(read(document));
    const programs = programsOf(read(document));
    const names = programs.map(({ language, name }) => `${language} ${name}`);

    describe(document, () => {
      let sandbox;
      let reader;
      before(async () => {
        sandbox = await startSandbox();
        reader = new Reader(sandbox);
        // The front page says itself how the package is installed.
        if (!names.includes("sh install")) await reader.use();
      });
      after(() => sandbox?.stop());

      for (const [index, block] of programs.entries()) {
        test(`line ${block.line}: ${names[index]}`, async () => {
          assert.ok(Object.hasOwn(recipes, names[index]), `nothing runs the block "${names[index]}": tests/docs/recipes has to`);
          await sandbox.reset();
          await recipes[names[index]](reader, block, blocks);
        });
      }

      test("each block was run, and nothing else", () => {
        assert.equal(new Set(names).size, names.length, "two blocks have one name");
        assert.deepEqual([...reader.executed].sort(), [...names].sort());
        assert.deepEqual(Object.keys(recipes).sort(), [...names].sort());
      });
    });
  }
}
