// The engines that npm brings, in a project of their own (engines/package.json), installed when first asked for.
import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Failure } from "../../../scripts/lib/process.mjs";
import { installOnce } from "../../lib/projects.mjs";

/** Every Node.js that tests run in. */
export const NODES = ["Node 20", "Node 22", "Node 24", "Node 26"];

const folder = fileURLToPath(new URL("../engines", import.meta.url));
const modules = join(folder, "node_modules");
const platform = `${process.platform}-${process.arch}`;
const programs = {
  ...Object.fromEntries(NODES.map((name) => [name, `${name.toLowerCase().replace(" ", "-")}-${platform}/bin/node`])),
  Deno: `deno-${platform}/deno`,
  Bun: `bun-${platform}/bin/bun`,
};

/** The path of an engine's program. */
export async function engine(name) {
  await installOnce(folder);
  const path = join(modules, programs[name]);
  if (isProgram(path)) return path;
  throw new Failure(`${name} is not installed for ${platform} in tests/conformance/engines. Install it with: npm ci --ignore-scripts --prefix tests/conformance/engines`);
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
