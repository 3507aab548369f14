// `npm run release:check`: whether the package is fit to be published, and what would be sent. See `usage`.
import { mkdirSync, readFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { buildPackage } from "./build.mjs";
import { pack } from "./lib/package.mjs";
import { pkg, root, target } from "./lib/paths.mjs";
import { Failure, ask, command, must } from "./lib/process.mjs";
import { differences } from "./lib/tarball.mjs";
import { say, step } from "./lib/terminal.mjs";
import { checkReproducible } from "./reproducible.mjs";

const minutes = (count) => count * 60_000;

const usage = `Usage: npm run release:check [-- --skip-tests]

Checks that the versions are one and that nothing is uncommitted, runs all tests, builds, packs, builds twice more in
clean folders, which has to give the same bytes, and prints what "npm publish --provenance" would send. Publishes nothing.

  --skip-tests  leave the tests out
`;

function options() {
  try {
    return parseArgs({ options: { "skip-tests": { type: "boolean" }, help: { type: "boolean", short: "h" } } }).values;
  } catch (error) {
    throw new Failure(`${error.message}\n\n${usage}`, { exitCode: 2 });
  }
}

const read = (...path) => readFileSync(join(root, ...path), "utf8");

/** The version that a Cargo.toml gives its package. */
function crateVersion(path) {
  return /^\[package\]\n(?:[^[\n].*\n)*?version = "([^"]+)"/m.exec(read(path))?.[1];
}

function checkVersions({ version }) {
  const lock = new RegExp(`^name = "digitalpaye-auth"\nversion = "([^"]+)"`, "m").exec(read("Cargo.lock"))?.[1];
  const [, newest, date] = /^## \[(\d[^\]]*)\] - (\S+)$/m.exec(read("CHANGELOG.md")) ?? [];
  const versions = {
    "pkg/package.json": version,
    "Cargo.toml": crateVersion("Cargo.toml"),
    "module/Cargo.toml": crateVersion("module/Cargo.toml"),
    "Cargo.lock": lock,
    "CHANGELOG.md": newest,
    ...Object.fromEntries(["express", "next", "workers", "fleet", "cron"].map((name) => {
      const path = `examples/${name}/package.json`;
      return [path, JSON.parse(read(path)).dependencies["digitalpaye-auth"]];
    })),
  };
  if (new Set(Object.values(versions)).size > 1) {
    const list = Object.entries(versions).map(([path, found]) => `  ${path}: ${found ?? "none"}`);
    throw new Failure(`The versions differ:\n${list.join("\n")}`);
  }
  const today = new Date().toISOString().slice(0, 10);
  if (date > today) throw new Failure(`CHANGELOG.md dates ${version} ${date}, which is in the future.`);
  say(`Version ${version}, ${date}.`);
}

function checkTree() {
  const status = ask("git", ["status", "--porcelain"]);
  if (status === undefined) throw new Failure("git cannot say whether anything is uncommitted.");
  if (status !== "") throw new Failure(`Not everything is committed:\n${status}`);
  const commit = ask("git", ["rev-parse", "HEAD"]);
  say(`Nothing is uncommitted; this is ${commit}.`);
}

function checkTests(skip) {
  if (skip) return say("The tests are left out.");
  return step("npm test", (report) => must(process.execPath, [join(root, "scripts", "test.mjs")], {
    timeout: minutes(120), onStdout: report, onStderr: report,
  }));
}

/** The files in a tarball with their sizes, as npm would list them. */
async function contents(tarball) {
  const { stdout } = await must("npm", ["pack", tarball, "--dry-run", "--json", "--ignore-scripts"], { timeout: minutes(2) });
  const [{ files, size, unpackedSize }] = Object.values(JSON.parse(stdout));
  return { files, size, unpackedSize };
}

await command(async () => {
  const { "skip-tests": skipTests, help } = options();
  if (help) {
    process.stdout.write(usage);
    return 0;
  }
  const manifest = JSON.parse(readFileSync(join(pkg, "package.json"), "utf8"));
  checkVersions(manifest);
  checkTree();
  await checkTests(skipTests);
  // After the tests, so that what is packed is what is there now.
  await buildPackage();
  checkTree();

  const folder = join(target, "release");
  mkdirSync(folder, { recursive: true });
  const tarball = await pack(folder);
  const different = differences(tarball, await checkReproducible());
  if (different.length > 0) throw new Failure(`A build in a clean folder differs from this one in ${different.join(", ")}.`);
  const { files, size, unpackedSize } = await contents(tarball);
  const integrity = `sha512-${createHash("sha512").update(readFileSync(tarball)).digest("base64")}`;
  const width = Math.max(...files.map((file) => String(file.size).length));
  process.stdout.write([
    "",
    `"npm publish ${relative(root, tarball)} --provenance --access public" would send:`,
    "",
    ...files.map((file) => `  ${String(file.size).padStart(width)}  ${file.path}`),
    "",
    `  name       ${manifest.name}`,
    `  version    ${manifest.version}`,
    `  tag        ${/-/.test(manifest.version) ? "next (give --tag next)" : "latest"}`,
    `  packed     ${size} bytes, ${files.length} files, ${unpackedSize} bytes unpacked`,
    `  integrity  ${integrity}`,
    "",
    ...(manifest.repository ? [] : ["Provenance names the repository: pkg/package.json has to, before this is published.", ""]),
    "Nothing was published.",
    "",
  ].join("\n"));
  return 0;
});
