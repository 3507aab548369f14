// Projects of their own beside the workspace, whose packages are installed when they are first asked for.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { must } from "../../scripts/lib/process.mjs";

const installing = new Map();

/** Installs what the folder's lock file says, unless it is there; without the packages' install scripts. */
export function installOnce(folder) {
  if (!installing.has(folder)) installing.set(folder, isInstalled(folder) ? undefined : install(folder));
  return installing.get(folder);
}

const install = (folder) => must("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: folder, timeout: 600_000 });

function isInstalled(folder) {
  const note = join(folder, "node_modules", ".package-lock.json");
  if (!existsSync(note)) return false;
  const wanted = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8")).packages;
  const have = JSON.parse(readFileSync(note, "utf8")).packages;
  return Object.entries(have).every(([path, { version }]) => wanted[path]?.version === version)
    && Object.entries(wanted).every(([path, { optional }]) => path === "" || optional || have[path]);
}
