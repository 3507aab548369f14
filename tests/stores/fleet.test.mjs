// One token for a fleet: processes and clients that share a Redis, its failures, and those of its clients.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "redis";
import { importInstalled } from "../lib/install.mjs";
import { startRedis } from "../lib/redis.mjs";
import { mint, until } from "../lib/tokens.mjs";
import { killMembers, shareOneExchange, startMember, takeOver } from "./members.mjs";
import { startUpstream } from "./upstream.mjs";

const API_KEY = "fleet-merchant-key";
const API_SECRET = "fleet-merchant-secret-Zq8";
const BASIC = Buffer.from(`${API_KEY}:${API_SECRET}`).toString("base64");
const KEY_FORM = /^digitalpaye-auth:\{([0-9a-f]{64}|[A-Za-z0-9_-]{43})\}(:lease)?$/;

/** The longest that one answer of a store is waited for, and what a busy machine may add to a whole call. */
const ANSWER_MS = 2_000;
const SLACK_MS = 3_000;

const { DigitalpayeAuth } = await importInstalled("digitalpaye-auth");
const { redisStore } = await importInstalled("digitalpaye-auth/stores/redis");

let upstream;
let server;
let redis;
const connections = new Set();
const auths = new Set();

before(async () => {
  upstream = await startUpstream();
  server = await startRedis();
  redis = await connect();
});

beforeEach(async () => {
  upstream.reset();
  await redis.flushAll();
});

afterEach(() => {
  killMembers();
  for (const auth of auths) auth[Symbol.dispose]();
  auths.clear();
});

after(async () => {
  for (const connection of connections) if (connection.isOpen) connection.destroy();
  await server.stop();
  await upstream.stop();
});

async function connect(to = server) {
  const connection = createClient({ socket: { path: to.socket } });
  connection.on("error", () => {});
  await connection.connect();
  connections.add(connection);
  return connection;
}

const options = () => ({ apiKey: API_KEY, apiSecret: API_SECRET, baseUrl: upstream.url });

/** A client in this process, with a connection of its own. */
async function member(more = {}, to = server) {
  const auth = new DigitalpayeAuth({ ...options(), ...more, store: redisStore(await connect(to)) });
  auths.add(auth);
  return auth;
}

/** A client in a process of its own, connected. */
const memberProcess = (more) => startMember({ server: { socket: server.socket }, options: { ...options(), ...more } });

/** The entry's key, once there is one; lease keys apart. */
async function entryKey() {
  let keys = [];
  await settled(async () => {
    keys = (await redis.keys("*")).filter((key) => !key.endsWith(":lease"));
    return keys.length > 0;
  }, "an entry");
  assert.equal(keys.length, 1, `entries: ${keys}`);
  return keys[0];
}

const settled = (condition, what) => until(condition, 10_000, what);

describe("a fleet", () => {
  test("20 processes that start together make 1 exchange, and a late one none", async () => {
    const seen = await watch();
    await shareOneExchange(memberProcess, upstream);

    assert.match(await entryKey(), KEY_FORM);
    await settled(async () => (await redis.keys("*:lease")).length === 0, "the lease is released");
    const traffic = await seen();
    assert.ok(traffic.includes(upstream.tokens[0]), "the traffic is seen");
    assertNoSecret(traffic);
  });

  test("the holder of the lease is killed: another takes over when the lease has run out", async () => {
    upstream.before = (n) => (n === 1 ? new Promise(() => {}) : undefined);
    const [holder, ...others] = await Promise.all([
      memberProcess({ timeout: 2_000, maxRetries: 0 }),
      ...Array.from({ length: 3 }, () => memberProcess({ timeout: 30_000 })),
    ]);
    const lost = holder.ask();
    await upstream.exchange(1);
    const [lease] = await redis.keys("*:lease");
    assert.match(lease, KEY_FORM);
    const left = await redis.pTTL(lease);
    assert.ok(left > 0 && left <= 2_000, `a lease of ${left} ms for a timeout of 2000 ms`);

    const waiting = others.map((process) => process.ask());
    assert.deepEqual(await holder.kill(), { exited: "SIGKILL" });
    await lost;
    await takeOver(await Promise.all(waiting), upstream);
  });

  test("an exchange that fails gives the lease back: the next one asks at once", async () => {
    const failing = await member({
      fetch: async () => Response.json({ statusCode: 401, message: "UnauthorizedError", reason: "non" }, { status: 401 }),
    });
    await assert.rejects(failing.getToken(), { code: "unauthorized" });
    const started = performance.now();
    assert.equal((await (await member()).getToken()).token, upstream.tokens[0]);
    assert.ok(performance.now() - started < 5_000);
  });

  test("a token near its end is served on, and renewed once behind everybody's back", async () => {
    upstream.lifetime = 8;
    const fleet = await Promise.all(Array.from({ length: 5 }, () => member()));
    const [{ token: old }] = await Promise.all(fleet.map((auth) => auth.getToken()));
    assert.equal(upstream.exchanges(), 1);
    upstream.lifetime = 600;
    // Nobody waits for the renewal: it is not answered before everybody has been served the old one.
    let answered;
    upstream.before = () => new Promise((resolve) => (answered = resolve));
    await settled(async () => {
      const now = await Promise.all(fleet.map((auth) => auth.getToken()));
      assert.deepEqual(now.map(({ token }) => token), Array(5).fill(old));
      return answered !== undefined;
    }, "the renewal begins");
    answered();
    await settled(async () => {
      const now = await Promise.all(fleet.map((auth) => auth.getToken()));
      return now.every(({ token }) => token === upstream.tokens[1]);
    }, "everybody has the new token");
    assert.equal(upstream.exchanges(), 2);
  });
});

describe("what is in Redis", () => {
  test("is the token and its exp under a hash, and shows neither key nor secret", async () => {
    const seen = await watch();
    const auth = await member();
    const { token, exp } = await auth.getToken();
    const key = await entryKey();
    assert.match(key, KEY_FORM);
    assert.deepEqual(JSON.parse(await redis.get(key)), { token, exp });
    await auth.getToken({ forceRefresh: true });
    auth.invalidate();
    await auth.getToken();
    for (const each of await redis.keys("*")) assertNoSecret(each, await redis.get(each));
    assertNoSecret(await seen());
  });

  test("lives no longer than the token", async () => {
    for (const lifetime of [600, 45, 3]) {
      upstream.lifetime = lifetime;
      await redis.flushAll();
      const { exp } = await (await member()).getToken();
      const left = await redis.pTTL(await entryKey());
      assert.ok(left > 0 && left <= lifetime * 1_000, `${left} ms for a life of ${lifetime} s`);
      assert.ok(Date.now() + left <= exp * 1_000 + 1_000, "nor than its exp, to the second of its iat");
    }
  });

  test("counts from when the server minted the token, not from when it came", async () => {
    const old = mint(600, { now: Date.now() - 570_000 });
    const auth = await member({
      fetch: async () => Response.json(
        { statusCode: 200, message: "Successful", data: old },
        { headers: { Date: new Date().toUTCString() } },
      ),
    });
    await auth.getToken();
    const left = await redis.pTTL(await entryKey());
    assert.ok(left > 0 && left <= 31_000, `${left} ms`);
  });

  test("is not used beyond its life, however little of it is left when it is read", async () => {
    await (await member()).getToken();
    const key = await entryKey();
    const auth = await member();
    const ending = { token: "opaque", exp: Math.floor(Date.now() / 1_000) + 600 };
    await redis.set(key, JSON.stringify(ending), { PX: 400 });
    const known = [ending.token, upstream.tokens[0]];
    const read = await auth.getToken();
    assert.ok(read.token === ending.token || read.token === upstream.tokens[1]);
    await sleep(420);
    const { token } = await auth.getToken();
    assert.ok(!known.includes(token));
    assert.equal(token, upstream.tokens[1]);
    assert.equal(upstream.exchanges(), 2);
  });

  test("lives as long as Redis says, whatever the local clock thinks of exp", async () => {
    await (await member()).getToken();
    const key = await entryKey();
    const hourAgo = mint(600, { now: Date.now() - 3_600_000 });
    await redis.set(key, JSON.stringify(hourAgo), { PX: 500_000 });
    assert.equal((await (await member()).getToken()).token, hourAgo.token);
    assert.equal(upstream.exchanges(), 1);
  });

  test("and is not ours is a miss, and replaced", async () => {
    await (await member()).getToken();
    const key = await entryKey();
    const put = [
      () => redis.set(key, "{"),
      () => redis.set(key, JSON.stringify({ token: "two words", exp: 1 }), { PX: 1_000 }),
      () => redis.set(key, JSON.stringify(mint(600)), { PX: 172_800_000 }),
      () => redis.rPush(key, "a list"),
    ];
    let exchanges = 1;
    for (const junk of put) {
      await redis.del(key);
      await junk();
      exchanges += 1;
      const { token } = await (await member()).getToken();
      assert.equal(token, upstream.tokens.at(-1));
      assert.equal(upstream.exchanges(), exchanges);
      await settled(async () => (await redis.type(key)) === "string" && (await redis.get(key)).includes(token), "replaced");
    }
  });

  test("is deleted by invalidate(), and by invalidate(token) of the one that is held alone", async () => {
    const auth = await member();
    const { token } = await auth.getToken();
    const key = await entryKey();
    auth.invalidate("another");
    assert.equal((await auth.getToken()).token, token);
    assert.equal(await redis.exists(key), 1);

    auth.invalidate(token);
    await settled(async () => (await redis.exists(key)) === 0, "deleted");
    const next = await auth.getToken();
    assert.equal(next.token, upstream.tokens[1]);
    await settled(async () => (await redis.exists(key)) === 1);
    auth.invalidate();
    await settled(async () => (await redis.exists(key)) === 0, "deleted");
  });

  test("is overwritten by forceRefresh, and read by the others", async () => {
    await (await member()).getToken();
    const forced = await (await member()).getToken({ forceRefresh: true });
    assert.equal(forced.token, upstream.tokens[1]);
    const key = await entryKey();
    await settled(async () => JSON.parse(await redis.get(key)).token === forced.token);
    assert.equal((await (await member()).getToken()).token, forced.token);
    assert.equal(upstream.exchanges(), 2);
  });
});

describe("Redis fails", () => {
  test("stopped before: every call gets its token, at once", async () => {
    const own = await startRedis();
    const fleet = await Promise.all(Array.from({ length: 5 }, () => member({}, own)));
    await own.stop();
    const started = performance.now();
    const tokens = await Promise.all(fleet.map((auth) => auth.getToken()));
    assert.ok(performance.now() - started < SLACK_MS);
    assert.equal(new Set(tokens.map(({ token }) => token)).size, 5);
    assert.equal(upstream.exchanges(), 5);
    for (const auth of fleet) auth.invalidate();
    for (const auth of fleet) assert.ok(upstream.tokens.includes((await auth.getToken({ forceRefresh: true })).token));
  });

  test("stopped while the lease is held: the holder and those who wait get their tokens", async () => {
    const own = await startRedis();
    const fleet = await Promise.all(Array.from({ length: 5 }, () => member({}, own)));
    upstream.before = async (n) => {
      if (n === 1) await own.stop();
    };
    const started = performance.now();
    for (const { token } of await Promise.all(fleet.map((auth) => auth.getToken()))) {
      assert.ok(upstream.tokens.includes(token));
    }
    const took = performance.now() - started;
    assert.ok(took < ANSWER_MS + SLACK_MS, `took ${took} ms`);
  });

  test("hanging before: every call gets its token after one answer's patience, and Redis goes on when it is back", async () => {
    const fleet = await Promise.all(Array.from({ length: 5 }, () => member()));
    server.pause();
    try {
      const started = performance.now();
      const tokens = await Promise.all(fleet.map((auth) => auth.getToken()));
      const took = performance.now() - started;
      assert.ok(took < 2 * ANSWER_MS + SLACK_MS, `took ${took} ms`);
      for (const { token } of tokens) assert.ok(upstream.tokens.includes(token));
      const exchanges = upstream.exchanges();
      assert.equal((await fleet[0].getToken()).token, tokens[0].token, "held, without asking Redis");
      assert.equal(upstream.exchanges(), exchanges);
    } finally {
      server.resume();
    }
    await settled(async () => (await redis.ping()) === "PONG");
    const later = await member();
    const started = performance.now();
    assert.ok(upstream.tokens.includes((await later.getToken()).token));
    assert.ok(performance.now() - started < ANSWER_MS + SLACK_MS, "no lease is left behind");
    for (const lease of await redis.keys("*:lease")) assert.ok((await redis.pTTL(lease)) <= 30_000);
  });

  test("hanging during the exchange: the token comes, and what is written late lives no longer than it", async () => {
    upstream.lifetime = 20;
    upstream.before = async () => server.pause();
    const auth = await member();
    try {
      const started = performance.now();
      const { token, exp } = await auth.getToken();
      const took = performance.now() - started;
      assert.equal(token, upstream.tokens[0]);
      assert.ok(took < ANSWER_MS + SLACK_MS, `took ${took} ms`);
      await sleep(Math.max(0, 3_000 - took));
      server.resume();
      await settled(async () => (await redis.ping()) === "PONG");
      for (const key of await redis.keys("*")) {
        if (!key.endsWith(":lease")) assert.ok(Date.now() + (await redis.pTTL(key)) <= exp * 1_000 + 1_000);
      }
    } finally {
      server.resume();
    }
  });
});

/** Records every command that Redis is given; the function that it returns ends that, and tells them. */
async function watch() {
  const monitor = await connect();
  const lines = [];
  await monitor.monitor((line) => lines.push(String(line)));
  return async () => {
    await redis.echo("end of the record");
    await settled(() => lines.some((line) => line.includes("end of the record")));
    monitor.destroy();
    return lines.join("\n");
  };
}

function assertNoSecret(...texts) {
  const shown = [API_SECRET, API_KEY, BASIC, Buffer.from(API_SECRET).toString("base64url"), Buffer.from(API_KEY).toString("hex")];
  for (const text of texts) for (const secret of shown) assert.ok(!text.includes(secret), `${secret} in ${text}`);
}
