// Every code block of the documentation, run as it is (see reader.mjs).
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startSandbox } from "../lib/sandbox.mjs";
import { blocksOf } from "./extract.mjs";
import { elsewhere, pages, read } from "./pages.mjs";
import { Reader } from "./reader.mjs";
import { recipes as credentials } from "./recipes/credentials.mjs";
import { recipes as errors } from "./recipes/errors.mjs";
import { recipes as events } from "./recipes/events.mjs";
import { recipes as options } from "./recipes/options.mjs";
import { recipes as readme } from "./recipes/readme.mjs";
import { recipes as servers } from "./recipes/servers.mjs";

const recipesOf = {
  "README.md": readme, "docs/credentials.md": credentials, "docs/errors.md": errors, "docs/events.md": events,
  "docs/options.md": options, "docs/recipes.md": servers,
};
// Drawings, and what a program beside prints.
const DRAWING = "text";

for (const { en, fr } of pages.filter((page) => !elsewhere.test(page.en))) {
  const recipes = recipesOf[en] ?? {};
  for (const document of [en, fr]) {
    const blocks = blocksOf(read(document));
    const runnable = blocks.filter(({ language }) => language !== DRAWING);
    const names = runnable.map(({ language, name }) => `${language} ${name}`);

    describe(document, () => {
      let sandbox;
      let reader;
      before(async () => {
        if (runnable.length === 0) return;
        sandbox = await startSandbox();
        reader = new Reader(sandbox);
        // The front page says itself how the package is installed.
        if (!names.includes("sh install")) await reader.use();
      });
      after(() => sandbox?.stop());

      for (const [index, block] of runnable.entries()) {
        test(`line ${block.line}: ${names[index]}`, async () => {
          assert.ok(Object.hasOwn(recipes, names[index]), `nothing runs the block "${names[index]}": tests/docs/recipes has to`);
          await sandbox.reset();
          await recipes[names[index]](reader, block, blocks);
        });
      }

      test("each block was run, and nothing else", () => {
        assert.equal(new Set(names).size, names.length, "two blocks have one name");
        assert.deepEqual([...reader?.executed ?? []].sort(), [...names].sort());
        assert.deepEqual(Object.keys(recipes).sort(), [...names].sort());
      });
    });
  }
}

test("pkg/AGENTS.md: its blocks, one after the other, are a program", async () => {
  const sandbox = await startSandbox();
  try {
    const reader = new Reader(sandbox);
    await reader.use();
    const blocks = blocksOf(read("pkg/AGENTS.md"));
    assert.deepEqual(blocks.map(({ name }) => name), ["agents-fetch.mjs", "agents-errors.mjs"]);
    const program = { language: "js", name: "agents.mjs", code: blocks.map(({ code }) => code).join("\n") };
    const { code, output } = await reader.run(program);
    assert.deepEqual([code, output], [0, ""]);
    assert.deepEqual(await sandbox.counts(), { "POST /v1/auth": 1, "GET /v1/balance": 2 });
    const without = await reader.run({ ...program, code: program.code.replace("fromEnv()", 'fromEnv({ apiSecret: "another" })').replace(/^.*const response.*$/m, "") });
    assert.deepEqual([without.code, without.output], [0, "unauthorized Identifiants API incorrects. Veuillez vérifier votre clé API et votre secret.\n"]);
  } finally {
    await sandbox.stop();
  }
});
