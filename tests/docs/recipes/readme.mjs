// The front page.
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { createServer as createSocketServer, connect } from "node:net";
import { join } from "node:path";
import { runner } from "../../emulator/projects.mjs";
import { run } from "../../../scripts/lib/process.mjs";
import { startRedis } from "../../lib/redis.mjs";
import { listening, startServer } from "../../lib/server.mjs";
import { sidesOf } from "../extract.mjs";
import { BALANCE, down, refused, succeeds } from "./shared.mjs";

async function getsToken(reader, block, options) {
  const { stdout } = await succeeds(reader.run(block, options));
  assert.match(stdout, /\b20\d\d-\d\d-\d\dT[\d:.]+Z$/m);
  assert.match(stdout, /^200 \{/m);
  assert.deepEqual(await reader.sandbox.counts(), BALANCE);
}

/** The program before and after a change, and what each prints: the same. */
async function bothSides(reader, block, options) {
  reader.executed.add(`${block.language} ${block.name}`);
  const outputs = [];
  for (const [side, code] of Object.entries(sidesOf(block))) {
    const name = `${side}-${block.name}`;
    reader.save({ name, code });
    outputs.push((await succeeds(reader.program(name, options))).stdout);
  }
  assert.equal(outputs[0], "125000 XOF\n");
  assert.equal(outputs[1], outputs[0]);
}

export const recipes = {
  async "sh install"(reader, block) {
    await succeeds(reader.install(block));
    assert.ok(existsSync(join(reader.folder, "node_modules", "digitalpaye-auth", "index.js")));
    await reader.link();
  },

  async "js pay.mjs"(reader, block) {
    const { stdout } = await succeeds(reader.run(block));
    assert.equal(stdout, "201 { id: 'p-1', status: 'PENDING' }\n");
    assert.deepEqual(await reader.sandbox.counts(), {}, "it asked a server");
  },

  "js token.mjs": (reader, block) => getsToken(reader, block),

  async "sh run"(reader, block, all) {
    reader.save(all.find(({ name }) => name === "token.mjs"));
    const { apiKey, apiSecret } = reader.sandbox;
    writeFileSync(join(reader.folder, ".env"), `DIGITALPAYE_API_KEY=${apiKey}\nDIGITALPAYE_API_SECRET=${apiSecret}\n`);
    // Node lets the environment go before the file.
    await getsToken(reader, block, { env: { DIGITALPAYE_API_KEY: undefined, DIGITALPAYE_API_SECRET: undefined } });
  },

  async "js errors.mjs"(reader, block) {
    const { sandbox } = reader;
    assert.match((await succeeds(reader.run(block))).stdout, /^200 \{/);
    const fails = async (script, env = {}) => {
      await sandbox.script(script);
      const { code, output } = await reader.run(block, { env });
      assert.equal(code, 1, output);
      return output;
    };
    assert.match(await fails(refused), /^unauthorized: Identifiants API incorrects/);
    assert.match(await fails(down), /^internal_server_error: try again in 30 s$/m);
    assert.match(await fails([{ retryAfter: 60 }]), /^rate_limited: try again in 60 s$/m);
    assert.match(await fails([{ brokenJson: true }]), /^invalid_response: /);
    assert.match(await fails([], { DIGITALPAYE_API_KEY: "a:b" }), /InvalidOptionsError/);
  },

  async "js fleet.mjs"(reader, block) {
    const { sandbox } = reader;
    const redis = await startRedis();
    // The server of the tests listens on a Unix socket, and the recipe's URL is one of TCP.
    const bridge = await listening(createSocketServer((near) => {
      const far = connect(redis.socket);
      for (const [from, to] of [[near, far], [far, near]]) from.on("error", () => to.destroy()).pipe(to);
    }));
    const env = { REDIS_URL: `redis://127.0.0.1:${bridge.port}` };
    try {
      const fleet = await Promise.all(Array.from({ length: 5 }, () => reader.run(block, { env })));
      for (const { code, output } of fleet) assert.deepEqual([code, output], [0, "200\n"]);
      assert.deepEqual(await sandbox.counts(), { "POST /v1/auth": 1, "GET /v1/balance": 5 });
    } finally {
      await redis.stop();
      await bridge.stop();
    }
  },

  async "js pay.vitest.test.mjs"(reader, block) {
    reader.executed.add("js pay.vitest.test.mjs");
    const vitest = await runner("vitest/vitest.mjs");
    const outcome = (code) => {
      reader.save({ name: block.name, code });
      return run(process.execPath, [vitest, "run", block.name, "--root", reader.folder], {
        cwd: reader.folder, env: reader.environment({ NODE_OPTIONS: "" }), timeout: 60_000,
      });
    };
    assert.match((await succeeds(outcome(block.code))).stdout, /1 passed/);
    const broken = await outcome(block.code.replace("fetch: emulator.fetch", "fetch: emulator.fetch, maxRetries: 0"));
    assert.equal(broken.code, 1);
    assert.match(broken.output, /InternalServerError/);
  },

  async "js pay.node.test.mjs"(reader, block) {
    const { stdout } = await succeeds(reader.run(block));
    assert.match(stdout, /^# pass 1$/m);
    assert.deepEqual(await reader.sandbox.counts(), {}, "it asked a server");
    const broken = await reader.run({ ...block, code: block.code.replace("auth.fetch(\"v1", "emulator.fetch(\"https://api.digitalpaye.com/v1") });
    assert.equal(broken.code, 1, "a call without the client passes too");
    assert.match(broken.output, /401 !== 201/);
  },

  async "diff from-sdk.mjs"(reader, block) {
    const { sandbox } = reader;
    // What the SDK asks for is not what Digitalpaye's page documents; the rest is the stand-in's.
    const sdk = await startServer((request, response) => {
      if (request.url === "/v1/auth/token") return response.end(JSON.stringify({ data: { access_token: "of-the-sdk", expires_in: 600 } }));
      if (request.url !== "/v1/balance" || request.headers.authorization !== "Bearer of-the-sdk") return response.writeHead(404).end();
      return response.end(JSON.stringify({ data: { balance: 125_000, currency: "XOF" } }));
    });
    const env = { DIGITALPAYE_PUBLIC_KEY: sandbox.apiKey, DIGITALPAYE_SECRET: sandbox.apiSecret, DOCS_HTTPS: sdk.url };
    try {
      await bothSides(reader, block, { env });
      assert.deepEqual(await sandbox.counts(), BALANCE);
    } finally {
      await sdk.stop();
    }
  },

  async "diff from-axios.mjs"(reader, block) {
    await bothSides(reader, block, { env: { DOCS_HTTPS: reader.sandbox.url } });
    assert.deepEqual(await reader.sandbox.counts(), { "POST /v1/auth": 2, "GET /v1/balance": 2 });
  },
};
