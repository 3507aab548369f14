// Tries each release of the list with the packed tarball. They are installed into target/frameworks/floors.
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { target } from "../../../scripts/lib/paths.mjs";
import { environment, must, run } from "../../../scripts/lib/process.mjs";
import { startSandbox } from "../../lib/sandbox.mjs";
import { tarball } from "../lib/project.mjs";
import { floors } from "./list.mjs";

const folder = join(target, "frameworks", "floors");
const here = dirname(fileURLToPath(import.meta.url));
const nameOf = ({ runtime, version }) => `${runtime.toLowerCase()}-${version}`;

/** Resolves to how many said what the list says, and how many did not. */
export async function runFloors() {
  await install();
  const sandbox = await startSandbox();
  let failed = 0;
  try {
    for (const floor of floors) {
      const program = join(folder, "node_modules", nameOf(floor), floor.program);
      chmodSync(program, 0o755);
      const { output } = await run(program, [...floor.args, "program.mjs"], {
        cwd: folder, env: { PATH: process.env.PATH, HOME: folder, NO_COLOR: "1", BASE_URL: sandbox.url }, timeout: 60_000,
      });
      const good = floor.says.test(output);
      if (!good) failed += 1;
      process.stdout.write(`${floor.runtime} ${floor.version}: ${good ? "" : "FAILED, not as listed: "}${output.trim().slice(-300)}\n`);
    }
  } finally {
    await sandbox.stop();
  }
  return { passed: floors.length - failed, failed };
}

async function install() {
  mkdirSync(folder, { recursive: true });
  const dependencies = Object.fromEntries(floors.map((floor) => [nameOf(floor), `npm:${floor.package}@${floor.version}`]));
  const manifest = JSON.stringify({ name: "floors", version: "1.0.0", private: true, dependencies }, null, 2);
  const note = join(folder, "installed");
  if (!existsSync(note) || readFileSync(note, "utf8") !== manifest) {
    writeFileSync(join(folder, "package.json"), manifest);
    // By force: some say that they are for an older npm or another machine than this.
    await must("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--force"], { cwd: folder, env: environment(), timeout: 600_000 });
    writeFileSync(note, manifest);
  }
  const package_ = join(folder, "node_modules", "digitalpaye-auth");
  rmSync(package_, { recursive: true, force: true });
  mkdirSync(package_);
  execFileSync("tar", ["-xzf", (await tarball()).path, "-C", package_, "--strip-components", "1"]);
  copyFileSync(join(here, "program.mjs"), join(folder, "program.mjs"));
}
