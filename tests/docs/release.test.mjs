// `npm run release:check`: what it refuses before it builds anything. In a repository of its own.
import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { before, beforeEach, test } from "node:test";
import { root } from "../../scripts/lib/paths.mjs";
import { environment, must, run } from "../../scripts/lib/process.mjs";
import { temporaryFolder } from "../../scripts/lib/temporary.mjs";

const folder = temporaryFolder("digitalpaye-auth-release");
const files = ["scripts", "package.json", "pkg/package.json", "Cargo.toml", "Cargo.lock", "module/Cargo.toml", "CHANGELOG.md",
  ...["express", "next", "workers", "fleet", "cron"].map((name) => `examples/${name}/package.json`)];
// Nothing of the user's own git configuration, hooks and signatures.
const env = environment({ GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null", CARGO_TARGET_DIR: "target" });

const git = (...args) => must("git", ["-c", "user.name=test", "-c", "user.email=test@example.com", ...args], { cwd: folder, env });
const check = (...args) => run(process.execPath, [join("scripts", "release.mjs"), ...args], { cwd: folder, env, timeout: 60_000 });

function change(file, from, to) {
  const path = join(folder, file);
  const text = readFileSync(path, "utf8");
  assert.ok(from instanceof RegExp ? from.test(text) : text.includes(from), `${file} has no ${from}`);
  writeFileSync(path, text.replace(from, to));
}

before(async () => {
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(root, file), join(folder, file), { recursive: true });
  }
  await git("init", "--quiet");
  await git("add", "--all");
  await git("commit", "--quiet", "--message", "all");
});
beforeEach(() => git("reset", "--hard", "--quiet"));

for (const file of ["pkg/package.json", "Cargo.toml", "module/Cargo.toml", "CHANGELOG.md"]) {
  test(`another version in ${file}: all of them are named`, async () => {
    change(file, file === "CHANGELOG.md" ? /^## \[\d[^\]]*\]/m : /^(\s*"?version"?\s*[:=]\s*)"[^"]+"/m, file === "CHANGELOG.md" ? "## [9.9.9]" : '$1"9.9.9"');
    const { code, output } = await check("--skip-tests");
    assert.equal(code, 1);
    assert.match(output, /The versions differ:/);
    assert.match(output, new RegExp(`${file}: 9\\.9\\.9$`, "m"));
  });
}

test("an example of another version", async () => {
  change("examples/cron/package.json", /("digitalpaye-auth": )"[^"]+"/, '$1"9.9.9"');
  const { code, output } = await check("--skip-tests");
  assert.equal(code, 1);
  assert.match(output, /^\s*examples\/cron\/package\.json: 9\.9\.9$/m);
});

test("a date that has not come", async () => {
  change("CHANGELOG.md", /^(## \[\d[^\]]*\]) - .*$/m, "$1 - 2999-01-01");
  const { code, output } = await check("--skip-tests");
  assert.equal(code, 1);
  assert.match(output, /dates .* 2999-01-01, which is in the future/);
});

test("what is not committed", async () => {
  change("CHANGELOG.md", "# Changelog", "# Changes");
  const { code, output } = await check("--skip-tests");
  assert.equal(code, 1);
  assert.match(output, /Not everything is committed:\n\s*M CHANGELOG\.md/);
});

test("an option that does not exist: the usage, and the exit code is 2", async () => {
  const { code, output } = await check("--publish");
  assert.equal(code, 2);
  assert.match(output, /Usage: npm run release:check/);
});

test("nothing in it publishes", () => {
  const source = readFileSync(join(root, "scripts", "release.mjs"), "utf8");
  assert.deepEqual([...source.matchAll(/\["(publish|dist-tag|login|token)"/g)], []);
});
