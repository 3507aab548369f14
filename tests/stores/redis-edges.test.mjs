// Where clients and servers differ: connections that are not there yet, servers without a clock, errors that repeat what
// was sent, clusters.

import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import { Redis as Upstash } from "@upstash/redis";
import { GlideClusterClient } from "@valkey/valkey-glide";
import { Cluster, Redis } from "ioredis";
import { Cluster as Cluster5, Redis as Redis5 } from "ioredis5";
import { Cluster as ValkeyCluster } from "iovalkey";
import { createClient, createCluster } from "redis";
import { createCluster as createCluster4 } from "redis4";
import { createCluster as createCluster6, createSentinel as createSentinel6 } from "redis6";
import { importInstalled } from "../lib/install.mjs";
import { startRedis } from "../lib/redis.mjs";
import { startUpstash } from "./upstash.mjs";

const KEY = "mJ2e0cOWMC0yOWYwLTRjMWMtOGE2ZC0bGl2ZV9JlYzU";
const ENTRY = `digitalpaye-auth:{${KEY}}`;
const LEASE = `${ENTRY}:lease`;
const TOKEN = { token: `eyJhbGciOiJIUzI1NiJ9.${"eyJleHAiOjE3Mjg2MzQ4MDN9".repeat(4)}.c2ln`, exp: 1_728_634_803 };

const { redisStore } = await importInstalled("digitalpaye-auth/stores/redis");

let server;
let redis;
const opened = new Set();

before(async () => {
  server = await startRedis();
  redis = open(new Redis({ path: server.socket }));
});
beforeEach(() => redis.flushall());
afterEach(() => {
  for (const client of opened) if (client !== redis) client.disconnect(), opened.delete(client);
});
after(async () => {
  redis.disconnect();
  await server.stop();
});

function open(client) {
  client.on("error", () => {});
  opened.add(client);
  return client;
}

describe("a connection", () => {
  for (const [name, Client] of Object.entries({ "ioredis 5": Redis5, "ioredis 6": Redis })) {
    test(`${name}: the first one is waited for, by all who ask`, async () => {
      const client = open(new Client({ path: server.socket }));
      assert.notEqual(client.status, "ready");
      const store = redisStore(client);
      const answers = await Promise.all(Array.from({ length: 20 }, () => store.get(KEY)));
      assert.deepEqual(answers, Array(20).fill(null));
      assert.deepEqual([client.listenerCount("ready"), client.listenerCount("close"), client.listenerCount("end")], [0, 0, 0]);
    });

    test(`${name}: once it is lost, nothing is queued, and it is used again when it is back`, async (context) => {
      const own = await startRedis({ tcp: true });
      context.after(own.stop);
      const client = open(new Client({ port: own.port, retryStrategy: () => 100 }));
      const store = redisStore(client);
      await store.set(KEY, TOKEN, 600);
      await own.stop();
      while (client.status === "ready") await sleep(10);
      const started = performance.now();
      for (const call of [store.get(KEY), store.set(KEY, TOKEN, 600), store.delete(KEY), store.acquire(KEY, 5)]) {
        await assert.rejects(call, /not connected/);
      }
      assert.ok(performance.now() - started < 500);
      assert.equal(client.offlineQueue?.length ?? 0, 0);
      const again = await startRedis({ port: own.port });
      context.after(again.stop);
      while (client.status !== "ready") await sleep(10);
      await store.set(KEY, TOKEN, 600);
      assert.equal((await store.get(KEY)).token, TOKEN.token);
    });

    test(`${name}: one that cannot be made fails at once`, async () => {
      const client = open(new Client({ path: "/nowhere/redis.sock" }));
      const store = redisStore(client);
      const started = performance.now();
      await assert.rejects(store.get(KEY), /not connected/);
      await assert.rejects(store.get(KEY), /not connected/);
      assert.ok(performance.now() - started < 1_000);
    });
  }

  test("that takes longer than anyone waits: what was asked meanwhile is not sent late", async () => {
    const client = Object.assign(new EventEmitter(), { status: "connecting", sent: 0 });
    client.eval = async () => [Date.now(), client.sent += 1];
    const store = redisStore(client);
    const asked = assert.rejects(store.set(KEY, TOKEN, 600), /took too long to connect/);
    await sleep(2_100);
    client.status = "ready";
    client.emit("ready");
    await asked;
    assert.equal(client.sent, 0);
    await store.set(KEY, TOKEN, 600);
    assert.ok(client.sent > 0);
  });

  test("redis: one that is not begun fails at once, and the store works when it is made", async (context) => {
    const client = createClient({ socket: { path: server.socket } });
    client.on("error", () => {});
    context.after(() => client.destroy());
    const store = redisStore(client);
    await assert.rejects(store.get(KEY), /not connected/);
    await client.connect();
    assert.equal(await store.get(KEY), null);
  });
});

describe("a server without a clock for scripts", () => {
  /** A REST server whose scripts may not call TIME, in the words that servers have for it; `null`: TIME itself fails. */
  async function timeless(context, words) {
    const upstash = await startUpstash(server);
    context.after(upstash.stop);
    let refused = 0;
    upstash.answer = ([, script]) => {
      if (!/'TIME'/.test(script)) return undefined;
      refused += 1;
      return { error: words };
    };
    return { client: new Upstash({ url: upstash.url, token: upstash.token, retry: false }), refused: () => refused, upstash };
  }

  for (const words of [
    "ERR Write commands not allowed after non deterministic commands. Call redis.replicate_commands() at the start of your script",
    "ERR This Redis command is not allowed from script: TIME",
    "ERR Unknown Redis command called from script: time",
  ]) {
    test(`is used without: ${words.slice(0, 50)}`, async (context) => {
      const { client, refused } = await timeless(context, words);
      const [store, other] = [redisStore(client), redisStore(client)];
      assert.equal(await store.get(KEY), null);
      await store.set(KEY, TOKEN, 600);
      assert.equal((await store.get(KEY)).token, TOKEN.token);
      assert.equal(await store.acquire(KEY, 30), true);
      assert.equal(refused(), 1, "the server is asked once");
      assert.equal(await other.acquire(KEY, 30), false);
      await store.release(KEY);
      assert.equal(await other.acquire(KEY, 30), true);
    });
  }

  test("an error of another kind is not tried again", async (context) => {
    const { client, refused } = await timeless(context, "READONLY You can't write against a read only replica.");
    await assert.rejects(redisStore(client).get(KEY), /READONLY/);
    assert.equal(refused(), 1);
  });

  test("a user who may not call TIME has a store; one who may not read has errors", async (context) => {
    const own = await startRedis();
    context.after(own.stop);
    const admin = open(new Redis({ path: own.socket }));
    const rights = ["~digitalpaye-auth:*", "+eval", "+get", "+set", "+del", "+pttl", "+pexpire", "+info"];
    await admin.call("ACL", "SETUSER", "store", "on", ">password", ...rights);
    await admin.call("ACL", "SETUSER", "blind", "on", ">password", ...rights, "-get");
    const as = (username) => redisStore(open(new Redis({ path: own.socket, username, password: "password" })));
    const store = as("store");
    assert.equal(await store.get(KEY), null);
    await store.set(KEY, TOKEN, 600);
    assert.equal((await store.get(KEY)).token, TOKEN.token);
    await store.delete(KEY, TOKEN.token);
    assert.equal(await store.acquire(KEY, 5), true);
    await store.release(KEY);
    await assert.rejects(as("blind").get(KEY), /NOPERM|can't run this command|permission/i);
  });

  test("a write that it carries out late is shortened", async (context) => {
    const { client, upstash } = await timeless(context, "ERR This Redis command is not allowed from script: TIME");
    const refuse = upstash.answer;
    const store = redisStore(client);
    await store.get(KEY);
    upstash.answer = refuse;
    const evaluate = client.eval;
    const slow = redisStore((script, keys, args) => (/redis\.call\('SET'/.test(script) ? sleep(1_500) : Promise.resolve())
      .then(() => evaluate(script.replace(/redis\.pcall\('TIME'\)/, "{err = 'no'}"), keys, args)));
    await slow.set(KEY, TOKEN, 10);
    const left = await redis.pttl(ENTRY);
    assert.ok(left > 0 && left <= 8_500, `${left} ms left of 10 s, 1.5 s later`);
    await slow.set("short", TOKEN, 1.2);
    assert.equal(await redis.exists("digitalpaye-auth:{short}"), 0);
  });
});

test("a first write that hangs keeps no token beyond its end either", async () => {
  const store = redisStore(open(new Redis({ path: server.socket })));
  await sleep(50);
  server.pause();
  try {
    const work = Promise.all([store.set(KEY, TOKEN, 5), store.set("short", TOKEN, 1)]);
    await sleep(1_500);
    server.resume();
    await work;
    const left = await redis.pttl(ENTRY);
    assert.ok(left > 0 && left <= 3_500, `${left} ms left of 5 s`);
    assert.equal(await redis.exists("digitalpaye-auth:{short}"), 0);
  } finally {
    server.resume();
  }
});

describe("a lease", () => {
  test("that is granted late is given back, unless it was asked for again", async () => {
    const delays = [2_200, 0];
    const client = open(new Redis({ path: server.socket }));
    const slow = async (script, keys, args) => {
      const answer = client.call("EVAL", script, keys.length, ...keys, ...args);
      if (script.includes("'NX'")) await sleep(delays.shift() ?? 0);
      return answer;
    };
    const store = redisStore(slow);
    const late = store.acquire(KEY, 30);
    await sleep(100);
    assert.equal(await store.acquire(KEY, 30), true, "the holder asks again meanwhile");
    assert.equal(await late, false);
    assert.equal(await redis.exists(LEASE), 1, "and has it still");
    await store.release(KEY);

    delays.push(2_200);
    assert.equal(await store.acquire(KEY, 30), false);
    assert.equal(await redis.exists(LEASE), 0);
  });

  test("whose renewal is under way while it is released does not come back", async () => {
    const client = open(new Redis({ path: server.socket }));
    let overtaken = false;
    // As over HTTP: what is sent later may arrive first.
    const store = redisStore(async (script, keys, args) => {
      if (script.includes("'NX'") && overtaken) await sleep(200);
      return client.call("EVAL", script, keys.length, ...keys, ...args);
    });
    assert.equal(await store.acquire(KEY, 30), true);
    overtaken = true;
    const renewal = store.acquire(KEY, 30);
    await store.release(KEY);
    assert.equal(await renewal, false);
    assert.equal(await redis.exists(LEASE), 0);
  });
});

describe("an error", () => {
  // A server without room: it refuses the write, and clients repeat what was refused.
  async function refusals(client) {
    await redis.call("CONFIG", "SET", "maxmemory", "1");
    try {
      const store = redisStore(client);
      return await Promise.all([store.set(KEY, TOKEN, 600), store.acquire(KEY, 5)].map((call) => call.then(() => assert.fail(), (error) => error)));
    } finally {
      await redis.call("CONFIG", "SET", "maxmemory", "0");
    }
  }

  test("says what the server said, and holds nothing that was sent: ioredis, @upstash/redis", async (context) => {
    const upstash = await startUpstash(server);
    context.after(upstash.stop);
    const direct = open(new Redis({ path: server.socket }));
    const rest = new Upstash({ url: upstash.url, token: upstash.token, retry: false });
    const repeated = await refusals(direct);
    for (const error of [...repeated, ...await refusals(rest)]) {
      assert.ok(error instanceof Error);
      assert.match(error.message, /^(Command failed: )?OOM command not allowed/);
      const shown = inspect(error, { depth: Infinity, showHidden: true }) + JSON.stringify(error);
      for (const secret of [TOKEN.token, "redis.call", "ARGV"]) assert.ok(!shown.includes(secret), shown);
    }
  });

  test("of any form is reduced to its first words, with its name and code", async () => {
    const cases = [
      [Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:6379"), { code: "ECONNREFUSED" }), "connect ECONNREFUSED 127.0.0.1:6379", "ECONNREFUSED"],
      [new Error(`Unable to parse response body: {"result":["${TOKEN.token}`), "Unable to parse response body:"],
      [new Error(`ERR no, command was: ["EVAL","${TOKEN.token}"]`), "ERR no"],
      [new Error(`wrong: ${TOKEN.token}`), "wrong:"],
      [Object.assign(new AggregateError([], ""), { code: "ECONNREFUSED" }), "ECONNREFUSED", "ECONNREFUSED"],
      [new Error("one line\nanother"), "one line"],
      ["text", "text"],
      [undefined, "undefined"],
      [null, "null"],
      [{}, "[object Object]"],
    ];
    for (const [thrown, message, code] of cases) {
      const store = redisStore(async () => { throw thrown; });
      await assert.rejects(store.set(KEY, TOKEN, 600), (error) => {
        assert.ok(error instanceof Error);
        assert.deepEqual([error.message, error.code, error.cause], [message, code, undefined]);
        if (thrown instanceof Error) assert.equal(error.name, thrown.name);
        return true;
      });
    }
  });

  test("comes of an answer that is no list", async () => {
    for (const answer of [undefined, null, "OK", 5, {}]) {
      await assert.rejects(redisStore(async () => answer).get(KEY), /answer to get is not a list/);
    }
  });
});

describe("a cluster", () => {
  let node;
  before(async () => {
    node = await startRedis({ tcp: true, args: ["--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1"] });
    const admin = new Redis({ port: node.port });
    await admin.call("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
    while (!(await admin.call("CLUSTER", "INFO")).includes("cluster_state:ok")) await sleep(20);
    admin.disconnect();
  });
  after(() => node.stop());

  const nodeRedis = (create) => async () => {
    const client = create({ rootNodes: [{ url: `redis://127.0.0.1:${node.port}` }] });
    client.on("error", () => {});
    await client.connect();
    return { client, close: () => (client.destroy ?? client.disconnect).call(client) };
  };
  const ioredis = (Class) => async () => {
    const client = new Class([{ host: "127.0.0.1", port: node.port }]);
    client.on("error", () => {});
    return { client, close: () => client.disconnect() };
  };
  const clusters = {
    "redis 4": nodeRedis(createCluster4), "redis 5": nodeRedis(createCluster), "redis 6": nodeRedis(createCluster6),
    "ioredis 5": ioredis(Cluster5), "ioredis 6": ioredis(Cluster), "iovalkey": ioredis(ValkeyCluster),
    "@valkey/valkey-glide": async () => {
      const client = await GlideClusterClient.createClient({ addresses: [{ host: "127.0.0.1", port: node.port }] });
      return { client, close: () => client.close() };
    },
  };
  for (const [name, make] of Object.entries(clusters)) {
    test(`${name}: entries and leases`, async (context) => {
      const { client, close } = await make();
      context.after(close);
      const [store, other] = [redisStore(client), redisStore(client)];
      for (const key of [KEY, "another", "third"]) {
        await store.set(key, TOKEN, 600);
        assert.equal((await other.get(key)).token, TOKEN.token);
        await other.delete(key, TOKEN.token);
        assert.equal(await store.get(key), null);
        assert.equal(await store.acquire(key, 30), true);
        assert.equal(await store.acquire(key, 30), true);
        assert.equal(await other.acquire(key, 30), false);
        await store.release(key);
        assert.equal(await other.acquire(key, 30), true);
        await other.release(key);
      }
    });
  }
});

test("by a sentinel: ioredis and redis 6", async (context) => {
  const master = await startRedis({ tcp: true });
  context.after(master.stop);
  const sentinel = await startRedis({ tcp: true, sentinel: `sentinel monitor shop 127.0.0.1 ${master.port} 1\n` });
  context.after(sentinel.stop);
  const byIoredis = open(new Redis({ sentinels: [{ host: "127.0.0.1", port: sentinel.port }], name: "shop" }));
  const byRedis = createSentinel6({ name: "shop", sentinelRootNodes: [{ host: "127.0.0.1", port: sentinel.port }] });
  byRedis.on("error", () => {});
  await byRedis.connect();
  context.after(() => byRedis.destroy());
  const [store, other] = [redisStore(byIoredis), redisStore(byRedis)];
  await store.set(KEY, TOKEN, 600);
  assert.equal((await other.get(KEY)).token, TOKEN.token);
  assert.equal(await other.acquire(KEY, 30), true);
  assert.equal(await store.acquire(KEY, 30), false);
});
