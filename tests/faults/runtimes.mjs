// The runtimes that meet the faults: each runs `meetAll` over the installed package.
import { build } from "esbuild";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../../scripts/lib/temporary.mjs";
import { browser } from "../conformance/lib/browsers.mjs";
import { engine } from "../conformance/lib/engines.mjs";
import { inChild } from "../lib/child.mjs";
import { installed } from "../lib/install.mjs";
import { askWorker } from "../lib/workerd.mjs";

const RUN_MS = 60_000;
const here = (name) => fileURLToPath(new URL(name, import.meta.url));

const node = (major) => async (control, { file }) => {
  const { result, stdout, stderr } = await inChild(async ({ caller, control }) => {
    const unhandled = [];
    process.on("unhandledRejection", (error) => unhandled.push(String(error?.stack ?? error)));
    const { meetAll } = await import(caller);
    const report = await meetAll(await import("digitalpaye-auth"), control);
    return { ...report, unhandled };
  }, { control, caller: here("caller.mjs") }, { node: await engine(`Node ${major}`), env: { NODE_EXTRA_CA_CERTS: file }, timeout: RUN_MS });
  if (!result) throw new Error(`no report: ${stdout}${stderr}`);
  return { ...result, output: stderr };
};

/** Each is given the address to ask and the authority, and resolves to what `meetAll` reports, and to `output`. */
export const runtimes = {
  // The oldest and the newest: their HTTP is not the same.
  "Node 20": node(20),
  "Node 26": node(26),

  async workerd(control, { certificate }) {
    const { answer, output } = await askWorker({ entry: here("entries/worker.mjs"), bindings: { CONTROL: control }, authorities: [certificate] }, { timeout: RUN_MS });
    return { ...answer, output };
  },

  async Chromium(control) {
    const folder = temporaryFolder("faults");
    await build({
      entryPoints: [here("entries/page.mjs")], outfile: join(folder, "page.js"), bundle: true, format: "esm", logLevel: "error",
      // Not the workspace's own.
      alias: { "digitalpaye-auth": join(await installed(), "node_modules/digitalpaye-auth/index.js") },
      external: ["node:*"],
    });
    writeFileSync(join(folder, "index.html"), '<!doctype html><title>faults</title><script type="module" src="page.js"></script>');
    const chromium = browser("Chromium");
    try {
      return { ...await chromium.run(`${await chromium.mount(folder)}index.html?control=${control}`), output: "" };
    } finally {
      await chromium.stop();
    }
  },
};
