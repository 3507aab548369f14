// The engines that npm brings, in a project of their own (engines/package.json), installed when first asked for.
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Failure, must } from "../../../scripts/lib/process.mjs";

const folder = fileURLToPath(new URL("../engines", import.meta.url));
const modules = join(folder, "node_modules");
const platform = `${process.platform}-${process.arch}`;
const programs = {
  "Node 20": `node-20-${platform}/bin/node`,
  "Node 22": `node-22-${platform}/bin/node`,
  "Node 24": `node-24-${platform}/bin/node`,
  "Node 26": `node-26-${platform}/bin/node`,
  Deno: `deno-${platform}/deno`,
  Bun: `bun-${platform}/bin/bun`,
};

let ready;

/** The path of an engine's program. */
export async function engine(name) {
  ready ??= install();
  await ready;
  const path = join(modules, programs[name]);
  if (isProgram(path)) return path;
  throw new Failure(`${name} is not installed for ${platform} in tests/conformance/engines. Install it with: npm ci --ignore-scripts --prefix tests/conformance/engines`);
}

async function install() {
  if (isInstalled()) return;
  // Their install scripts put the program of this platform where the package's command is, or download it.
  await must("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: folder, timeout: 600_000 });
}

function isInstalled() {
  const note = join(modules, ".package-lock.json");
  if (!existsSync(note)) return false;
  const wanted = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8")).packages;
  const have = JSON.parse(readFileSync(note, "utf8")).packages;
  return Object.entries(have).every(([path, { version }]) => wanted[path]?.version === version)
    && Object.entries(wanted).every(([path, { optional }]) => path === "" || optional || have[path]);
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
