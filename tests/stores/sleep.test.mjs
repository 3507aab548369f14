// A machine that sleeps between a question to the store and its answer: the wall clock goes on, the monotonic one stands still.

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { Redis } from "ioredis";
import { importInstalled } from "../lib/install.mjs";
import { startRedis } from "../lib/redis.mjs";

const KEY = "mJ2e0cOWMC0yOWYwLTRjMWMtOGE2ZC0bGl2ZV9JlYzU";
const ENTRY = `digitalpaye-auth:{${KEY}}`;
const LEASE = `${ENTRY}:lease`;
const TOKEN = { token: "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjE3Mjg2MzQ4MDN9.c2ln", exp: 1_728_634_803 };
/** What a test may take without being asleep, in milliseconds. */
const AWAKE_MS = 1_500;

const { redisStore } = await importInstalled("digitalpaye-auth/stores/redis");

let server;
let redis;

before(async () => {
  server = await startRedis();
  redis = new Redis({ path: server.socket });
});
beforeEach(() => redis.flushall());
after(async () => {
  redis.disconnect();
  await server.stop();
});

/**
 * A store whose server has carried out a command when the machine falls asleep, and whose answer comes after it woke up.
 * `sleepsOver(n, seconds)`: in the n-th command from there on. `timeless`: scripts may not ask this server for the time.
 */
function sleepy(context, { timeless = false } = {}) {
  const now = Date.now.bind(Date);
  let slept = 0;
  let left = 0;
  let seconds = 0;
  context.mock.method(Date, "now", () => now() + slept);
  const store = redisStore(async (script, keys, args) => {
    if (timeless && script.includes("'TIME'")) throw new Error("ERR This Redis command is not allowed from script: TIME");
    const answer = await redis.eval(script, keys.length, ...keys, ...args);
    if ((left -= 1) === 0) slept += seconds * 1_000;
    return answer;
  });
  return { store, sleepsOver: (n, duration) => ([left, seconds] = [n, duration]) };
}

async function livesAtMost(key, ms) {
  const left = await redis.pttl(key);
  assert.ok(left <= ms && left > ms - AWAKE_MS, `${key} has ${left} ms left, of ${ms}`);
}

describe("a machine that sleeps over an answer of the store", () => {
  test("while the store is asked for its time: the token is written for what is left of its life", async (context) => {
    const { store, sleepsOver } = sleepy(context);
    sleepsOver(1, 14);
    await store.set(KEY, TOKEN, 20);
    await livesAtMost(ENTRY, 6_000);
  });

  test("until the token has ended: it is not written", async (context) => {
    const { store, sleepsOver } = sleepy(context);
    sleepsOver(1, 21);
    await store.set(KEY, TOKEN, 20);
    assert.equal(await redis.exists(ENTRY), 0);
  });

  test("while a store without a clock writes the token: its life there is shortened", async (context) => {
    const { store, sleepsOver } = sleepy(context, { timeless: true });
    assert.equal(await store.get(KEY), null);
    sleepsOver(1, 14);
    await store.set(KEY, TOKEN, 20);
    await livesAtMost(ENTRY, 6_000);
  });

  test("while the token is read: what passed meanwhile is no part of its life", async (context) => {
    const { store, sleepsOver } = sleepy(context);
    await store.set(KEY, TOKEN, 20);
    sleepsOver(1, 14);
    const { token, ttlSeconds } = await store.get(KEY);
    assert.equal(token, TOKEN.token);
    assert.ok(ttlSeconds <= 6 && ttlSeconds > 6 - AWAKE_MS / 1_000, `${ttlSeconds} s`);
  });

  test("while the token is read, until it has ended: that is a miss", async (context) => {
    const { store, sleepsOver } = sleepy(context);
    await store.set(KEY, TOKEN, 20);
    sleepsOver(1, 21);
    assert.equal(await store.get(KEY), null);
  });

  test("while the lease is granted: it is given back, as others may have it by now", async (context) => {
    const { store, sleepsOver } = sleepy(context);
    sleepsOver(1, 6);
    assert.equal(await store.acquire(KEY, 5), false);
    assert.equal(await redis.exists(LEASE), 0);
    assert.equal(await store.acquire(KEY, 5), true);
  });
});
