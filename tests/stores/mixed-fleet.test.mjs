// Processes with different clients of one Redis, all of which start at once: one of them exchanges.

import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { installed } from "../lib/install.mjs";
import { startRedis } from "../lib/redis.mjs";
import { CLIENTS } from "./clients.mjs";
import { startUpstash } from "./upstash.mjs";
import { startUpstream } from "./upstream.mjs";

const PROCESSES = 20;
const PROCESS = fileURLToPath(new URL("mixed-process.mjs", import.meta.url));

let upstream;
let server;
let upstash;
const children = new Set();

before(async () => {
  upstream = await startUpstream();
  server = await startRedis({ tcp: true });
  upstash = await startUpstash(server);
});
after(async () => {
  for (const child of children) child.kill("SIGKILL");
  await upstash.stop();
  await server.stop();
  await upstream.stop();
});

async function start(name) {
  const argument = JSON.stringify({
    name,
    server: { socket: server.socket, port: server.port, upstash: { url: upstash.url, token: upstash.token } },
    options: { apiKey: "mixed-merchant-key", apiSecret: "mixed-merchant-secret-Zq8", baseUrl: upstream.url },
  });
  const env = { ...process.env, DIGITALPAYE_AUTH_CONSUMER: await installed() };
  delete env.NODE_TEST_CONTEXT;
  const child = fork(PROCESS, [argument], { env, execArgv: [] });
  children.add(child);
  const exited = once(child, "exit").then(([code, signal]) => ({ error: `${name} ended: ${signal ?? code}` }));
  const message = () => Promise.race([once(child, "message").then(([answer]) => answer), exited]);
  assert.deepEqual(await message(), { ready: true });
  return () => {
    const answer = message();
    child.send({});
    return answer;
  };
}

test(`${PROCESSES} processes of ${Object.keys(CLIENTS).length} clients make 1 exchange`, async () => {
  const names = Object.keys(CLIENTS);
  upstream.before = () => sleep(300);
  const fleet = [];
  for (let n = 0; n < PROCESSES; n += 1) fleet.push(await start(names[n % names.length]));
  const answers = await Promise.all(fleet.map((ask) => ask()));
  assert.deepEqual(answers.filter(({ token }) => token !== upstream.tokens[0]), []);
  assert.equal(upstream.exchanges(), 1);
});
