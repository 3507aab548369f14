// docs/recipes.md: servers that hold the secret.
import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { transform } from "esbuild";
import { run } from "../../../scripts/lib/process.mjs";
import { bundle } from "../../lib/workerd.mjs";
import { freePort } from "../../lib/server.mjs";
import { packageFolder } from "../reader.mjs";
import { API, ask, down, refused, succeeds } from "./shared.mjs";

export const recipes = {
  async "js express.mjs"(reader, block) {
    const { sandbox } = reader;
    const port = await freePort();
    const url = `http://127.0.0.1:${port}/balance`;
    // A process of its own: for those 60 s no call of its client goes out.
    await reader.during(block, async () => {
      await sandbox.script([{ retryAfter: 60 }]);
      assert.deepEqual(await ask(url), { status: 503, retryAfter: "60", body: { error: "rate_limited" } });
    }, { env: { PORT: String(port) } });
    await sandbox.reset();
    await reader.during(block, async () => {
      await sandbox.script(refused);
      assert.deepEqual(await ask(url), { status: 500, retryAfter: null, body: { error: "unauthorized" } });
      await sandbox.reset();
      const answers = await Promise.all(Array.from({ length: 20 }, () => ask(url)));
      for (const { status, body } of answers) assert.deepEqual([status, body.statusCode], [200, 200]);
      assert.deepEqual(await sandbox.counts(), { "POST /v1/auth": 1, "GET /v1/balance": 20 });
      await sandbox.script([{ path: "/v1/balance", status: 500 }]);
      assert.equal((await ask(url)).status, 502);
    }, { env: { PORT: String(port) } });
  },

  async "js worker.mjs"(reader, block) {
    const { sandbox } = reader;
    reader.executed.add("js worker.mjs");
    const modules = await bundle(reader.save(block));
    const { Miniflare, fetch: send } = await import("miniflare");
    const miniflare = new Miniflare({
      modules: modules.map(({ name, type, contents }) => ({ type: type === "wasm" ? "CompiledWasm" : "ESModule", path: name, contents })),
      modulesRoot: "/",
      compatibilityDate: "2026-07-01",
      bindings: { DIGITALPAYE_API_KEY: sandbox.apiKey, DIGITALPAYE_API_SECRET: sandbox.apiSecret },
      kvNamespaces: ["TOKENS"],
      outboundService(request) {
        const { origin, pathname, search } = new URL(request.url);
        if (origin !== API) throw new Error(`the worker asks ${origin}`);
        return send(new URL(pathname + search, sandbox.url), request);
      },
    });
    try {
      const url = new URL("/balance", await miniflare.ready);
      await sandbox.script(refused);
      assert.deepEqual(await ask(url), { status: 500, retryAfter: null, body: { error: "unauthorized" } });
      await sandbox.script(down);
      assert.deepEqual(await ask(url), { status: 503, retryAfter: null, body: { error: "internal_server_error" } });
      await sandbox.reset();
      const answers = await Promise.all(Array.from({ length: 20 }, () => ask(url)));
      for (const { status, body } of answers) assert.deepEqual([status, body.statusCode], [200, 200]);
      assert.deepEqual(await sandbox.counts(), { "POST /v1/auth": 1, "GET /v1/balance": 20 });
      const kv = await miniflare.getKVNamespace("TOKENS");
      let entries;
      for (const deadline = performance.now() + 5_000; performance.now() < deadline && !entries?.keys.length; await sleep(20)) {
        entries = await kv.list();
      }
      assert.equal(entries.keys.length, 1);
    } finally {
      await miniflare.dispose();
    }
  },

  async "ts app/api/balance/route.ts"(reader, block) {
    const { sandbox } = reader;
    reader.executed.add("ts app/api/balance/route.ts");
    const file = reader.save(block);
    const tsc = join(packageFolder("typescript5"), "lib", "tsc.js");
    await succeeds(run(process.execPath, [tsc, "--noEmit", "--strict", "--skipLibCheck", "--target", "es2022",
      "--module", "esnext", "--moduleResolution", "bundler", "--lib", "es2022,dom", "--types", "node", file], { cwd: reader.folder }));

    const { code } = await transform(block.code, { loader: "ts", format: "esm", target: "node20" });
    reader.save({ name: "app/api/balance/route.mjs", code });
    // As Next does: imports the module once without credentials (`next build`), and calls GET with a request.
    const program = `
      const key = process.env.DIGITALPAYE_API_KEY;
      delete process.env.DIGITALPAYE_API_KEY;
      const { GET } = await import("./app/api/balance/route.mjs");
      process.env.DIGITALPAYE_API_KEY = key;
      for (let times = 0; times < 3; times += 1) {
        const response = await GET(new Request("http://localhost:3000/api/balance"));
        console.log(response.status, JSON.stringify(await response.json()));
      }
    `;
    const answers = async () => {
      const { stdout } = await succeeds(run(process.execPath, ["--input-type=module", "--eval", program], { cwd: reader.folder, env: reader.environment() }));
      return stdout.trim().split("\n");
    };
    for (const line of await answers()) assert.match(line, /^200 \{"statusCode":200/);
    assert.deepEqual(await sandbox.counts(), { "POST /v1/auth": 1, "GET /v1/balance": 3 });
    await sandbox.reset();
    await sandbox.script([...down, ...refused]);
    const [first, second, third] = await answers();
    assert.deepEqual([first, second], ['503 {"error":"internal_server_error"}', '500 {"error":"unauthorized"}']);
    assert.match(third, /^200 /);
  },
};
