// Processes with different clients of one Redis, all of which start at once: one of them exchanges.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startRedis } from "../lib/redis.mjs";
import { CLIENTS } from "./clients.mjs";
import { killMembers, startMember } from "./members.mjs";
import { startUpstash } from "./upstash.mjs";
import { startUpstream } from "./upstream.mjs";

const PROCESSES = 20;

let upstream;
let server;
let upstash;

before(async () => {
  upstream = await startUpstream();
  server = await startRedis({ tcp: true });
  upstash = await startUpstash(server);
});
after(async () => {
  killMembers();
  await upstash.stop();
  await server.stop();
  await upstream.stop();
});

const start = (name) => startMember({
  name,
  server: { socket: server.socket, port: server.port, upstash: { url: upstash.url, token: upstash.token } },
  options: { apiKey: "mixed-merchant-key", apiSecret: "mixed-merchant-secret-Zq8", baseUrl: upstream.url },
});

test(`${PROCESSES} processes of ${Object.keys(CLIENTS).length} clients make 1 exchange`, async () => {
  const names = Object.keys(CLIENTS);
  upstream.before = () => sleep(300);
  const fleet = [];
  for (let n = 0; n < PROCESSES; n += 1) fleet.push(await start(names[n % names.length]));
  const answers = await Promise.all(fleet.map(({ ask }) => ask()));
  assert.deepEqual(answers.filter(({ token }) => token !== upstream.tokens[0]), []);
  assert.equal(upstream.exchanges(), 1);
});
