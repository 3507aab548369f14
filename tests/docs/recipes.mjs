// For each code block of the READMEs, by language and name: how it is run, and what has to come of it.
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, connect } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { transform } from "esbuild";
import { root, target } from "../../scripts/lib/paths.mjs";
import { run, which } from "../../scripts/lib/process.mjs";
import { startRedis } from "../lib/redis.mjs";
import { bundle } from "../lib/workerd.mjs";
import { freePort, packageFolder } from "./reader.mjs";

const API = "https://api.digitalpaye.com";
const BALANCE = { "POST /v1/auth": 1, "GET /v1/balance": 1 };
const json = (path) => JSON.parse(readFileSync(path, "utf8"));

async function succeeds(running) {
  const result = await running;
  assert.equal(result.code, 0, result.output);
  return result;
}

/** Asks until something listens there. */
async function ask(url) {
  for (const deadline = performance.now() + 15_000; ; await sleep(50)) {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
      return { status: response.status, retryAfter: response.headers.get("retry-after"), body: await response.json() };
    } catch (error) {
      if (error.cause?.code !== "ECONNREFUSED" || performance.now() > deadline) throw error;
    }
  }
}

const refused = [{ status: 401, times: 1 }];
const down = [{ status: 503, times: 3 }];

async function getsToken(reader, block, options) {
  const { stdout } = await succeeds(reader.run(block, options));
  assert.match(stdout, /\b20\d\d-\d\d-\d\dT[\d:.]+Z$/m);
  assert.match(stdout, /^200 \{/m);
  assert.deepEqual(await reader.sandbox.counts(), BALANCE);
}

export const recipes = {
  async "sh install"(reader, block) {
    await succeeds(reader.install(block));
    assert.ok(existsSync(join(reader.folder, "node_modules", "digitalpaye-auth", "index.js")));
    reader.link();
  },

  "js token.mjs": (reader, block) => getsToken(reader, block),

  async "sh run"(reader, block, all) {
    reader.save(all.find(({ name }) => name === "token.mjs"));
    const { apiKey, apiSecret } = reader.sandbox;
    writeFileSync(join(reader.folder, ".env"), `DIGITALPAYE_API_KEY=${apiKey}\nDIGITALPAYE_API_SECRET=${apiSecret}\n`);
    // Node lets the environment go before the file.
    await getsToken(reader, block, { env: { DIGITALPAYE_API_KEY: undefined, DIGITALPAYE_API_SECRET: undefined } });
  },

  async "sh clone"(reader, block) {
    // These build the world, and other tests run them: here it counts that they exist.
    reader.replace("npm", 'echo "$@"\n');
    const { stdout } = await succeeds(reader.run(block));
    const { scripts } = json(join(root, "package.json"));
    const asked = stdout.trim().split("\n").map((line) => line.replace(/^run /, "").split(" ")[0]);
    assert.deepEqual(asked, ["start", "test"]);
    for (const name of asked) assert.ok(scripts[name], `npm has no script ${name}`);
  },

  async "js errors.mjs"(reader, block) {
    const { sandbox } = reader;
    assert.match((await succeeds(reader.run(block))).stdout, /^ready until 20/);
    const fails = async (script, env = {}) => {
      await sandbox.script(script);
      const { code, output } = await reader.run(block, { env });
      assert.equal(code, 1, output);
      return output;
    };
    assert.match(await fails(refused), /^refused: Identifiants API incorrects/);
    assert.match(await fails(down), /^internal_server_error: try again in 30 s$/m);
    assert.match(await fails([{ retryAfter: 60 }]), /^rate_limited: try again in 60 s$/m);
    assert.match(await fails([{ brokenJson: true }]), /^invalid_response: /);
    assert.match(await fails([], { DIGITALPAYE_API_KEY: "a:b" }), /InvalidOptionsError/);
  },

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

  async "js redis.mjs"(reader, block) {
    const { sandbox } = reader;
    const redis = await startRedis();
    // The server of the tests listens on a Unix socket, and the recipe's URL is one of TCP.
    const bridge = createServer((near) => {
      const far = connect(redis.socket);
      for (const [from, to] of [[near, far], [far, near]]) from.on("error", () => to.destroy()).pipe(to);
    });
    await new Promise((listening) => bridge.listen(0, "127.0.0.1", listening));
    const env = { REDIS_URL: `redis://127.0.0.1:${bridge.address().port}` };
    try {
      const fleet = await Promise.all(Array.from({ length: 5 }, () => reader.run(block, { env })));
      for (const { code, output } of fleet) {
        assert.equal(code, 0, output);
        assert.match(output, /^200 \{/);
      }
      assert.deepEqual(await sandbox.counts(), { "POST /v1/auth": 1, "GET /v1/balance": 5 });
    } finally {
      await redis.stop();
      await new Promise((closed) => bridge.close(closed));
    }
  },

  async "sh shell"(reader, block) {
    const { sandbox } = reader;
    reader.replace("curl", `
      for argument; do
        shift
        case $argument in
          ${API}/*) argument=$DOCS_STAND_IN\${argument#${API}} ;;
          http*) exit 99 ;;
        esac
        set -- "$@" "$argument"
      done
      exec ${JSON.stringify(which("curl"))} "$@"
    `);
    const { stdout } = await succeeds(reader.run(block));
    assert.equal(JSON.parse(stdout).statusCode, 200);
    assert.deepEqual(await sandbox.counts(), BALANCE);
    await sandbox.script(refused);
    const failed = await reader.run(block);
    assert.equal(failed.code, 1);
    assert.match(failed.output, /^unauthorized: /m);
    const unusable = await reader.run(block, { env: { DIGITALPAYE_API_KEY: "" } });
    assert.equal(unusable.code, 2);
    assert.match(unusable.output, /^invalid_options: .*DIGITALPAYE_API_KEY is not set/m);
  },

  async "sh stand-in"(reader, block) {
    const crate = /^name = "(.+)"$/m.exec(readFileSync(join(root, "tests", "sandbox", "Cargo.toml"), "utf8"))[1];
    // Built already; and the port of the text may be somebody's.
    reader.replace("cargo", `
      [ "$1 $2 $3 $4" = "run -p ${crate} --" ] || exit 99
      shift 4
      exec ${JSON.stringify(join(target, "debug", crate))} "$@" --port 0
    `);
    await reader.during(block, async (child) => {
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      let url;
      while (!url) {
        const { value, done } = await lines.next();
        assert.ok(!done, "the stand-in did not start");
        url = /http:\/\/127\.0\.0\.1:\d+/.exec(value)?.[0];
      }
      assert.equal((await ask(`${url}/_sandbox/counts`)).status, 200);
    });
  },

  async "js stand-in.test.mjs"(reader, block) {
    const { stdout } = await succeeds(reader.run(block));
    assert.match(stdout, /^# pass 1$/m);
  },
};
