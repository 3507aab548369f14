// The runtimes in which the matrix runs: `{ name, packageFolder(), run(baseUrl) }`.
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { must } from "../../scripts/lib/process.mjs";
import { browser } from "../conformance/lib/browsers.mjs";
import { NODES, engine } from "../conformance/lib/engines.mjs";
import { installed } from "../lib/install.mjs";
import { askWorker } from "../lib/workerd.mjs";

const RUN_MS = 60_000;
const entry = (name) => fileURLToPath(new URL(`./entries/${name}`, import.meta.url));
const packageFolder = async () => join(await installed(), "node_modules", "digitalpaye-auth");

const program = (name, args = []) => ({
  name,
  packageFolder,
  async run(baseUrl, only = []) {
    const address = pathToFileURL(join(await packageFolder(), "index.js")).href;
    await must(await engine(name), [...args, entry("program.mjs"), address, baseUrl, ...only], {
      env: { PATH: process.env.PATH, NO_COLOR: "1" }, timeout: RUN_MS,
    });
  },
});

const workerd = {
  name: "workerd",
  packageFolder,
  async run(baseUrl) {
    return (await askWorker({ entry: entry("workerd.mjs"), bindings: { BASE_URL: baseUrl } }, { timeout: RUN_MS })).answer;
  },
};

const chromium = browser("Chromium");
const page = {
  name: "Chromium",
  packageFolder,
  run: (baseUrl) => chromium.run(`${baseUrl}/files/matrix/page.html?${new URLSearchParams({ baseUrl, index: "/files/package/index.js" })}`),
};

export const runtimes = [
  ...NODES.map((name) => program(name)),
  program("Deno", ["run", "--no-prompt", "--allow-net=127.0.0.1", "--allow-env", "--allow-read"]),
  program("Bun"),
  workerd,
  page,
];

export const stopBrowser = () => chromium.stop();
