// The suite for stores of one's own: a right store passes it, and each faulty one fails the case of its fault.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { importInstalled, requireInstalled } from "../lib/install.mjs";

const { testStore } = await importInstalled("digitalpaye-auth/stores/testing");

const turn = () => new Promise((resolve) => setImmediate(resolve));
const later = (seconds) => performance.now() + seconds * 1_000;

/**
 * A right store in memory. `backing` is what its objects share; `owner` is whose lease it holds; `live` reads what has
 * not ended. Every method takes a turn before it does its work, as one that talks to a server does.
 */
class MemoryStore {
  constructor(backing) {
    this.backing = backing;
    this.owner = {};
  }

  live(key) {
    const item = this.backing.get(key);
    return item !== undefined && item.end > performance.now() ? item : undefined;
  }

  async get(key) {
    await turn();
    const item = this.live(`token:${key}`);
    return item && { ...item.value, ttlSeconds: (item.end - performance.now()) / 1_000 };
  }

  async set(key, { token, exp }, ttlSeconds) {
    const end = later(ttlSeconds);
    await turn();
    this.backing.set(`token:${key}`, { value: { token, exp }, end });
  }

  async delete(key, token) {
    await turn();
    if (token === undefined || this.live(`token:${key}`)?.value.token === token) this.backing.delete(`token:${key}`);
  }

  async acquire(key, ttlSeconds) {
    await turn();
    const lease = this.live(`lease:${key}`);
    if (lease !== undefined && lease.value !== this.owner) return false;
    this.backing.set(`lease:${key}`, { value: this.owner, end: later(ttlSeconds) });
    return true;
  }

  async release(key) {
    await turn();
    if (this.live(`lease:${key}`)?.value === this.owner) this.backing.delete(`lease:${key}`);
  }
}

/** What a class of stores without these methods makes. */
const without = (...methods) => class extends MemoryStore {
  constructor(backing) {
    super(backing);
    for (const method of methods) this[method] = undefined;
  }
};

/** Runs the suite over a class of stores; resolves to the names of its cases, by what came of them. */
async function outcome(Store, { options, asynchronous = true } = {}) {
  const backing = new Map();
  const cases = [];
  const path = [];
  const runner = {
    describe(name, body) {
      path.push(name);
      assert.equal(body(), undefined, "Jest takes no describe() that answers");
      path.pop();
    },
    test(name, body) {
      assert.equal(body.length, 0, "Jest takes a parameter for a callback");
      cases.push({ name: [...path.slice(1), name].join(": "), body });
    },
  };
  const make = () => new Store(backing);
  testStore(asynchronous ? async () => make() : make, runner, options);
  const result = { passed: [], failed: [], skipped: [] };
  await Promise.all(cases.map(async ({ name, body }) => {
    let into = "passed";
    try {
      await body({ skip: () => (into = "skipped") });
    } catch (error) {
      assert.equal(error.constructor, Error);
      assert.match(error.message, /\w+ \w+ \w+/);
      into = "failed";
    }
    result[into].push(name);
  }));
  return result;
}

testStore(() => new MemoryStore(shared), { describe, test });
const shared = new Map();

test("a right store passes, made at once or later, and by CommonJS too", async () => {
  for (const asynchronous of [true, false]) {
    const { passed, failed, skipped } = await outcome(MemoryStore, { asynchronous });
    assert.deepEqual({ failed, skipped }, { failed: [], skipped: [] });
    assert.ok(passed.length >= 25, `${passed.length} cases`);
  }
  assert.equal(typeof (await requireInstalled("digitalpaye-auth/stores/testing")).testStore, "function");
});

test("a right store passes where a look came too late, once", async () => {
  const SHORTEST = 0.2;
  let late = 0;
  /** Of a machine that stood still for as long as the shortest life, the first time that one was asked for in a case. */
  class Paused extends MemoryStore {
    async pauseOnce(key, ttlSeconds) {
      if (ttlSeconds !== SHORTEST || this.backing.has(`paused:${key}`)) return;
      this.backing.set(`paused:${key}`, true);
      late += 1;
      await sleep(SHORTEST * 1_000 + 20);
    }

    async set(key, token, ttlSeconds) {
      await super.set(key, token, ttlSeconds);
      await this.pauseOnce(key, ttlSeconds);
    }

    async acquire(key, ttlSeconds) {
      const answer = await super.acquire(key, ttlSeconds);
      await this.pauseOnce(key, ttlSeconds);
      return answer;
    }
  }
  const { failed } = await outcome(Paused, { options: { shortestTtlSeconds: SHORTEST } });
  assert.deepEqual(failed, []);
  assert.ok(late >= 5, `${late} pauses`);
});

test("a runner that gives no context runs the same cases", async () => {
  const names = [];
  const backing = new Map();
  const Store = without("acquire", "release");
  testStore(() => new Store(backing), {
    describe: (_, body) => body(),
    test: (name, body) => names.push(body().then(() => name)),
  });
  assert.ok((await Promise.all(names)).length >= 25);
});

test("without leases, the cases of leases are left out; without delete, those of delete", async () => {
  const { failed, skipped, passed } = await outcome(without("acquire", "release"));
  assert.deepEqual(failed, []);
  assert.ok(skipped.length >= 10 && skipped.every((name) => name.startsWith("leases:")));
  assert.ok(!passed.some((name) => name.startsWith("leases:")));
  const bare = await outcome(without("acquire", "release", "delete"));
  assert.deepEqual(bare.failed, []);
  assert.ok(bare.passed.every((name) => name.startsWith("entries:")));
  const unreleased = await outcome(without("release"));
  assert.deepEqual(unreleased.failed, []);
  assert.ok(unreleased.skipped.every((name) => /releas/.test(name)));
});

// What is wrong, and the case that has to say so.
const FAULTS = {
  "a miss is an empty object": ["entries: a key without an entry is a miss", {
    async get(key) { return (await MemoryStore.prototype.get.call(this, key)) ?? {}; },
  }],
  "get() answers at once": ["entries: methods answer with promises", {
    get(key) { const item = this.live(`token:${key}`); return item && { ...item.value }; },
  }],
  "each object has entries of its own": ["entries: what one store object has set, all get", {
    get backing() { return (this.own ??= new Map()); }, set backing(_) {},
  }],
  "exp is stored in milliseconds": ["entries: what one store object has set, all get", {
    set(key, { token, exp }, ttl) { return MemoryStore.prototype.set.call(this, key, { token, exp: exp * 1_000 }, ttl); },
  }],
  "exp comes back as text": ["entries: what one store object has set, all get", {
    async get(key) { const got = await MemoryStore.prototype.get.call(this, key); return got && { ...got, exp: String(got.exp) }; },
  }],
  "tokens are cut at 4,096 characters": ["entries: a token of 8 KiB is kept whole", {
    set(key, { token, exp }, ttl) { return MemoryStore.prototype.set.call(this, key, { token: token.slice(0, 4_096), exp }, ttl); },
  }],
  "a first entry is never replaced": ["entries: the newest set() wins", {
    async set(key, ...args) { if (!this.live(`token:${key}`)) await MemoryStore.prototype.set.call(this, key, ...args); },
  }],
  "all keys are one, by their first half": ["entries: keys are apart", {
    live(key) { return MemoryStore.prototype.live.call(this, key.slice(0, 70)); },
    set(key, ...args) { return MemoryStore.prototype.set.call(this, key.slice(0, 64), ...args); },
  }],
  "entries never end": ["entries: an entry ends with its life", {
    set(key, token) { return MemoryStore.prototype.set.call(this, key, token, 600); },
  }],
  "a new entry keeps the end of the one before": ["entries: a new entry has a life of its own: a longer one", {
    async set(key, token, ttl) {
      const end = this.live(`token:${key}`)?.end;
      await MemoryStore.prototype.set.call(this, key, token, ttl);
      if (end) this.backing.get(`token:${key}`).end = end;
    },
  }],
  "a life is only ever lengthened": ["entries: a new entry has a life of its own: a shorter one", {
    async set(key, token, ttl) {
      const end = this.live(`token:${key}`)?.end ?? 0;
      await MemoryStore.prototype.set.call(this, key, token, ttl);
      const item = this.backing.get(`token:${key}`);
      item.end = Math.max(item.end, end);
    },
  }],
  "ttlSeconds is what was set, however long ago": ["entries: the life that is left goes down", {
    async set(key, token, ttl) { await MemoryStore.prototype.set.call(this, key, token, ttl); this.backing.get(`token:${key}`).ttl = ttl; },
    async get(key) { await turn(); const item = this.live(`token:${key}`); return item && { ...item.value, ttlSeconds: item.ttl }; },
  }],
  "ttlSeconds is in milliseconds": ["entries: what one store object has set, all get", {
    async get(key) { const got = await MemoryStore.prototype.get.call(this, key); return got && { ...got, ttlSeconds: got.ttlSeconds * 1_000 }; },
  }],
  "lives are rounded up": ["entries: a life that is no whole number is taken, and not rounded up", {
    set(key, token, ttl) { return MemoryStore.prototype.set.call(this, key, token, Math.ceil(ttl)); },
  }],
  "a life of a day is refused": ["entries: a life of a day is taken", {
    set(key, token, ttl) { return ttl >= 86_400 ? Promise.reject(new Error("this life is too long")) : MemoryStore.prototype.set.call(this, key, token, ttl); },
  }],
  "token and exp are written apart": ["entries: a token is read with its own exp, however many write", {
    async set(key, { token, exp }, ttl) {
      await MemoryStore.prototype.set.call(this, key, { token, exp: this.live(`token:${key}`)?.value.exp ?? exp }, ttl);
      // The earlier one writes, the later its exp lands: not by chance, which is right once in as many times as there are writers.
      this.backing.writes = (this.backing.writes ?? 0) + 1;
      await sleep(400 / this.backing.writes);
      this.backing.get(`token:${key}`).value.exp = exp;
    },
  }],
  "delete() does nothing": ["delete: without a token, whatever is stored is deleted, for all", { async delete() { await turn(); } }],
  "delete() of a token does nothing": ["delete: with the token that is stored, it is deleted", {
    async delete(key, token) { if (token === undefined) await MemoryStore.prototype.delete.call(this, key); },
  }],
  "delete() ignores its token": ["delete: with another token, what is stored stays", {
    delete(key) { return MemoryStore.prototype.delete.call(this, key); },
  }],
  "delete() looks, and deletes later": ["leases: delete() of an old token is atomic: a newer one that is written at that moment stays", {
    async delete(key, token) {
      await turn();
      const found = this.live(`token:${key}`)?.value.token;
      await turn();
      if (token === undefined || found === token) this.backing.delete(`token:${key}`);
    },
  }],
  "acquire() looks, and writes later": ["leases: one of many who ask at once gets it", {
    async acquire(key, ttl) {
      const lease = this.live(`lease:${key}`);
      await turn();
      if (lease !== undefined && lease.value !== this.owner) return false;
      this.backing.set(`lease:${key}`, { value: this.owner, end: later(ttl) });
      return true;
    },
  }],
  "acquire() answers 1 and 0": ["leases: one of many who ask at once gets it", {
    async acquire(...args) { return Number(await MemoryStore.prototype.acquire.apply(this, args)); },
  }],
  "a holder is refused its own lease": ["leases: its holder renews it: true again, and it ends later", {
    async acquire(key, ttl) { return this.live(`lease:${key}`) ? (await turn(), false) : MemoryStore.prototype.acquire.call(this, key, ttl); },
  }],
  "renewing does not lengthen": ["leases: its holder renews it: true again, and it ends later", {
    async acquire(key, ttl) {
      return this.live(`lease:${key}`)?.value === this.owner ? (await turn(), true) : MemoryStore.prototype.acquire.call(this, key, ttl);
    },
  }],
  "leases never end": ["leases: it ends by itself, and another gets it", {
    acquire(key) { return MemoryStore.prototype.acquire.call(this, key, 600); },
  }],
  "who held it once is always let in": ["leases: a holder that lost it is refused", {
    async acquire(key, ttl) {
      if (this.once) return true;
      return (this.once = await MemoryStore.prototype.acquire.call(this, key, ttl));
    },
  }],
  "release() frees whoever holds it": ["leases: who does not hold it cannot release it", {
    async release(key) { await turn(); this.backing.delete(`lease:${key}`); },
  }],
  "release() frees the next one's, if it held one": ["leases: a holder that lost it does not release the next one's", {
    async acquire(...args) { const got = await MemoryStore.prototype.acquire.apply(this, args); this.had ||= got; return got; },
    async release(key) { await turn(); if (this.had) this.backing.delete(`lease:${key}`); },
  }],
  "release() does nothing": ["leases: released, it goes to the next one", { async release() { await turn(); } }],
  "release() of what is free fails": ["leases: releasing what is free does nothing", {
    async release(key) { if (!this.live(`lease:${key}`)) throw new Error("nothing to release here"); await MemoryStore.prototype.release.call(this, key); },
  }],
  "there is one lease for all keys": ["leases: it is of its key alone", {
    acquire(key, ttl) { return MemoryStore.prototype.acquire.call(this, key.slice(0, 64), ttl); },
  }],
  "a key with an entry has no lease": ["leases: it and the entry leave each other alone", {
    async acquire(key, ttl) { return this.live(`token:${key}`) ? (await turn(), false) : MemoryStore.prototype.acquire.call(this, key, ttl); },
  }],
  "a lease takes the place of the entry": ["leases: it and the entry leave each other alone", {
    async acquire(key, ttl) { const got = await MemoryStore.prototype.acquire.call(this, key, ttl); if (got) this.backing.delete(`token:${key}`); return got; },
  }],
  "set() ends the lease": ["leases: it and the entry leave each other alone", {
    async set(key, ...args) { await MemoryStore.prototype.set.call(this, key, ...args); this.backing.delete(`lease:${key}`); },
  }],
};

describe("a faulty store fails the case of its fault:", { concurrency: true }, () => {
  for (const [fault, [expected, members]] of Object.entries(FAULTS)) {
    test(fault, async () => {
      class Faulty extends MemoryStore {}
      Object.defineProperties(Faulty.prototype, Object.getOwnPropertyDescriptors(members));
      const { failed, passed } = await outcome(Faulty);
      assert.ok(failed.includes(expected), `failed: ${failed.join("; ") || "none"}`);
      assert.ok(passed.length > 0, "only what the fault touches fails");
    });
  }
});

test("what testStore cannot use is refused in words", () => {
  const runner = { describe() {}, test() {} };
  const make = () => new MemoryStore(new Map());
  for (const [args, words] of [
    [[], /makeStore must be a function/],
    [[{}], /makeStore must be a function/],
    [[make], /runner must be/],
    [[make, null], /runner must be/],
    [[make, { test() {} }], /runner must be/],
    [[make, runner, null], /options must be an object/],
    ...[0, -1, "1", Number.NaN, Infinity, null].map((shortestTtlSeconds) => [[make, runner, { shortestTtlSeconds }], /shortestTtlSeconds must be/]),
  ]) {
    assert.throws(() => testStore(...args), (error) => error instanceof TypeError && words.test(error.message));
  }
});

test("shortestTtlSeconds is the shortest life that the suite gives", async () => {
  const lives = [];
  class Coarse extends MemoryStore {
    set(key, token, ttlSeconds) { lives.push(ttlSeconds); return super.set(key, token, ttlSeconds); }
    acquire(key, ttlSeconds) { lives.push(ttlSeconds); return super.acquire(key, ttlSeconds); }
  }
  assert.deepEqual((await outcome(Coarse, { options: { shortestTtlSeconds: 2.5 } })).failed, []);
  assert.equal(Math.min(...lives), 2.5);
});
