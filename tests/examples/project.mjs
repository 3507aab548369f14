// The examples as a newcomer has them: copied elsewhere, and installed by npm, with the tarball in place of the registry's
// package. What else they need comes from the registry once, by tests/examples/locks, and then out of a cache.
import { cpSync, existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { root, target } from "../../scripts/lib/paths.mjs";
import { environment, must } from "../../scripts/lib/process.mjs";
import { temporaryFolder } from "../../scripts/lib/temporary.mjs";
import { blocksOf } from "../docs/extract.mjs";
import { installed } from "../lib/install.mjs";

export const EXAMPLES = ["express", "next", "workers", "fleet", "cron"];
export const LANGUAGES = ["README.md", "README.fr.md"];
export const folderOf = (name) => join(root, "examples", name);
export const lockOf = (name) => join(root, "tests", "examples", "locks", name, "package-lock.json");

const CACHE = join(target, "examples", "cache");
const notCopied = new Set(["node_modules", ".next", ".wrangler", ".env", ".dev.vars", "package-lock.json"]);

/** The lines of the README's block of that name. */
export function commandsOf(name, block, readme = "README.md") {
  const { code } = blocksOf(readFileSync(join(folderOf(name), readme), "utf8")).find((each) => each.name === block);
  return code.trim().split("\n");
}

/** A copy with its packages; `ms` is how long `npm install` took. An empty `cache` makes it a first time. */
export async function install(name, { cache = CACHE, env = {} } = {}) {
  const folder = temporaryFolder(`digitalpaye-example-${name}`);
  cpSync(folderOf(name), folder, { recursive: true, filter: (path) => !notCopied.has(basename(path)) });
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  manifest.dependencies["digitalpaye-auth"] = `file:${await tarball()}`;
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  if (existsSync(lockOf(name))) cpSync(lockOf(name), join(folder, "package-lock.json"));
  const begun = performance.now();
  await must("npm", ["install"], {
    cwd: folder,
    timeout: 540_000,
    env: clean({
      ...env, npm_config_cache: cache, npm_config_prefer_offline: "true", npm_config_ignore_scripts: "true",
      npm_config_audit: "false", npm_config_fund: "false", npm_config_update_notifier: "false",
    }),
  });
  return { folder, manifest, ms: performance.now() - begun };
}

const projects = new Map();

/** The one copy of that example that the tests of a file share. */
export function installOnce(name, options) {
  if (!projects.has(name)) projects.set(name, install(name, options));
  return projects.get(name);
}

/** The environment, without an account of whoever runs the tests. */
export function clean(changes = {}) {
  const env = environment({ NODE_OPTIONS: "", NEXT_TELEMETRY_DISABLED: "1", WRANGLER_SEND_METRICS: "false", ...changes });
  for (const variable of Object.keys(env)) if (variable.startsWith("DIGITALPAYE_")) delete env[variable];
  return { ...env, ...changes };
}

/** Fills in the example's own sample of variables, as the README says; `more` are lines beyond it. */
export function fillIn(folder, { apiKey, apiSecret }, more = {}, file = ".env") {
  const sample = readFileSync(join(folder, `${file}.example`), "utf8");
  const lines = sample.replace("DIGITALPAYE_API_KEY=", `$&${apiKey}`).replace("DIGITALPAYE_API_SECRET=", `$&${apiSecret}`);
  writeFileSync(join(folder, file), lines + Object.entries(more).map(([variable, value]) => `${variable}=${value}\n`).join(""));
}

async function tarball() {
  const consumer = await installed();
  return join(consumer, readdirSync(consumer).find((file) => file.endsWith(".tgz")));
}
