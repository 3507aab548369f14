// A user's project under target/frameworks: a cell's files, its pinned packages and the packed tarball. Packages stay there
// from one run to the next; everything else is written anew.
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { pack } from "../../../scripts/lib/package.mjs";
import { target } from "../../../scripts/lib/paths.mjs";
import { environment, must } from "../../../scripts/lib/process.mjs";
import { temporaryFolder } from "../../../scripts/lib/temporary.mjs";
import { engine } from "../../conformance/lib/engines.mjs";

const folders = join(target, "frameworks");
const INSTALL_MS = 600_000;

// What package managers leave, and what makes their next run short.
const kept = new Set(["node_modules", "package-lock.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock", ".yarn", ".pnp.cjs", "installed"]);

/** How each package manager installs a project. None runs the packages' install scripts. */
const managers = {
  npm: ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"],
  pnpm: ["pnpm", "install", "--ignore-scripts", "--no-frozen-lockfile"],
  yarn: ["yarn", "install", "--no-immutable", "--mode=skip-build"],
  bun: ["bun", "install", "--ignore-scripts"],
};

let packed;

/** The tarball, packed once per process, and the hash of its bytes. */
export function tarball() {
  packed ??= pack(temporaryFolder("digitalpaye-auth-frameworks")).then((path) => ({ path, hash: hashOf(readFileSync(path)) }));
  return packed;
}

/** Makes the project of a cell; resolves to its folder and the environment for commands that run there. */
export async function makeProject(cell) {
  const folder = join(folders, cell.folder ?? cell.name);
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) if (!kept.has(name)) rmSync(join(folder, name), { recursive: true });
  const { path, hash } = await tarball();
  // By its bytes: package managers keep what they have for a file of the same name.
  const file = `digitalpaye-auth-${hash}.tgz`;
  copyFileSync(path, join(folder, file));
  const manifest = {
    name: "shop", version: "1.0.0", private: true, type: cell.type ?? "module", ...cell.manifest,
    dependencies: { "digitalpaye-auth": `file:./${file}`, ...cell.dependencies },
  };
  write(folder, { ...cell.files, "package.json": JSON.stringify(manifest, null, 2) });
  const env = await environmentOf(cell, folder);
  await install(cell, folder, env);
  return { folder, env };
}

/** Writes files by their names, which may have folders in them. */
export function write(folder, files) {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

/** The version that is installed of a package. */
export function versionOf(folder, name) {
  return JSON.parse(readFileSync(join(folder, "node_modules", name, "package.json"), "utf8")).version;
}

async function environmentOf({ node = 24 }, folder) {
  const env = environment({
    CI: "1", NO_COLOR: "1", HOST: "127.0.0.1", NODE_ENV: "production",
    ASTRO_TELEMETRY_DISABLED: "1", NEXT_TELEMETRY_DISABLED: "1", NUXT_TELEMETRY_DISABLED: "1", WRANGLER_SEND_METRICS: "false",
    YARN_ENABLE_TELEMETRY: "0", YARN_ENABLE_GLOBAL_CACHE: "1", YARN_NODE_LINKER: "pnp",
  });
  // The cell's Node first, by which the package managers run too, and behind it what the cell has installed.
  const [nodeFolder, deno, bun] = (await Promise.all([`Node ${node}`, "Deno", "Bun"].map(engine))).map(dirname);
  env.PATH = [nodeFolder, join(folder, "node_modules", ".bin"), env.PATH, deno, bun].join(delimiter);
  return env;
}

async function install({ manager = "npm", managerVersion, flags = [] }, folder, env) {
  const stamp = hashOf(readFileSync(join(folder, "package.json")));
  const note = join(folder, "installed");
  if (existsSync(note) && readFileSync(note, "utf8") === stamp) return;
  const development = { ...env, NODE_ENV: "" };
  if (managerVersion) development.PATH = [env.PATH, await managerFolder(manager, managerVersion)].join(delimiter);
  const [command, ...args] = managers[manager];
  await must(command, [...args, ...flags], { cwd: folder, env: development, timeout: INSTALL_MS });
  writeFileSync(note, stamp);
}

/** The folder that has the command of a package manager, installed by npm beside the cells. */
export async function managerFolder(manager, version) {
  const folder = join(folders, `${manager}-${version}`);
  const bin = join(folder, "node_modules", ".bin");
  if (!existsSync(join(bin, manager))) {
    write(folder, { "package.json": JSON.stringify({ name: "manager", version: "1.0.0", private: true }) });
    const name = { yarn: "@yarnpkg/cli-dist" }[manager] ?? manager;
    await must("npm", ["install", `${name}@${version}`, "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: folder, env: environment(), timeout: INSTALL_MS });
  }
  return bin;
}

const hashOf = (bytes) => createHash("sha256").update(bytes).digest("hex").slice(0, 12);
