// Nitro, and what is built by it (Nuxt), resolves the package for every edge by one set of conditions. What it makes of
// modules is imitated here; tests/frameworks has it itself.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { bundle, NEWEST_DATE, OLD_DATE } from "../lib/workerd.mjs";
import { start, worker } from "./start.mjs";

const EDGE = ["production", "wintercg", "worker", "web", "browser", "workerd", "edge-light", "netlify", "edge-routine", "deno"];
const WASM = [...EDGE, "wasm", "unwasm"];
const flags = ["nodejs_compat"];

/** The entry that a bundle has, of those that differ by runtime. */
async function entryOf(conditions) {
  const { inputs } = await bundle(worker("client"), { conditions });
  return inputs.map((path) => /digitalpaye-auth\/(\w[\w-]*\.js)$/.exec(path)?.[1]).filter((name) => ["index.js", "workerd.js", "edge-light.js", "unwasm.js", "wintercg.js"].includes(name));
}

test("each set of conditions has an entry of its own, and no other bundler's changes", async () => {
  assert.deepEqual(await entryOf(WASM), ["unwasm.js"]);
  assert.deepEqual(await entryOf(EDGE), ["wintercg.js"]);
  // Nitro's for Node.js: there it leaves the package to Node.js, which has to find the same files.
  assert.deepEqual(await entryOf(["production", "node", "wasm", "unwasm"]), ["index.js"]);
  assert.deepEqual(await entryOf(["workerd", "worker", "browser"]), ["workerd.js"]);
  assert.deepEqual(await entryOf(["edge-light", "worker", "browser"]), ["edge-light.js"]);
});

describe("in workerd", () => {
  // At the old date nothing settles across requests by itself: this shows that the entry knows where it runs.
  test("with experimental.wasm: cold requests share a token, also when the one that led has ended", async (t) => {
    const { api, ask, abandon } = await start(t, "client", { conditions: WASM, flags, compatibilityDate: OLD_DATE });
    api.behave = () => ({ delay: 300 });
    const leader = abandon("/token", 100);
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask("/token", { timeout: 8_000 })));
    await leader;
    for (const { token } of answers) assert.ok(api.minted.has(token));
  });

  test("without: a token, where the client is imported while the worker starts", async (t) => {
    const { api, ask } = await start(t, "client", { conditions: EDGE, flags });
    assert.ok(api.minted.has((await ask("/token")).token));
  });

  test("without, where bytes are not compiled: what has to be configured", async (t) => {
    const { ask } = await start(t, "late", { conditions: EDGE, flags, compatibilityDate: OLD_DATE });
    const { name, code, message } = await ask("/");
    assert.deepEqual([name, code], ["UnsupportedRuntimeError", "unsupported_runtime"]);
    assert.match(message, /Nitro needs `experimental: \{ wasm: true \}`/);
  });

  test("fromEnv reads the worker's bindings", async (t) => {
    // The first of these is the oldest with a global process.
    for (const compatibilityDate of ["2024-09-23", NEWEST_DATE]) {
      const { ask } = await start(t, "late", {
        conditions: WASM, flags, compatibilityDate, bindings: { DIGITALPAYE_API_KEY: "key", DIGITALPAYE_API_SECRET: "secret" },
      });
      assert.deepEqual(await ask("/env").then(({ made }) => made), true, compatibilityDate);
    }
  });
});
