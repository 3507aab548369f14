// One Next.js project per version, under target/, where it stays from run to run. The app in it is another one for each cell.
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { target } from "../../../scripts/lib/paths.mjs";
import { Failure, environment, must, run, start, stop } from "../../../scripts/lib/process.mjs";
import { installed } from "../../lib/install.mjs";
import { freePort } from "../../lib/server.mjs";
import { filesOf } from "./app.mjs";

const BUILD_MS = 10 * 60_000;
const START_MS = 60_000;

/** The project of this version, with the app of this cell and the packed package. */
export async function makeProject(cell) {
  const { next, react } = cell;
  const folder = join(target, "frameworks", `next-${next}`);
  const manifest = { name: "shop", version: "1.0.0", private: true, dependencies: { next, react, "react-dom": react } };
  if (Object.entries(manifest.dependencies).some(([name, version]) => versionOf(folder, name) !== version)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
    await must("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: folder, timeout: BUILD_MS });
  }
  // A copy, not a link: bundlers look at where a module really is.
  const own = join(folder, "node_modules", "digitalpaye-auth");
  rmSync(own, { recursive: true, force: true });
  cpSync(join(await installed(), "node_modules", "digitalpaye-auth"), own, { recursive: true });

  for (const name of ["app", "lib", ".next"]) rmSync(join(folder, name), { recursive: true, force: true });
  for (const [name, text] of Object.entries(filesOf(cell))) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

function versionOf(folder, name) {
  const manifest = join(folder, "node_modules", name, "package.json");
  return existsSync(manifest) ? JSON.parse(readFileSync(manifest, "utf8")).version : undefined;
}

const cli = (folder) => join(folder, "node_modules", "next", "dist", "bin", "next");

const environmentOf = (apiUrl) => environment({
  NEXT_TELEMETRY_DISABLED: "1",
  // It would add what it misses to the lock file of this repository.
  NEXT_IGNORE_INCORRECT_LOCKFILE: "1",
  DIGITALPAYE_API_KEY: "key",
  DIGITALPAYE_API_SECRET: "secret",
  DIGITALPAYE_BASE_URL: apiUrl,
});

/** Runs `next build`; resolves to how it ended. */
export function build(folder, cell, apiUrl) {
  return run(process.execPath, [cli(folder), "build", ...cell.flags], { cwd: folder, env: environmentOf(apiUrl), timeout: BUILD_MS });
}

/** Runs `next start`; resolves when it answers, to `{ url, stop }`. */
export async function serve(folder, apiUrl) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = start(process.execPath, [cli(folder), "start", "-p", String(port), "-H", "127.0.0.1"], { cwd: folder, env: environmentOf(apiUrl) });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output = (output + text).slice(-20_000)));
  for (const end = performance.now() + START_MS; !/ready in/i.test(output); await sleep(50)) {
    if (child.exitCode === null && performance.now() < end) continue;
    await stop(child);
    throw new Failure("next start does not answer", { output });
  }
  return { url, stop: () => stop(child), output: () => output };
}

/** What Next wrote down about a route that is rendered ahead; undefined of one that is rendered on demand. */
export function markOf(folder, route) {
  const { routes, dynamicRoutes } = JSON.parse(readFileSync(join(folder, ".next", "prerender-manifest.json"), "utf8"));
  const mark = routes[route] ?? dynamicRoutes[route];
  return mark && { kind: route in routes ? "route" : "routes", mode: mark.renderingMode, revalidate: mark.initialRevalidateSeconds ?? mark.fallbackRevalidate };
}

/** The paths below `.next` of files that contain `text`. */
export function filesWith(folder, text) {
  const build = join(folder, ".next");
  return readdirSync(build, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, path, name }) => join(parentPath ?? path, name))
    .filter((file) => readFileSync(file).includes(text));
}
