// The engines that npm brings, in a project of their own (engines/package.json), installed when first asked for.
import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Failure } from "../../../scripts/lib/process.mjs";
import { installOnce } from "../../lib/projects.mjs";

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
