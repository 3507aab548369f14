// docs/stores.md and its French twin: each block of code is run as it is, and both have the same code.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { temporaryFolder } from "../../scripts/lib/temporary.mjs";
import { engine } from "../conformance/lib/engines.mjs";
import { blocksOf, headingsOf, tablesOf, withoutComments } from "../docs/extract.mjs";
import { installed } from "../lib/install.mjs";
import { installOnce } from "../lib/projects.mjs";
import { libraries } from "../lib/postgres.mjs";
import { startRedis } from "../lib/redis.mjs";
import { typeset } from "../lib/typography.mjs";
import { startUpstash } from "./upstash.mjs";
import { mint } from "../lib/tokens.mjs";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));
const read = (name) => readFileSync(join(root, "docs", name), "utf8");
const [english, french] = [read("stores.md"), read("stores.fr.md")];
const blocks = blocksOf(english);
const block = (name) => blocks.find((each) => each.name === name).code;

// Which clients a block imports is a block's own matter; this is a project that has them all.
const project = temporaryFolder("stores-docs");
let server;
let upstash;
before(async () => {
  const modules = join(project, "node_modules");
  for (const name of ["redis", "ioredis", "iovalkey", "@upstash/redis", "@vercel/kv", "@valkey/valkey-glide"]) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(root, "node_modules", name), join(modules, name));
  }
  await installOnce(libraries);
  symlinkSync(join(libraries, "node_modules", "unstorage"), join(modules, "unstorage"));
  symlinkSync(join(await installed(), "node_modules", "digitalpaye-auth"), join(modules, "digitalpaye-auth"));
  for (const { name, code } of blocks) writeFileSync(join(project, name), code);
  server = await startRedis({ tcp: true });
  upstash = await startUpstash({ port: server.port });
});
after(async () => {
  await upstash.stop();
  await server.stop();
});

const used = new Set();

const CHECK = (name) => `
const { store } = await import("./${name}");
const token = { token: "by-${name}", exp: 2000000000 };
await store.set("key", token, 60);
const { ttlSeconds, ...got } = await store.get("key");
console.log(JSON.stringify([got, ttlSeconds > 50 && ttlSeconds <= 60, await store.acquire("key", 5)]));
await store.release("key");
process.exit();
`;

for (const name of ["redis.mjs", "ioredis.mjs", "iovalkey.mjs", "glide.mjs", "upstash.mjs", "vercel-kv.mjs", "function.mjs"]) {
  test(`${name} makes a store that works`, async () => {
    used.add(name);
    writeFileSync(join(project, "check.mjs"), CHECK(name));
    const env = {
      PATH: process.env.PATH, REDIS_URL: `redis://127.0.0.1:${server.port}`, VALKEY_HOST: "127.0.0.1", VALKEY_PORT: String(server.port),
      UPSTASH_REDIS_REST_URL: upstash.url, UPSTASH_REDIS_REST_TOKEN: upstash.token, KV_REST_API_URL: upstash.url, KV_REST_API_TOKEN: upstash.token,
    };
    const { stdout } = await run(process.execPath, ["check.mjs"], { cwd: project, env, timeout: 60_000 });
    assert.deepEqual(JSON.parse(stdout.trim().split("\n").at(-1)), [{ token: `by-${name}`, exp: 2_000_000_000 }, true, true]);
  });
}

test("my-store.mjs passes my-store.test.mjs", async () => {
  used.add("my-store.mjs").add("my-store.test.mjs");
  const env = { PATH: process.env.PATH };
  const { stdout } = await run(process.execPath, ["--test", "my-store.test.mjs"], { cwd: project, env, timeout: 60_000 });
  assert.match(stdout, /^# fail 0$/m);
  assert.ok(Number(/^# pass (\d+)$/m.exec(stdout)[1]) >= 15, stdout);
});

test("deno-kv.mjs passes testStore, in Deno", async () => {
  used.add("deno-kv.mjs");
  const suite = block("my-store.test.mjs").replaceAll("my-store.mjs", "deno-kv.mjs").replaceAll("myStore", "denoKvStore");
  writeFileSync(join(project, "deno-kv.test.mjs"), suite);
  // By default the database is in the home folder, and stays.
  const env = { PATH: process.env.PATH, NO_COLOR: "1", HOME: join(project, "home"), XDG_CACHE_HOME: join(project, "cache") };
  const args = ["test", "--unstable-kv", "--allow-all", "--no-check", "--node-modules-dir=manual", "deno-kv.test.mjs"];
  const { stdout } = await run(await engine("Deno"), args, { cwd: project, env, timeout: 60_000 });
  assert.match(stdout, /^ok \| 1 passed \((\d+) steps\) \| 0 failed/m);
  assert.ok(Number(/\((\d+) steps\)/.exec(stdout)[1]) >= 25, stdout);
});

const UNSTORAGE = `
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { testStore } from "digitalpaye-auth/stores/testing";
import { createStorage } from "unstorage";
import fs from "unstorage/drivers/fs";
import memory from "unstorage/drivers/memory";
import redis from "unstorage/drivers/redis";
import { unstorageStore } from "./unstorage.mjs";

const server = redis({ url: process.env.REDIS_URL });
for (const driver of [memory(), fs({ base: "./unstorage" }), server]) {
  describe(driver.name, { concurrency: true }, () => {
    const storage = createStorage({ driver });
    after(() => storage.dispose());
    testStore(() => unstorageStore(storage), { describe, test });
    test("nonsense is a miss", async () => {
      for (const nonsense of ["{", "[]", { token: "without an end" }]) {
        await storage.setItem("digitalpaye-auth:nonsense", nonsense);
        assert.equal(await unstorageStore(storage).get("nonsense"), null);
      }
    });
    if (driver === server) test("clears what has ended", async () => {
      await unstorageStore(storage).set("ends", { token: "one", exp: 2000000000 }, 61.25);
      const ttl = await driver.getInstance().ttl("digitalpaye-auth:ends");
      assert.ok(ttl > 55 && ttl <= 62, String(ttl));
    });
  });
}
`;

test("unstorage.mjs passes testStore, over its drivers for memory, files and Redis", async () => {
  used.add("unstorage.mjs");
  writeFileSync(join(project, "unstorage.test.mjs"), UNSTORAGE);
  const env = { PATH: process.env.PATH, REDIS_URL: `redis://127.0.0.1:${server.port}` };
  const { stdout } = await run(process.execPath, ["--test", "unstorage.test.mjs"], { cwd: project, env, timeout: 60_000 });
  assert.match(stdout, /^# fail 0$/m);
  assert.ok(Number(/^# pass (\d+)$/m.exec(stdout)[1]) >= 3 * 15, stdout);
});

test("worker.mjs runs as wrangler.jsonc has it", async (context) => {
  used.add("worker.mjs").add("wrangler.jsonc");
  const config = JSON.parse(block("wrangler.jsonc"));
  const [{ name: binding, class_name: className }] = config.durable_objects.bindings;
  assert.deepEqual(config.migrations, [{ tag: "v1", new_sqlite_classes: [className] }]);
  assert.equal(config.main, "worker.mjs");

  const { outputFiles } = await build({
    entryPoints: [join(project, config.main)], bundle: true, write: false, format: "esm", target: "es2022", outdir: "out",
    conditions: ["workerd", "worker"], external: ["cloudflare:workers"], loader: { ".wasm": "copy" },
  });
  const modules = outputFiles.map(({ path, contents, text }) => {
    const name = path.slice(path.lastIndexOf("/") + 1);
    return name.endsWith(".wasm") ? { type: "CompiledWasm", path: name, contents } : { type: "ESModule", path: name, contents: text };
  }).sort((a) => (a.type === "ESModule" ? -1 : 1));
  const paths = [];
  const isolate = (name) => ({
    name, modules, compatibilityDate: config.compatibility_date,
    bindings: { DIGITALPAYE_API_KEY: "docs-key", DIGITALPAYE_API_SECRET: "docs-secret" },
    durableObjects: { [binding]: { className, useSQLite: true, ...(name === "other" && { scriptName: "payments" }) } },
    outboundService: async (request) => {
      const { pathname } = new URL(request.url);
      paths.push(pathname);
      return pathname === "/v1/auth"
        ? Response.json({ statusCode: 200, message: "Successful", data: mint(600) })
        : Response.json({ authorization: request.headers.get("authorization") });
    },
  });
  const platform = new Miniflare({ workers: ["payments", "other"].map(isolate) });
  context.after(() => platform.dispose());
  const answers = [];
  for (const name of ["payments", "other"]) answers.push(await (await (await platform.getWorker(name)).fetch("http://worker/")).json());
  assert.match(answers[0].authorization, /^Bearer ./);
  assert.deepEqual(answers[1], answers[0]);
  assert.deepEqual(paths, ["/v1/auth", "/v1/balance", "/v1/balance"]);
});

describe("both languages", () => {
  test("have the same code, headings and tables", () => {
    const code = (document) => blocksOf(document).map((each) => [each.language, each.name, withoutComments(each)]);
    assert.deepEqual(code(french), code(english));
    const shape = (document) => [
      headingsOf(document).map(({ level }) => level),
      tablesOf(document).map(({ rows }) => rows.length),
    ];
    assert.deepEqual(shape(french), shape(english));
  });

  test("lead to files that are there", () => {
    for (const document of [english, french]) {
      const targets = [...document.matchAll(/\]\(([^)#]+)\)/g)].map(([, target]) => target);
      assert.ok(targets.length >= 2);
      for (const target of targets) assert.ok(existsSync(join(root, "docs", target)), target);
    }
  });

  test("French is typeset", () => {
    const prose = french.replaceAll(/```.*?```/gs, "");
    assert.equal(prose, typeset(prose));
  });
});

test("each block was run", () => {
  // Both by postgres.test.mjs.
  used.add("digitalpaye_auth.sql").add("postgres.mjs");
  assert.deepEqual([...used].sort(), blocks.map(({ name }) => name).sort());
});
