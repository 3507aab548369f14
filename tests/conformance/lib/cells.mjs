// The cells of the table of runtimes: every engine, each way to load the package there.
import { startSandbox } from "../../lib/sandbox.mjs";
import { NEWEST_DATE, OLD_DATE } from "../../lib/workerd.mjs";
import { browser } from "./browsers.mjs";
import { bundled, viteServer } from "./bundlers.mjs";
import { NODES } from "./engines.mjs";
import { edgeRuntime, program, workerd } from "./programs.mjs";
import { project } from "./project.mjs";

const browsers = { chromium: browser("Chromium"), firefox: browser("Firefox"), webkit: browser("WebKit") };

/** The suite in a page of a browser; `file` names the page. */
export function page(where, file, headers) {
  return {
    version: () => where.version(),
    run: async (baseUrl) => where.run(`${await where.mount(await project(), headers)}plain/${file}.html?api=${baseUrl}`),
  };
}

/** A page whose policy allows what wasm needs, and nothing more. */
function strictPage(where) {
  const under = (sources) => page(where, "page", { "Content-Security-Policy": `script-src 'self'${sources}` });
  const strict = under(" 'wasm-unsafe-eval'");
  return {
    ...strict,
    async run(baseUrl) {
      // The cell would tell nothing were the policy not enforced.
      const { message } = await under("").run(baseUrl).then(() => ({}), (error) => error);
      if (!/script-src.*wasm-eval|unsafe-eval/.test(message)) throw new Error(`without 'wasm-unsafe-eval': ${message ?? "a page that runs"}`);
      return strict.run(baseUrl);
    },
  };
}

const denoArgs = ["run", "--no-prompt", "--allow-net=127.0.0.1", "--allow-env"];
const { chromium, firefox, webkit } = browsers;

/**
 * `{ runtime, as, quick, version(), run(baseUrl) }`; `runtime` and `as` name the row of the table. `npm test` runs the
 * quick ones, `npm run check runtimes` all of them.
 */
export const cells = [
  ...NODES.flatMap((runtime) => [
    { runtime, as: "`import`", quick: true, ...program(runtime, "import.mjs") },
    { runtime, as: "`require`", quick: true, ...program(runtime, "require.cjs") },
    { runtime, as: "both in one process", quick: true, ...program(runtime, "copies.mjs") },
  ]),
  { runtime: "Deno", as: "`import`", quick: true, ...program("Deno", "import.mjs", denoArgs) },
  { runtime: "Bun", as: "`import`", quick: true, ...program("Bun", "import.mjs") },
  { runtime: "Bun", as: "`require`", quick: true, ...program("Bun", "require.cjs") },
  { runtime: "workerd", as: "old compatibility date", quick: true, ...workerd(OLD_DATE) },
  { runtime: "workerd", as: "newest compatibility date", quick: true, ...workerd(NEWEST_DATE) },
  { runtime: "workerd", as: "first used in a request", quick: true, ...workerd(NEWEST_DATE, "workerd-request.mjs") },
  { runtime: "edge-runtime", as: "compiled module", quick: true, ...edgeRuntime() },
  { runtime: "Chromium", as: "page", quick: true, ...page(chromium, "page") },
  { runtime: "Chromium", as: "page with a strict CSP", quick: true, ...strictPage(chromium) },
  { runtime: "Chromium", as: "dedicated worker", quick: true, ...page(chromium, "asks-worker") },
  { runtime: "Chromium", as: "service worker", quick: true, ...page(chromium, "asks-service-worker") },
  { runtime: "Firefox", as: "page", quick: true, ...page(firefox, "page") },
  { runtime: "Firefox", as: "dedicated worker", quick: true, ...page(firefox, "asks-worker") },
  { runtime: "Firefox", as: "service worker", quick: true, ...page(firefox, "asks-service-worker") },
  { runtime: "WebKitGTK", as: "page", quick: false, ...page(webkit, "page") },
  { runtime: "WebKitGTK", as: "dedicated worker", quick: false, ...page(webkit, "asks-worker") },
  { runtime: "WebKitGTK", as: "service worker", quick: false, ...page(webkit, "asks-service-worker") },
  { runtime: "esbuild", as: "bundle", quick: true, ...bundled("esbuild", chromium) },
  { runtime: "Vite", as: "bundle", quick: true, ...bundled("Vite", chromium) },
  { runtime: "Vite", as: "dev server", quick: true, ...viteServer(chromium) },
  { runtime: "webpack", as: "bundle", quick: true, ...bundled("webpack", chromium) },
  { runtime: "Rollup", as: "bundle", quick: true, ...bundled("Rollup", chromium) },
  { runtime: "Parcel", as: "bundle", quick: true, ...bundled("Parcel", chromium) },
];

export const nameOf = ({ runtime, as }) => `${runtime}, ${as.replaceAll("`", "")}`;

/** Runs a cell against a stand-in of its own. What goes wrong is part of the result, never thrown. */
export async function runCell(cell) {
  const begun = performance.now();
  const result = { runtime: cell.runtime, as: cell.as, quick: cell.quick, version: undefined, passed: 0, total: 0, limits: [], failures: [] };
  let sandbox;
  try {
    result.version = await cell.version();
    if (!result.version) throw new Error("its version is not known");
    sandbox = await startSandbox();
    const { cases } = await cell.run(sandbox.url);
    if (!(cases?.length > 0)) throw new Error("no case ran");
    result.total = cases.length;
    result.passed = cases.filter(({ passed }) => passed === true).length;
    result.limits = cases.flatMap(({ limit }) => limit ?? []);
    result.failures = cases.filter(({ passed }) => passed !== true).map(({ name, error }) => `${name}: ${error}`);
  } catch (error) {
    result.failures.push([error.message, error.output].filter(Boolean).join("\n"));
  } finally {
    await sandbox?.stop();
  }
  result.ms = Math.round(performance.now() - begun);
  return result;
}

export async function stopBrowsers() {
  await Promise.all(Object.values(browsers).map((each) => each.stop()));
}
