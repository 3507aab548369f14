// The types of the packed package for the oldest compiler, and beside those of Bun.
import assert from "node:assert/strict";
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { root } from "../../scripts/lib/paths.mjs";
import { environment, run } from "../../scripts/lib/process.mjs";
import { temporaryFolder } from "../../scripts/lib/temporary.mjs";
import { installed } from "../lib/install.mjs";
import { installOnce } from "../lib/projects.mjs";

const programs = fileURLToPath(new URL("programs", import.meta.url));
const more = fileURLToPath(new URL("more", import.meta.url));
const compilerOf = (folder, name) => join(folder, "node_modules", name, "bin", "tsc");

let consumer;

before(async () => {
  await installOnce(more);
  consumer = temporaryFolder("digitalpaye-auth-more-types");
  const here = join(consumer, "node_modules");
  cpSync(join(await installed(), "node_modules", "digitalpaye-auth"), join(here, "digitalpaye-auth"), { recursive: true });
  mkdirSync(join(here, "@types"));
  for (const name of ["@types/bun", "@types/node", "bun-types", "undici-types"]) symlinkSync(join(more, "node_modules", name), join(here, name));
  writeFileSync(join(consumer, "package.json"), JSON.stringify({ name: "consumer", private: true }));
});

/** What a compiler says of a program. */
async function compile(command, program, extension, options) {
  const folder = join(consumer, [program, extension, options.lib].join().replaceAll(/\W+/g, "-"));
  mkdirSync(folder, { recursive: true });
  const file = `${program}.${extension}`;
  cpSync(join(programs, `${program}.ts`), join(folder, file));
  const compilerOptions = {
    target: "es2022", noEmit: true, strict: true, skipLibCheck: false, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, ...options,
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: [file] }));
  const { output } = await run(process.execPath, [command, "--project", folder, "--pretty", "false"], { cwd: folder, env: environment(), timeout: 100_000 });
  return output.trim();
}

const oldest = [
  ["node", "ts", { module: "commonjs", moduleResolution: "node" }],
  ["node16, ES module", "mts", { module: "node16", moduleResolution: "node16" }],
  ["node16, CommonJS", "cts", { module: "node16", moduleResolution: "node16" }],
];
for (const [name, extension, options] of oldest) {
  for (const lib of [["es2022"], ["es2022", "dom"]]) {
    test(`TypeScript 4.7; ${name}; ${lib.join(" and ")}`, async () => {
      assert.equal(await compile(compilerOf(more, "typescript"), "oldest", extension, { ...options, lib, types: [] }), "");
    });
  }
}

test("TypeScript 4.6 is too old: it cannot read the declarations", async () => {
  const output = await compile(compilerOf(more, "typescript46"), "oldest", "ts", { module: "commonjs", moduleResolution: "node", lib: ["es2022"], types: [] });
  assert.match(output, /digitalpaye-auth\/index\.d\.ts\(\d+,\d+\): error TS1005/);
});

for (const name of ["typescript5", "typescript"]) {
  test(`Bun's types; ${name}`, async () => {
    const options = { module: "esnext", moduleResolution: "bundler", lib: ["esnext"], types: ["bun"] };
    assert.equal(await compile(compilerOf(root, name), "bun", "ts", options), "");
  });
}
