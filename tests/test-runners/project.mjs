// The test runners, installed once into a folder under target/; a project is a folder in it, with the package in reach.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { target } from "../../scripts/lib/paths.mjs";
import { must } from "../../scripts/lib/process.mjs";
import { installed } from "../lib/install.mjs";

const RUNNERS = { jest: "30.5.2", "jest-environment-jsdom": "30.5.2", sinon: "22.1.0", vitest: "4.1.12" };
const folder = join(target, "test-runners");
let ready;

async function install() {
  const isThere = ([name, version]) => {
    const manifest = join(folder, "node_modules", name, "package.json");
    return existsSync(manifest) && JSON.parse(readFileSync(manifest, "utf8")).version === version;
  };
  if (!Object.entries(RUNNERS).every(isThere)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "test-runners", version: "1.0.0", private: true, dependencies: RUNNERS }));
    await must("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: folder, timeout: 600_000 });
  }
  // A copy, not a link: runners look at where a module really is.
  const own = join(folder, "node_modules", "digitalpaye-auth");
  rmSync(own, { recursive: true, force: true });
  cpSync(join(await installed(), "node_modules", "digitalpaye-auth"), own, { recursive: true });
}

/** Makes a project of these files, by their names; resolves to its folder. */
export async function makeProject(name, files, { type = "commonjs" } = {}) {
  await (ready ??= install());
  const project = join(folder, name);
  rmSync(project, { recursive: true, force: true });
  mkdirSync(project);
  writeFileSync(join(project, "package.json"), JSON.stringify({ name, version: "1.0.0", private: true, type }));
  for (const [file, text] of Object.entries(files)) writeFileSync(join(project, file), text);
  return project;
}

/** Runs a runner's program in a project; resolves to its output, once it has succeeded. */
export async function runIn(project, program, args, flags = []) {
  const { output } = await must(process.execPath, [...flags, join(folder, "node_modules", program), ...args], { cwd: project, timeout: 120_000 });
  return output;
}
