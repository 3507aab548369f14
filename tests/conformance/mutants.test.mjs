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
const awaiting = (file, what = "null") => edit(file, (code) => `await ${what};\n${code}`);

const browserFirst = manifest((fields) => {
  const { types, ...main } = fields.exports["."];
  return { ...fields, exports: { ...fields.exports, ".": { browser: main.import, ...main } } };
});
const withoutSideEffects = manifest((fields) => ({ ...fields, sideEffects: false }));
const emulatorWithoutSideEffects = manifest((fields) => ({
  ...fields, sideEffects: fields.sideEffects.filter((file) => !file.includes("emulator")),
}));

const mutants = [
  ["`browser` before `workerd`", browserFirst, "workerd, first used in a request", /Wasm code generation disallowed/],
  ...["esbuild", "Vite", "webpack", "Rollup", "Parcel"].map((bundler) => (
    ["no side effects", withoutSideEffects, `${bundler}, bundle`, /of undefined/]
  )),
  ["no module", without("wasm/digitalpaye_auth_bg.wasm"), "workerd, newest compatibility date", /digitalpaye_auth_bg\.wasm/],
  ["no module", without("wasm/digitalpaye_auth_bg.wasm"), "edge-runtime, compiled module", /digitalpaye_auth_bg\.wasm/],
  ["no module as bytes", without("wasm/bytes.js"), "Node 24, import", /bytes\.js/],
  ["the emulator without side effects", emulatorWithoutSideEffects, "Rollup, bundle", /of undefined/],
  ["no module of the emulator", without("wasm/digitalpaye_emulator_bg.wasm"), "workerd, newest compatibility date", /digitalpaye_emulator_bg\.wasm/],
  ["no module of the emulator", without("wasm/digitalpaye_emulator_bg.wasm"), "edge-runtime, compiled module", /digitalpaye_emulator_bg\.wasm/],
  // Node, bundlers and pages bear it in a module; what waits for no more than null, workerd does, too.
  ["top-level await in index.js", awaiting("index.js"), "Chromium, service worker", /Top-level await is disallowed/],
  ["top-level await in cjs/index.cjs", awaiting("cjs/index.cjs"), "Node 20, require", /await is only valid/],
  ["top-level await in workerd.js", awaiting("workerd.js", "new Promise((done) => setTimeout(done, 1))"),
    "workerd, newest compatibility date", /not allowed within global scope/],
  ["top-level await in edge-light.js", awaiting("edge-light.js"), "edge-runtime, compiled module", /[Tt]op-level await/],
];

/** How often a cell may be red before it says why. */
const RUNS = 10;

for (const [fault, mutate, cell, message] of mutants) {
  test(`${fault}: "${cell}" is red`, { timeout: 120_000 }, async () => {
    const consumer = temporaryFolder("digitalpaye-auth-mutant");
    cpSync(await installed(), consumer, { recursive: true });
    mutate(join(consumer, "node_modules", "digitalpaye-auth"));
    // Red every time. Why, Chromium writes only most times of a service worker that does not start.
    let failures = "";
    for (let left = RUNS; left > 0 && !message.test(failures); left -= 1) {
      const { code, stdout, output } = await run(process.execPath, [runner, cell], {
        env: environment({ DIGITALPAYE_AUTH_CONSUMER: consumer }), timeout: 110_000,
      });
      assert.equal(code, 1, output);
      failures = JSON.parse(stdout).failures.join("\n");
    }
    assert.match(failures, message);
  });
}
