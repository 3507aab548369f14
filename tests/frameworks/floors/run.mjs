// Tries each release of the list with the packed tarball. They are installed into target/frameworks/floors.
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { target } from "../../../scripts/lib/paths.mjs";
import { environment, must } from "../../../scripts/lib/process.mjs";
import { startSandbox } from "../../lib/sandbox.mjs";
import { stopBrowsers } from "../../conformance/lib/cells.mjs";
import { tarball } from "../lib/project.mjs";
import { floors } from "./list.mjs";

const folder = join(target, "frameworks", "floors");
const here = dirname(fileURLToPath(import.meta.url));
const nameOf = ({ runtime, version }) => `${runtime.toLowerCase()}-${version}`;

/** Resolves to how many said what the list says, and how many did not. */
export async function runFloors() {
  await install();
  let failed = 0;
  for (const floor of floors) {
    // A browser's page asks from another origin.
    const sandbox = await startSandbox({ cors: true });
    let output;
    try {
      output = await floor.by({ engine: join(folder, "node_modules", nameOf(floor)), folder, url: sandbox.url });
    } catch (error) {
      output = [error.message, error.output].filter(Boolean).join("\n");
    } finally {
      await sandbox.stop();
    }
    const good = floor.says.test(output);
    if (!good) failed += 1;
    process.stdout.write(`${[floor.runtime, floor.version, floor.how].filter(Boolean).join(" ")}: ${good ? "" : "FAILED, not as listed: "}${output.trim().slice(0, 400)}\n`);
  }
  await stopBrowsers();
  return { passed: floors.length - failed, failed };
}

async function install() {
  mkdirSync(folder, { recursive: true });
  const dependencies = Object.fromEntries(floors.filter((floor) => floor.package).map((floor) => [nameOf(floor), `npm:${floor.package}`]));
  // The engines' own install would take ours away.
  const engines = JSON.stringify({ name: "floors", version: "1.0.0", private: true, dependencies }, null, 2);
  const note = join(folder, "installed");
  if (!existsSync(note) || readFileSync(note, "utf8") !== engines) {
    writeFileSync(join(folder, "package.json"), engines);
    // By force: some say that they are for an older npm or another machine than this.
    await must("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--force"], { cwd: folder, env: environment(), timeout: 600_000 });
    writeFileSync(note, engines);
  }
  const package_ = join(folder, "node_modules", "digitalpaye-auth");
  rmSync(package_, { recursive: true, force: true });
  mkdirSync(package_);
  execFileSync("tar", ["-xzf", (await tarball()).path, "-C", package_, "--strip-components", "1"]);
  copyFileSync(join(here, "program.mjs"), join(folder, "program.mjs"));
}
