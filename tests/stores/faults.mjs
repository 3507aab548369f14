// What happens with each client when its server fails: the store's calls by themselves, and a client's getToken().

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { importInstalled } from "../lib/install.mjs";
import { startRedis } from "../lib/redis.mjs";
import { CLIENTS } from "./clients.mjs";
import { startUpstash } from "./upstash.mjs";
import { startUpstream } from "./upstream.mjs";

/** How long a call of the store is watched. A client with a store waits 2 s for one answer. */
const WATCH_MS = 6_000;
const GET_TOKEN_MS = 10_000;
/** Until a client has noticed that its connection is gone. What it sends before that, it may send again when it is back. */
const NOTICED_MS = 300;
const KEY = "a-key-of-the-test";
const PREFIX = "digitalpaye-auth:";

/** What is done to a server that works, and, where it ends, how. `admin` is a client of it that nobody else has. */
export const FAULTS = {
  "stopped": {
    async begin({ upstash, server }) {
      await Promise.all([upstash.stop(), server.stop()]);
      await sleep(NOTICED_MS);
    },
  },
  "hanging": { begin: ({ server }) => server.pause(), end: ({ server }) => server.resume() },
  "restarted": {
    async begin(setting) {
      await setting.server.stop();
      setting.server = await startRedis({ port: setting.server.port });
    },
    recovers: true,
  },
  "read-only replica": { begin: ({ admin }) => admin.call("REPLICAOF", "127.0.0.1", "1") },
  "wrong password": {
    async begin({ admin, upstash }) {
      await admin.call("CONFIG", "SET", "requirepass", "another");
      upstash.token = "another";
      await admin.call("CLIENT", "KILL", "TYPE", "normal");
      await sleep(NOTICED_MS);
    },
  },
  "nonsense in its keys": {
    async begin({ admin }, auth) {
      await admin.set(`${PREFIX}{${KEY}}`, "[]");
      await auth.getToken();
      let keys = [];
      for (const deadline = performance.now() + 5_000; keys.length < 2; await sleep(10)) {
        assert.ok(performance.now() < deadline, "the client's own key is among them");
        keys = (await admin.keys(`${PREFIX}*`)).filter((key) => !key.endsWith(":lease"));
      }
      for (const key of keys) await admin.set(key, '{"token":"two words"');
    },
  },
};

/**
 * Puts one fault on one client. Resolves to what was seen: `calls`, of each call of the store `answered`, `rejected` or
 * `silent` and `ms`; `token`, how long `getToken()` took; `again`, whether the store works after the fault. Throws if
 * a call of `getToken()` is not answered.
 */
export async function putFault(clientName, faultName) {
  const fault = FAULTS[faultName];
  const upstream = await startUpstream();
  const setting = { server: await startRedis({ tcp: true }) };
  const { port } = setting.server;
  setting.upstash = await startUpstash({ port });
  const { Redis } = await import("ioredis");
  setting.admin = new Redis({ port });
  setting.admin.on("error", () => {});
  const { client, close } = await CLIENTS[clientName]({ port, upstash: setting.upstash });
  const { DigitalpayeAuth } = await importInstalled("digitalpaye-auth");
  const { redisStore } = await importInstalled("digitalpaye-auth/stores/redis");
  const store = redisStore(client);
  const options = { apiKey: "fault-key", apiSecret: "fault-secret-Zq8", baseUrl: upstream.url };
  const auths = [];
  const newAuth = () => {
    auths.push(new DigitalpayeAuth({ ...options, store: redisStore(client) }));
    return auths.at(-1);
  };
  try {
    assert.equal(await store.get(KEY), null);
    assert.equal(await store.acquire(KEY, 60), true);
    await fault.begin(setting, newAuth());

    const token = { token: "of-the-test", exp: Math.floor(Date.now() / 1_000) + 600 };
    const works = [store.get(KEY), store.set(KEY, token, 30), store.delete(KEY, "another"), store.acquire(KEY, 30), store.release(KEY)];
    const [calls, times] = await Promise.all([
      Promise.all(works.map(watch)),
      Promise.all(Array.from({ length: 3 }, () => timed(newAuth(), upstream))),
    ]);
    const auth = newAuth();
    auth.invalidate();
    times.push(await timed(auth, upstream, { forceRefresh: true }));

    if (fault.end) {
      fault.end(setting);
      // Nothing that was asked stays without an answer once the server is back.
      for (const call of await Promise.all(works.map(watch))) assert.notEqual(call.what, "silent", `${clientName}, ${faultName}`);
    }
    const again = fault.end || fault.recovers ? await recovers(store) : undefined;
    return { calls, token: Math.max(...times), again };
  } finally {
    for (const auth of auths) auth[Symbol.dispose]();
    await close();
    setting.admin.disconnect();
    await setting.upstash.stop();
    await setting.server.stop();
    await upstream.stop();
  }
}

async function watch(call) {
  const started = performance.now();
  const timer = new AbortController();
  const what = await Promise.race([
    call.then(() => "answered", (error) => (assert.ok(error instanceof Error), "rejected")),
    sleep(WATCH_MS, "silent", { signal: timer.signal }).catch(() => {}),
  ]);
  timer.abort();
  return { what, ms: performance.now() - started };
}

async function timed(auth, upstream, call) {
  const started = performance.now();
  const { token } = await auth.getToken(call);
  const ms = performance.now() - started;
  assert.ok(upstream.tokens.includes(token));
  assert.ok(ms < GET_TOKEN_MS, `getToken() took ${ms} ms`);
  return ms;
}

/** Whether the store keeps a token again, within ten seconds. */
async function recovers(store) {
  const token = { token: "after-the-fault", exp: Math.floor(Date.now() / 1_000) + 600 };
  for (const deadline = performance.now() + 10_000; performance.now() < deadline; await sleep(50)) {
    try {
      await store.set(KEY, token, 60);
      if ((await store.get(KEY))?.token === token.token) return true;
    } catch {
      // Not yet.
    }
  }
  return false;
}

/** One cell of the table. */
export function cell({ calls, token, again }) {
  const count = (what) => calls.filter((call) => call.what === what).length;
  const seconds = (ms) => `${Math.ceil(ms / 1_000)} s`;
  const parts = [];
  for (const [what, word] of [["answered", "answer"], ["rejected", "reject"]]) {
    const ms = Math.max(...calls.filter((call) => call.what === what).map((call) => call.ms));
    if (count(what) > 0) parts.push(`${count(what)} ${word} within ${seconds(ms)}`);
  }
  if (count("silent") > 0) parts.push(`${count("silent")} silent while it lasts`);
  return `${parts.join(", ")}; token within ${seconds(token)}${again === undefined ? "" : again ? "; shared again" : "; not shared again"}`;
}
