// Callers get a token once the store has it: processes that end at once leave it to their fleet. A lease is short, and kept
// by who is still at it.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "redis";
import { importInstalled } from "../lib/install.mjs";
import { answering, memoryStore, tokenReply } from "../lib/listen.mjs";
import { startRedis } from "../lib/redis.mjs";
import { track } from "../lib/tokens.mjs";
import { killMembers, startMember } from "./members.mjs";
import { startUpstream } from "./upstream.mjs";

const { DigitalpayeAuth } = await importInstalled();
const { redisStore } = await importInstalled("digitalpaye-auth/stores/redis");
const credentials = { apiKey: "fleet-key", apiSecret: "fleet-secret" };

let upstream;
let server;
let redis;
const auths = [];

before(async () => {
  upstream = await startUpstream();
  server = await startRedis();
  redis = await createClient({ socket: { path: server.socket } }).on("error", () => {}).connect();
});
beforeEach(async () => {
  upstream.reset();
  await redis.flushAll();
});
afterEach(() => {
  killMembers();
  for (const auth of auths.splice(0)) auth[Symbol.dispose]();
});
after(async () => {
  redis.destroy();
  await server.stop();
  await upstream.stop();
});

function client(options) {
  const auth = new DigitalpayeAuth({ ...credentials, baseUrl: upstream.url, maxRetries: 0, ...options });
  auths.push(auth);
  return auth;
}

/** A process that wants one token of its fleet and ends as soon as it has it. */
async function member(options = {}) {
  const { ask, kill } = await startMember({ server: { socket: server.socket }, options: { ...credentials, baseUrl: upstream.url, ...options } });
  return { ask: () => ask({}, { leaves: true }), kill };
}

describe("the store first", () => {
  test("callers are served once the store has the token", async () => {
    let stored = false;
    const store = memoryStore({ set: async () => { await sleep(120); stored = true; } });
    const auth = client({ store, ...answering(() => tokenReply()) });
    await auth.getToken();
    assert.equal(stored, true);
  });

  test("or 250 ms later: a set that hangs, and a set that is slow", async () => {
    for (const set of [() => new Promise(() => {}), () => sleep(1_500)]) {
      const auth = client({ store: memoryStore({ set }), ...answering(() => tokenReply()) });
      const started = performance.now();
      await auth.getToken();
      const took = performance.now() - started;
      assert.ok(took >= 240 && took < 1_000, `${took} ms`);
    }
  });

  test("a set that fails at once makes nobody wait", async () => {
    for (const set of [async () => { throw new Error("down"); }, () => { throw new Error("down"); }]) {
      const auth = client({ store: memoryStore({ set }), ...answering(() => tokenReply()) });
      const started = performance.now();
      await auth.getToken();
      assert.ok(performance.now() - started < 200);
    }
  });

  test("a deadline within those 250 ms still gives the token", async () => {
    const auth = client({ timeout: 100, store: memoryStore({ set: () => new Promise(() => {}) }), ...answering(() => tokenReply()) });
    assert.ok((await auth.getToken()).token);
  });

  test("an abort within them ends that caller's wait alone, and the token is kept", async () => {
    const api = answering(() => tokenReply());
    const auth = client({ store: memoryStore({ set: () => new Promise(() => {}) }), ...api });
    const controller = new AbortController();
    const [gone, stays] = [track(auth.getToken({ signal: controller.signal })), track(auth.getToken())];
    await sleep(60);
    assert.equal(gone.state, "pending");
    controller.abort();
    await Promise.all([gone.settled, stays.settled]);
    assert.equal(gone.error.name, "AbortError");
    assert.equal(stays.state, "resolved");
    assert.equal((await auth.getToken()).token, stays.value.token);
    assert.equal(api.requests.length, 1);
  });

  test("waitUntil gets every flight from its start to the end of its work in the store", async () => {
    const works = [];
    let release;
    const store = memoryStore({ set: () => new Promise((resolve) => (release = resolve)) });
    const api = answering(() => tokenReply());
    const auth = client({ store, waitUntil: (work) => works.push(track(work)), ...api });
    const call = auth.getToken();
    await sleep(5);
    assert.equal(works.length, 1, "from its start");
    await call;
    assert.equal(works[0].state, "pending");
    release();
    await works[0].settled;
    assert.equal(works[0].state, "resolved");
    assert.equal(store.leases.size, 0, "the lease is given back by then");
    const again = auth.getToken({ forceRefresh: true });
    await sleep(5);
    assert.equal(works.length, 2);
    release();
    await again;
  });

  test("a waitUntil that throws harms nobody", async () => {
    const auth = client({ store: memoryStore(), waitUntil() { throw new Error("own"); }, ...answering(() => tokenReply()) });
    assert.ok((await auth.getToken()).token);
  });
});

describe("a fleet on Redis", () => {
  test("20 processes that start together and end as soon as they have it: 1 exchange, each within 3 s", async () => {
    upstream.before = () => sleep(100);
    const fleet = [];
    // Started four at a time; it is when they ask that counts.
    while (fleet.length < 20) fleet.push(...await Promise.all(Array.from({ length: 4 }, () => member())));
    const answers = await Promise.all(fleet.map(({ ask }) => ask()));
    assert.deepEqual(answers.filter(({ token }) => token !== upstream.tokens[0]), []);
    assert.equal(upstream.exchanges(), 1);
    for (const { ms } of answers) assert.ok(ms < 3_000, `${ms} ms`);
    assert.equal((await (await member()).ask()).token, upstream.tokens[0], "and one that comes later");
    assert.equal(upstream.exchanges(), 1);
  });

  test("the holder is killed during its exchange: another has its token within 8 s", async () => {
    upstream.before = (n) => (n === 1 ? new Promise(() => {}) : undefined);
    const [holder, other] = await Promise.all([member(), member()]);
    holder.ask().catch(() => {});
    await upstream.exchange(1);
    const waiting = other.ask();
    await sleep(200);
    await holder.kill();
    const { token, ms, error } = await waiting;
    assert.equal(token, upstream.tokens[0], error);
    assert.ok(ms < 8_000, `${ms} ms`);
    assert.equal(upstream.exchanges(), 2);
  });

  test("an exchange of 12 s keeps its lease: nobody else exchanges", async () => {
    let answer;
    upstream.before = () => new Promise((resolve) => (answer = resolve));
    const holder = client({ store: redisStore(redis) });
    const lead = track(holder.getToken());
    await upstream.exchange(1);
    const connection = await redis.duplicate().connect();
    const other = client({ store: redisStore(connection) });
    const waiting = track(other.getToken());
    try {
      for (let second = 0; second < 12; second += 1) {
        await sleep(1_000);
        const [lease] = await redis.keys("*:lease");
        assert.ok(lease, `no lease after ${second + 1} s`);
        const left = await redis.pTTL(lease);
        assert.ok(left > 0 && left <= 5_000, `${left} ms`);
        assert.equal(upstream.exchanges(), 1);
      }
      answer();
      await Promise.all([lead.settled, waiting.settled]);
      assert.equal(lead.value?.token, upstream.tokens[0]);
      assert.equal(waiting.value?.token, upstream.tokens[0]);
      assert.equal(upstream.exchanges(), 1);
    } finally {
      connection.destroy();
    }
  });
});
