// Projects of their own beside the workspace, whose packages are installed when they are first asked for.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { target } from "../../scripts/lib/paths.mjs";
import { must } from "../../scripts/lib/process.mjs";

const installing = new Map();

/** Installs what the folder's lock file says, unless it is there; without the packages' install scripts. */
export function installOnce(folder) {
  if (!installing.has(folder)) installing.set(folder, isInstalled(folder) ? undefined : install(folder));
  return installing.get(folder);
}

// Test files run beside each other in processes of their own, and two that install into one folder spoil each other's work.
const install = (folder) => alone(`install-${createHash("sha256").update(folder).digest("hex").slice(0, 16)}`, async () => {
  if (isInstalled(folder)) return;
  await must("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: folder, timeout: 600_000 });
});

/** Does `work` when no other process does anything under this name. */
async function alone(name, work) {
  const lock = join(target, "locks", name);
  mkdirSync(join(target, "locks"), { recursive: true });
  while (!take(lock)) await sleep(100);
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

/** Makes the file, which names this process; what a process left that has ended is removed. */
function take(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  }
  try {
    process.kill(Number(readFileSync(lock, "utf8")), 0);
  } catch ({ code }) {
    if (code === "ESRCH") rmSync(lock, { force: true });
  }
  return false;
}

function isInstalled(folder) {
  const note = join(folder, "node_modules", ".package-lock.json");
  if (!existsSync(note)) return false;
  const wanted = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8")).packages;
  const have = JSON.parse(readFileSync(note, "utf8")).packages;
  return Object.entries(have).every(([path, { version }]) => wanted[path]?.version === version)
    && Object.entries(wanted).every(([path, { optional }]) => path === "" || optional || have[path]);
}
