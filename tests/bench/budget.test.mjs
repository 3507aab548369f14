// What the package may cost. A figure that gets worse by more than the noise is red; one that gets better by as much asks
// for a lower budget, so that what was gained is kept.
import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { brotliCompressSync } from "node:zlib";
import { bundleBytes, measure, project, startServer } from "./lib.mjs";

const budget = JSON.parse(readFileSync(new URL("budget.json", import.meta.url), "utf8"));
const NOISE = 0.005;

let folder;
let server;

before(async () => {
  folder = await project({ all: false });
  server = await startServer();
});
after(() => server.stop());

function keeps(t, found, allowed) {
  t.diagnostic(`${found}, of ${allowed}`);
  assert.ok(found <= allowed * (1 + NOISE), `${found} is over the budget of ${allowed}`);
  assert.ok(found >= allowed * (1 - 4 * NOISE), `${found} is well under the budget of ${allowed}: lower it in tests/bench/budget.json`);
}

test("bytes of a browser bundle, brotli", async (t) => {
  keeps(t, (await bundleBytes(folder, "digitalpaye-auth")).brotli, budget.bundleBrotli);
});

test("bytes of the module, raw and brotli", (t) => {
  const module = join(folder, "node_modules", "digitalpaye-auth", "wasm", "digitalpaye_auth_bg.wasm");
  keeps(t, statSync(module).size, budget.moduleRaw);
  keeps(t, brotliCompressSync(readFileSync(module)).length, budget.moduleBrotli);
});

test("calls from the module into JavaScript for one exchange", async (t) => {
  keeps(t, (await measure(process.execPath, folder, "crossings", "digitalpaye-auth", server.url)).perExchange, budget.crossings);
});

test("CPU for one exchange, by that of hand-written fetch", async (t) => {
  const least = { "digitalpaye-auth": Infinity, fetch: Infinity };
  for (let round = 0; round < 3; round += 1) {
    for (const peer of Object.keys(least)) {
      least[peer] = Math.min(least[peer], (await measure(process.execPath, folder, "exchange", peer, server.url)).cpu);
    }
  }
  const ratio = least["digitalpaye-auth"] / least.fetch;
  t.diagnostic(`${ratio.toFixed(2)}, of ${budget.cpuRatio}`);
  assert.ok(ratio <= budget.cpuRatio, `${ratio.toFixed(2)} times that of fetch, of ${budget.cpuRatio}`);
});
