// `npm run check`: what it offers, and that it is the check itself that is run.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

const check = (...words) => new Promise((done) => {
  execFile(process.execPath, ["scripts/check.mjs", ...words], { cwd: root, timeout: 60_000 }, (error, stdout, stderr) => done({ code: error ? error.code : 0, stdout, stderr }));
});

test("without a name: all of them, a line each, and every file of them is there", async () => {
  const { code, stdout, stderr } = await check();
  assert.equal(code, 0, stderr);
  const names = [...stdout.matchAll(/^ {2}([\w-]+) {2,}\S.*$/gm)].map(([, name]) => name);
  assert.ok(names.includes("soak") && names.includes("audit"), stdout);
  assert.ok(stdout.split("\n").every((line) => line.length <= 120), stdout);
  const files = [...readFileSync(resolve(root, "scripts/check.mjs"), "utf8").matchAll(/\["([\w/.-]+\.mjs)", "/g)].map(([, file]) => file);
  assert.equal(files.length, names.length - 1, "all but the one that is cargo's");
  for (const file of files) assert.ok(existsSync(resolve(root, file)), file);
});

test("one that does not exist: which there are, and exit code 2", async () => {
  for (const name of ["soaking", "toString", "__proto__"]) {
    const { code, stdout, stderr } = await check(name);
    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, new RegExp(`^There is no check "${name}"\\.\n\nUsage: npm run check NAME`));
  }
});

test("options reach it, and its exit code comes back", async () => {
  const { code, stdout } = await check("frameworks", "--list");
  assert.equal(code, 0);
  assert.match(stdout, /express/);
  const wrong = await check("frameworks", "no-such-framework");
  assert.notEqual(wrong.code, 0);
  assert.match(wrong.stderr, /no-such-framework/);
});

test("the pages name no check that there is not, and no other command", () => {
  const { scripts } = JSON.parse(readFileSync(resolve(root, "package.json"), "utf8"));
  const source = readFileSync(resolve(root, "scripts/check.mjs"), "utf8");
  for (const page of ["CONTRIBUTING.md", "SECURITY.md", "README.md", "docs/runtimes.md", "docs/frameworks.md", "tests/fuzz/README.md", "tests/host/README.md"]) {
    for (const [words, name, what] of readFileSync(resolve(root, page), "utf8").matchAll(/npm run ([\w:]+)(?: ([a-z-]+))?/g)) {
      assert.ok(name in scripts, `${page}: ${words}`);
      if (name === "check" && what !== undefined) assert.match(source, new RegExp(`^ {2}"?${what}"?: \\[`, "m"), `${page}: ${words}`);
    }
  }
});
