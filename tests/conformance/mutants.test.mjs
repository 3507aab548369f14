// Tests of the tests: a package with one of the faults that packages of this kind have turns its cell red.
import assert from "node:assert/strict";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { environment, run } from "../../scripts/lib/process.mjs";
import { temporaryFolder } from "../../scripts/lib/temporary.mjs";
import { installed } from "../lib/install.mjs";

const runner = fileURLToPath(new URL("run.mjs", import.meta.url));

const edit = (file, change) => (folder) => {
  const path = join(folder, file);
  const before = readFileSync(path, "utf8");
  const after = change(before);
  assert.notEqual(after, before, `${file} is as it was`);
  writeFileSync(path, after);
};
const manifest = (change) => edit("package.json", (text) => JSON.stringify(change(JSON.parse(text))));
const without = (file) => (folder) => rmSync(join(folder, file));
const awaiting = (file) => edit(file, (code) => `await null;\n${code}`);

const browserFirst = manifest((fields) => {
  const { types, ...main } = fields.exports["."];
  return { ...fields, exports: { ...fields.exports, ".": { browser: main.import, ...main } } };
});
const withoutSideEffects = manifest((fields) => ({ ...fields, sideEffects: false }));

const mutants = [
  ["`browser` before `workerd`", browserFirst, "workerd, first used in a request", /Wasm code generation disallowed/],
  ["no side effects", withoutSideEffects, "Rollup, bundle"],
  ["no side effects", withoutSideEffects, "webpack, bundle"],
  ["no side effects", withoutSideEffects, "Vite, bundle"],
  ["no module", without("wasm/digitalpaye_auth_bg.wasm"), "workerd, compatibility date 2026-11-17", /digitalpaye_auth_bg\.wasm/],
  ["no module", without("wasm/digitalpaye_auth_bg.wasm"), "edge-runtime, compiled module", /digitalpaye_auth_bg\.wasm/],
  ["no module as bytes", without("wasm/bytes.js"), "Node 24, import", /bytes\.js/],
  ["top-level await in index.js", awaiting("index.js"), "Chromium, service worker"],
  ["top-level await in edge-light.js", awaiting("edge-light.js"), "edge-runtime, compiled module", /[Tt]op-level await/],
];

for (const [fault, mutate, cell, message = /./] of mutants) {
  test(`${fault}: "${cell}" is red`, { timeout: 120_000 }, async () => {
    const consumer = temporaryFolder("digitalpaye-auth-mutant");
    cpSync(await installed(), consumer, { recursive: true });
    mutate(join(consumer, "node_modules", "digitalpaye-auth"));
    const { code, stdout, output } = await run(process.execPath, [runner, cell], {
      env: environment({ DIGITALPAYE_AUTH_CONSUMER: consumer }), timeout: 110_000,
    });
    assert.equal(code, 1, output);
    const { failures } = JSON.parse(stdout);
    assert.ok(failures.length > 0);
    assert.match(failures.join("\n"), message);
  });
}
