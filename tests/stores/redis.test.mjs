// The Redis store by itself, against a real server and every release of the `redis` package that it is made for.

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import * as redis5 from "redis";
import * as redis4 from "redis4";
import * as redis6 from "redis6";
import { importInstalled } from "../lib/install.mjs";
import { startRedis } from "../lib/redis.mjs";

const KEY = "mJ2e0cOWMC0yOWYwLTRjMWMtOGE2ZC0bGl2ZV9JlYzU";
const ENTRY = `digitalpaye-auth:{${KEY}}`;
const LEASE = `digitalpaye-auth:{${KEY}}:lease`;
const TOKEN = { token: "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjE3Mjg2MzQ4MDN9.c2ln", exp: 1_728_634_803 };

const { redisStore } = await importInstalled("digitalpaye-auth/stores/redis");

let server;
let client;
const clients = [];

async function connect(createClient = redis5.createClient, options = {}) {
  const connected = createClient({ socket: { path: server.socket }, ...options });
  connected.on("error", () => {});
  await connected.connect();
  clients.push(connected);
  return connected;
}

before(async () => {
  server = await startRedis();
  client = await connect();
});

beforeEach(() => client.flushAll());

after(async () => {
  for (const connected of clients) await connected.disconnect();
  await server.stop();
});

for (const [release, { createClient }] of Object.entries({ redis4, redis5, redis6 })) {
  test(`${release}: what is set is got, with the life that Redis counts, until it is deleted`, async () => {
    const store = redisStore(await connect(createClient));
    assert.equal(await store.get(KEY), null);
    await store.set(KEY, TOKEN, 600);
    const { ttlSeconds, ...token } = await store.get(KEY);
    assert.deepEqual(token, TOKEN);
    assert.ok(ttlSeconds > 590 && ttlSeconds <= 600, `${ttlSeconds} s left of 600`);
    await store.delete(KEY);
    assert.equal(await store.get(KEY), null);
    assert.deepEqual(await client.keys("*"), []);
  });

  test(`${release}: a lease has one holder until it is released`, async () => {
    const [one, other] = [redisStore(await connect(createClient)), redisStore(await connect(createClient))];
    assert.equal(await one.acquire(KEY, 30), true);
    assert.equal(await other.acquire(KEY, 30), false);
    await client.pExpire(LEASE, 5_000);
    assert.equal(await one.acquire(KEY, 30), true, "renewed");
    const left = await client.pTTL(LEASE);
    assert.ok(left > 20_000 && left <= 30_000, `the lease lasts ${left} ms`);
    await one.release(KEY);
    assert.equal(await other.acquire(KEY, 30), true);
    await other.release(KEY);
    assert.deepEqual(await client.keys("*"), []);
  });
}

test("RESP 3 and strings as bytes are read the same", async () => {
  const typed = (await connect(redis5.createClient, { RESP: 3 })).withTypeMapping({
    [redis5.RESP_TYPES.BLOB_STRING]: Buffer,
    [redis5.RESP_TYPES.NUMBER]: String,
  });
  const store = redisStore(typed);
  assert.equal(await store.get(KEY), null);
  await store.set(KEY, TOKEN, 600);
  const { ttlSeconds, ...token } = await store.get(KEY);
  assert.deepEqual(token, TOKEN);
  assert.ok(ttlSeconds > 590 && ttlSeconds <= 600);
  assert.equal(await store.acquire(KEY, 30), true);
  assert.equal(await redisStore(typed).acquire(KEY, 30), false);
  await store.release(KEY);
  assert.equal(await client.exists(LEASE), 0);
  await client.set(ENTRY, "[]");
  assert.deepEqual(await store.get(KEY), {});
});

test("every operation is one command; before a first write, one more asks for the time", async () => {
  let commands = 0;
  const store = redisStore({
    isOpen: true,
    eval: (...args) => {
      commands += 1;
      return client.eval(...args);
    },
  });
  const each = async (operation) => {
    commands = 0;
    await operation();
    return commands;
  };
  assert.equal(await each(() => store.set(KEY, TOKEN, 600)), 2);
  assert.equal(await each(() => store.set(KEY, TOKEN, 600)), 1);
  assert.equal(await each(() => store.get("another")), 1);
  assert.equal(await each(() => store.set("another", TOKEN, 600)), 1);
  assert.equal(await each(() => store.get(KEY)), 1);
  assert.equal(await each(() => store.acquire(KEY, 30)), 1);
  assert.equal(await each(() => store.release(KEY)), 1);
  assert.equal(await each(() => store.release(KEY)), 0);
  assert.equal(await each(() => store.delete(KEY, "another")), 1);
  assert.equal(await each(() => store.delete(KEY)), 1);
});

describe("life", () => {
  test("is never longer than what was given", async () => {
    const store = redisStore(client);
    for (const ttlSeconds of [600, 86_400, 59.999_9, 1.234_567, 0.5, 12.000_999]) {
      await store.set(KEY, TOKEN, ttlSeconds);
      const left = await client.pTTL(ENTRY);
      assert.ok(left > 0 && left <= ttlSeconds * 1_000, `${left} ms of ${ttlSeconds} s`);
      const got = await store.get(KEY);
      assert.ok(got.ttlSeconds <= ttlSeconds, `${got.ttlSeconds} s of ${ttlSeconds} s`);
    }
  });

  test("of nothing, or of what is no number, writes nothing", async () => {
    const store = redisStore(client);
    for (const ttlSeconds of [0, -0, -1, 0.000_9, Number.NaN, Infinity, -Infinity, undefined, null, "", {}]) {
      await store.set(KEY, TOKEN, ttlSeconds);
      assert.equal(await store.acquire(KEY, ttlSeconds), false);
      assert.deepEqual(await client.keys("*"), [], `after ttlSeconds ${ttlSeconds}`);
    }
  });

  test("is what Redis says now, whatever was written", async () => {
    const store = redisStore(client);
    await store.set(KEY, TOKEN, 600);
    await client.pExpire(ENTRY, 42_500);
    const { ttlSeconds } = await store.get(KEY);
    assert.ok(ttlSeconds > 40 && ttlSeconds <= 42.5, `${ttlSeconds} s`);
  });

  test("is left out when the entry has no end", async () => {
    const store = redisStore(client);
    await store.set(KEY, TOKEN, 600);
    await client.persist(ENTRY);
    assert.deepEqual(await store.get(KEY), TOKEN);
  });

  test("ends", async () => {
    const store = redisStore(client);
    await store.set(KEY, TOKEN, 0.05);
    await sleep(60);
    assert.equal(await store.get(KEY), null);
    assert.deepEqual(await client.keys("*"), []);
  });

  test("does not grow while the answer is under way", async () => {
    const slow = {
      isOpen: true,
      eval: async (...args) => {
        const reply = await client.eval(...args);
        await sleep(300);
        return reply;
      },
    };
    await redisStore(client).set(KEY, TOKEN, 600);
    assert.ok((await redisStore(slow).get(KEY)).ttlSeconds <= 599.71);
    await client.pExpire(ENTRY, 250);
    assert.equal(await redisStore(slow).get(KEY), null);
  });
});

describe("a lease", () => {
  test("goes to one of many who ask at once", async () => {
    const stores = Array.from({ length: 50 }, () => redisStore(client));
    const granted = await Promise.all(stores.map((store) => store.acquire(KEY, 30)));
    assert.equal(granted.filter(Boolean).length, 1);
    await Promise.all(stores.filter((_, index) => !granted[index]).map((store) => store.release(KEY)));
    assert.equal(await client.exists(LEASE), 1);
  });

  test("runs out by itself, and its late holder does not release the next one's", async () => {
    const [late, next, third] = [redisStore(client), redisStore(client), redisStore(client)];
    assert.equal(await late.acquire(KEY, 0.05), true);
    await sleep(60);
    assert.equal(await next.acquire(KEY, 30), true);
    await late.release(KEY);
    assert.equal(await third.acquire(KEY, 30), false);
    await next.release(KEY);
    assert.equal(await third.acquire(KEY, 30), true);
  });

  test("does not touch the entry, nor the entry the lease", async () => {
    const store = redisStore(client);
    await store.acquire(KEY, 30);
    await store.set(KEY, TOKEN, 600);
    await store.delete(KEY);
    assert.deepEqual(await client.keys("*"), [LEASE]);
    await store.set(KEY, TOKEN, 600);
    await store.release(KEY);
    assert.deepEqual(await client.keys("*"), [ENTRY]);
  });

  test("is of its key alone", async () => {
    const store = redisStore(client);
    assert.equal(await store.acquire(KEY, 30), true);
    assert.equal(await store.acquire("another", 30), true);
    await store.release("another");
    assert.deepEqual(await client.keys("*"), [LEASE]);
  });
});

describe("what is not ours under the key", () => {
  const token = JSON.stringify(TOKEN);
  const values = {
    "an empty string": "",
    "broken JSON": token.slice(0, -1),
    "no object": "null",
    "a number": "5",
    "a string": '"token"',
    "an array": "[]",
    "no token": '{"exp":1}',
    "no exp": '{"token":"a"}',
    "a token of another type": '{"token":5,"exp":1}',
    "an exp of another type": '{"token":"a","exp":"1"}',
    "bytes that are no UTF-8": Buffer.from([0xff, 0xfe, 0x00, 0x80]),
    "a megabyte": JSON.stringify({ token: "a".repeat(1_048_576), exp: 1 }),
  };
  for (const [name, value] of Object.entries(values)) {
    test(`${name}: nonsense, kept by delete() of a token, and replaced`, async () => {
      const store = redisStore(client);
      await client.set(ENTRY, value);
      assert.deepEqual(await store.get(KEY), {});
      await store.delete(KEY, TOKEN.token);
      assert.equal(await client.exists(ENTRY), 1);
      await store.set(KEY, TOKEN, 600);
      assert.equal((await store.get(KEY)).token, TOKEN.token);
    });
  }

  const keys = {
    list: (key) => client.rPush(key, token),
    hash: (key) => client.hSet(key, "token", token),
    set: (key) => client.sAdd(key, token),
    stream: (key) => client.xAdd(key, "*", { token }),
  };
  for (const [type, put] of Object.entries(keys)) {
    test(`a ${type}: nonsense, and replaced; as a lease: held by others`, async () => {
      const store = redisStore(client);
      await put(ENTRY);
      assert.deepEqual(await store.get(KEY), {});
      await store.delete(KEY, TOKEN.token);
      assert.equal(await client.exists(ENTRY), 1);
      await store.set(KEY, TOKEN, 600);
      assert.equal((await store.get(KEY)).token, TOKEN.token);

      await put(LEASE);
      assert.equal(await store.acquire(KEY, 30), false);
      await client.del(LEASE);
      assert.equal(await store.acquire(KEY, 30), true);
      await client.del(LEASE);
      await put(LEASE);
      await store.release(KEY);
      assert.equal(await client.exists(LEASE), 1);
    });
  }
});

test("token and exp are written, and nothing else", async () => {
  const store = redisStore(client);
  await store.acquire(KEY, 30);
  await store.set(KEY, { ...TOKEN, apiSecret: "never", toJSON: () => "never" }, 600);
  assert.deepEqual((await client.keys("*")).sort(), [ENTRY, LEASE]);
  assert.deepEqual(JSON.parse(await client.get(ENTRY)), TOKEN);
  assert.match(await client.get(LEASE), /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
});

test("a server that hangs and comes back writes no token beyond its life, and grants no lease to whoever has gone", async () => {
  const pause = 2_200;
  const store = redisStore(client);
  await store.get("a");
  await store.get("b");
  server.pause();
  try {
    const work = Promise.all([
      store.set("a", TOKEN, 1),
      store.set("b", TOKEN, 10),
      store.acquire("c", 30),
    ]);
    await sleep(pause);
    server.resume();
    const [, , granted] = await work;
    assert.equal(await client.exists("digitalpaye-auth:{a}"), 0);
    const left = await client.pTTL("digitalpaye-auth:{b}");
    assert.ok(left > 0 && left <= 10_000 - pause, `${left} ms left of 10 s`);
    assert.equal(granted, false);
    assert.deepEqual(await client.keys("*:lease"), []);
  } finally {
    server.resume();
  }
});

test("a server that is gone fails every operation at once", { timeout: 10_000 }, async (context) => {
  const own = await startRedis();
  context.after(own.stop);
  const lost = redis5.createClient({ socket: { path: own.socket } });
  context.after(() => lost.destroy());
  lost.on("error", () => {});
  await lost.connect();
  const store = redisStore(lost);
  await store.acquire(KEY, 30);
  const gone = new Promise((resolve) => lost.once("reconnecting", resolve));
  await own.stop();
  await gone;
  const started = performance.now();
  await assert.rejects(store.get(KEY), /not connected/);
  await assert.rejects(store.set(KEY, TOKEN, 600), /not connected/);
  await assert.rejects(store.acquire(KEY, 30), /not connected/);
  await assert.rejects(store.release(KEY), /not connected/);
  await assert.rejects(store.delete(KEY), /not connected/);
  assert.ok(performance.now() - started < 1_000);
});

test("a closed client fails every operation", async () => {
  const closed = redis5.createClient({ socket: { path: server.socket } });
  await closed.connect();
  const store = redisStore(closed);
  closed.destroy();
  await assert.rejects(store.get(KEY));
  await assert.rejects(store.set(KEY, TOKEN, 600));
  await assert.rejects(store.acquire(KEY, 30));
});

test("what is no client is refused in words", () => {
  class Client { eval() {} }
  const redis3 = { connected: true, ready: true, eval() {}, get() {}, set() {}, multi() {} };
  for (const no of [
    undefined, null, {}, "redis://127.0.0.1:6379", 6379, [], new Map(), redis3, { isOpen: true }, { status: "ready" },
    { eval() {} }, { createScript() {} }, Client, redis5.createClient().multi(),
  ]) {
    assert.throws(() => redisStore(no), (error) => error instanceof TypeError && /`redis`.*`ioredis`.*a function/.test(error.message));
  }
});

describe("prefix", () => {
  test("is what the keys begin with", async () => {
    const store = redisStore(client, { prefix: "shop:" });
    await store.set(KEY, TOKEN, 600);
    await store.acquire(KEY, 30);
    assert.deepEqual((await client.keys("*")).sort(), [`shop:{${KEY}}`, `shop:{${KEY}}:lease`]);
    assert.equal(await redisStore(client).get(KEY), null);
    assert.equal((await redisStore(client, { prefix: "shop:" }).get(KEY)).token, TOKEN.token);
    await redisStore(client, { prefix: undefined }).set(KEY, TOKEN, 600);
    assert.equal(await client.exists(ENTRY), 1);
  });

  test("that is no string is refused in words", () => {
    for (const prefix of [null, 5, {}, []]) {
      assert.throws(() => redisStore(client, { prefix }), (error) => error instanceof TypeError && /prefix must be a string/.test(error.message));
    }
    for (const options of [null, "shop:"]) assert.throws(() => redisStore(client, options), TypeError);
  });
});

test("delete() of a token finds it in whatever JSON the entry is", async () => {
  const store = redisStore(client);
  for (const entry of [
    `{ "exp": 1, "more": [1, {"token": "other"}], "token" : "${TOKEN.token}" }`,
    JSON.stringify({ token: TOKEN.token }),
    `{"token":"${[...TOKEN.token].map((letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`).join("")}","exp":1}`,
  ]) {
    await client.set(ENTRY, entry);
    await store.delete(KEY, "other");
    assert.equal(await client.exists(ENTRY), 1, entry);
    await store.delete(KEY, TOKEN.token);
    assert.equal(await client.exists(ENTRY), 0, entry);
  }
});
