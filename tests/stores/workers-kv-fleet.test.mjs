// One token for a Worker's isolates: the installed package over Workers KV, in workerd.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { installed } from "../lib/install.mjs";
import { startUpstream } from "./upstream.mjs";

const API_KEY = "worker-merchant-key";
const API_SECRET = "worker-merchant-secret-Zq8";

const worker = (baseUrl) => `
import { env } from "cloudflare:workers";
import { DigitalpayeAuth } from "digitalpaye-auth";
import { workersKvStore } from "digitalpaye-auth/stores/workers-kv";
const auth = new DigitalpayeAuth({
  apiKey: "${API_KEY}", apiSecret: "${API_SECRET}", baseUrl: "${baseUrl}", store: workersKvStore(env.TOKENS),
});
export default {
  async fetch(request) {
    const { searchParams } = new URL(request.url);
    if (searchParams.has("invalidate")) auth.invalidate();
    try {
      return Response.json(await auth.getToken());
    } catch (error) {
      return Response.json({ error: error.name + ": " + error.message }, { status: 500 });
    }
  },
};
`;

let upstream;
let bundle;
let platform;
let kv;

before(async () => {
  upstream = await startUpstream();
  const { outputFiles } = await build({
    stdin: { contents: worker(upstream.url), resolveDir: await installed() },
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    conditions: ["workerd", "worker"],
    external: ["cloudflare:workers"],
    loader: { ".wasm": "copy" },
    outdir: "out",
  });
  bundle = outputFiles.map(({ path, contents, text }) => {
    const name = path.slice(path.lastIndexOf("/") + 1);
    return name.endsWith(".wasm")
      ? { type: "CompiledWasm", path: name, contents }
      : { type: "ESModule", path: name, contents: text };
  }).sort((a) => (a.type === "ESModule" ? -1 : 1));
});

beforeEach(async () => {
  upstream.reset();
  await platform?.dispose();
  // Every worker is an isolate of its own, with a client of its own; they have the namespace in common.
  const isolate = (name) => ({ name, modules: bundle, compatibilityDate: "2025-06-01", kvNamespaces: { TOKENS: "shared" } });
  platform = new Miniflare({ workers: [isolate("one"), isolate("other"), isolate("third")] });
  kv = await platform.getKVNamespace("TOKENS", "one");
});

after(async () => {
  await platform?.dispose();
  await upstream.stop();
});

async function ask(name, query = "") {
  const { fetch } = await platform.getWorker(name);
  const response = await fetch(`http://worker/${query}`);
  assert.equal(response.status, 200, await response.clone().text());
  return response.json();
}

/** The one entry there is, once it is written. */
async function entry() {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const { keys } = await kv.list();
    if (keys.length > 0) {
      assert.equal(keys.length, 1);
      return { key: keys[0].name, text: await kv.get(keys[0].name) };
    }
    await sleep(20);
  }
  throw new Error("nothing was written");
}

test("isolates share a token, under a key that shows neither apiKey nor secret", async () => {
  const { token, exp } = await ask("one");
  assert.equal(token, upstream.tokens[0]);
  const { key, text } = await entry();
  assert.match(key, /^digitalpaye-auth:[0-9a-f]{64}$/);
  assert.ok(!text.includes(API_SECRET) && !text.includes(API_KEY));
  const { expiresAt, ...stored } = JSON.parse(text);
  assert.deepEqual(stored, { token, exp });
  assert.ok(expiresAt <= (exp + 1) * 1_000);
  assert.deepEqual(await ask("other"), { token, exp });
  assert.deepEqual(await ask("third"), { token, exp });
  assert.equal(upstream.exchanges(), 1);
});

test("a token that lives less than KV's 60 s is shared for as long as it lives, and no longer", async () => {
  upstream.lifetime = 3;
  const { token } = await ask("one");
  await entry();
  assert.equal((await ask("other")).token, token);
  assert.equal(upstream.exchanges(), 1);
  await sleep(3_100);
  assert.notEqual((await ask("third")).token, token);
});

test("what is invalidated is deleted, and its isolate gets another", async () => {
  const { token } = await ask("one");
  await entry();
  const next = await ask("one", "?invalidate");
  assert.notEqual(next.token, token);
  assert.ok(upstream.tokens.includes(next.token));
  assert.ok(!(await entry()).text.includes(token));
});

test("junk in KV is replaced", async () => {
  await ask("one");
  const { key } = await entry();
  await kv.put(key, "{");
  const { token } = await ask("other");
  assert.equal(token, upstream.tokens[1]);
  assert.ok((await entry()).text.includes(token));
  assert.equal((await ask("third")).token, token);
  assert.equal(upstream.exchanges(), 2);
});
