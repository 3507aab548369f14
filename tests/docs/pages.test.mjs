// The programs of the pages in docs/, and of AGENTS.md.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startSandbox } from "../lib/sandbox.mjs";
import { programsOf, testBlocks } from "./blocks.mjs";
import { blocksOf } from "./extract.mjs";
import { elsewhere, pages, read } from "./pages.mjs";
import { Reader } from "./reader.mjs";
import { recipes as credentials } from "./recipes/credentials.mjs";
import { recipes as errors } from "./recipes/errors.mjs";
import { recipes as events } from "./recipes/events.mjs";
import { recipes as options } from "./recipes/options.mjs";

const recipesOf = { "docs/credentials.md": credentials, "docs/errors.md": errors, "docs/events.md": events, "docs/options.md": options };
// These have a file of tests of their own, since they take long.
const beside = ["README.md", "docs/recipes.md"];

for (const page of pages.filter(({ en }) => recipesOf[en])) testBlocks(page, recipesOf[page.en]);

test("no other page has a program that nothing runs", () => {
  const run = [...Object.keys(recipesOf), ...beside];
  assert.deepEqual(run.filter((name) => !pages.some(({ en }) => en === name)), []);
  for (const { en, fr } of pages.filter((page) => !elsewhere.test(page.en) && !run.includes(page.en))) {
    for (const document of [en, fr]) assert.deepEqual(programsOf(read(document)).map(({ name }) => name), [], document);
  }
});

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
    const refused = await reader.run({ ...program, code: program.code.replace("fromEnv()", 'fromEnv({ apiSecret: "another" })').replace(/^.*const response.*$/m, "") });
    assert.deepEqual([refused.code, refused.output], [0, "unauthorized Identifiants API incorrects. Veuillez vérifier votre clé API et votre secret.\n"]);
  } finally {
    await sandbox.stop();
  }
});
