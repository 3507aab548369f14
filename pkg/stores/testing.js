// The rules of a token store, as tests for a store of one's own.

import { leaseRules } from "./testing-leases.js";
import { check, inTime, same, sleep, token, uniqueKey } from "./testing-tools.js";

export function testStore(makeStore, runner, options = {}) {
  if (typeof makeStore !== "function") throw new TypeError("testStore(makeStore): makeStore must be a function");
  const { describe, test } = runner ?? {};
  if (typeof describe !== "function" || typeof test !== "function") {
    throw new TypeError("testStore(makeStore, runner): runner must be { describe, test }");
  }
  if (options === null || typeof options !== "object") throw new TypeError("testStore(makeStore, runner, options): options must be an object");
  const { shortestTtlSeconds = 1 } = options;
  if (!(typeof shortestTtlSeconds === "number" && shortestTtlSeconds > 0 && Number.isFinite(shortestTtlSeconds))) {
    throw new TypeError("testStore(makeStore, runner, { shortestTtlSeconds }): shortestTtlSeconds must be a number above 0");
  }

  /** Registers a case: `body` gets one store object, a key that nobody else uses, and a way to more store objects. */
  const rule = (name, body, needs = () => undefined) =>
    // No named parameter: Jest takes one for a callback that ends the test.
    test(name, async (...[context]) => {
      const store = await makeStore();
      const lacking = needs(store);
      if (lacking !== undefined) {
        context?.skip?.(lacking);
        return;
      }
      const key = uniqueKey();
      try {
        await body({
          store, key,
          more: (count) => Promise.all(Array.from({ length: count }, () => makeStore())),
          shortest: shortestTtlSeconds,
          pastShortest: () => sleep(shortestTtlSeconds * 1_000 + 100),
          inTime: (work) => inTime(work, shortestTtlSeconds * 1_000),
        });
      } finally {
        await Promise.resolve().then(() => store.delete?.(key)).catch(() => {});
        await Promise.resolve().then(() => store.release?.(key)).catch(() => {});
      }
    });

  describe("a token store", () => {
    describe("entries", () => entryRules(rule));
    describe("delete", () => deleteRules(rule));
    describe("leases", () => leaseRules(rule));
  });
}

/** What `get` answers now has to be `expected`, whole, with no more life than `life`. */
async function holds(store, key, expected, life, when) {
  const got = await store.get(key);
  check(got !== null && got !== undefined, `${when}: get() misses a token that is stored`);
  same(got.token, expected.token, `${when}: the token of get()`);
  same(got.exp, expected.exp, `${when}: the exp of get()`);
  if (got.ttlSeconds === undefined) return;
  const { ttlSeconds } = got;
  check(typeof ttlSeconds === "number" && ttlSeconds > 0, `${when}: ttlSeconds of get() is ${ttlSeconds}, not a number above 0`);
  check(ttlSeconds <= life, `${when}: ttlSeconds of get() is ${ttlSeconds}, more than the ${life} s that the token has left`);
}

async function misses(store, key, when) {
  const got = await store.get(key);
  check(got === null || got === undefined, `${when}: get() does not answer null or undefined`);
}

function entryRules(rule) {
  rule("a key without an entry is a miss", async ({ store, key }) => {
    await misses(store, key, "before any set()");
  });

  rule("methods answer with promises", async ({ store, key }) => {
    const isPromise = (value) => typeof value?.then === "function";
    const calls = { get: [key], set: [key, token(), 600], delete: [key], acquire: [key, 5], release: [key] };
    for (const [method, args] of Object.entries(calls)) {
      if (store[method] === undefined && method !== "get" && method !== "set") continue;
      const answer = store[method](...args);
      check(isPromise(answer), `${method}() does not answer with a promise`);
      await answer;
    }
  });

  rule("what one store object has set, all get", async ({ store, key, more }) => {
    const written = token();
    await store.set(key, written, 600);
    for (const each of [store, ...await more(2)]) await holds(each, key, written, 600, "after set()");
  });

  rule("a token of 8 KiB is kept whole", async ({ store, key, more }) => {
    const written = token(8_192);
    await store.set(key, written, 600);
    const [other] = await more(1);
    await holds(other, key, written, 600, "after set() of 8 KiB");
  });

  rule("the newest set() wins", async ({ store, key, more }) => {
    const [other] = await more(1);
    await store.set(key, token(), 600);
    const newest = token();
    await other.set(key, newest, 600);
    for (const each of [store, other]) await holds(each, key, newest, 600, "after the second set()");
  });

  rule("keys are apart", async ({ store, key }) => {
    const [written, beside] = [token(), `${key}0`];
    await store.set(key, written, 600);
    await misses(store, beside, "after set() of another key");
    await store.delete?.(beside);
    await holds(store, key, written, 600, "after delete() of another key");
  });

  rule("an entry ends with its life", async ({ store, key, more, shortest, pastShortest, inTime }) => {
    const [other] = await more(1);
    const written = token();
    await inTime(async () => {
      await store.set(key, written, shortest);
      await holds(other, key, written, shortest, "right after set()");
    });
    await pastShortest();
    for (const each of [store, other]) await misses(each, key, `${shortest} s after set() for ${shortest} s`);
  });

  rule("a new entry has a life of its own: a longer one", async ({ store, key, shortest, pastShortest }) => {
    await store.set(key, token(), shortest);
    const longer = token();
    await store.set(key, longer, 600);
    await pastShortest();
    await holds(store, key, longer, 600 - shortest, "after the end of the entry before");
  });

  rule("a new entry has a life of its own: a shorter one", async ({ store, key, shortest, pastShortest }) => {
    await store.set(key, token(), 600);
    await store.set(key, token(), shortest);
    await pastShortest();
    await misses(store, key, "after the end of the newer entry");
  });

  rule("the life that is left goes down", async ({ store, key }) => {
    const written = token();
    await store.set(key, written, 600);
    await sleep(1_100);
    await holds(store, key, written, 599, "1.1 s after set() for 600 s");
  });

  rule("a life that is no whole number is taken, and not rounded up", async ({ store, key }) => {
    for (const life of [61.25, 90.75]) {
      const written = token();
      await store.set(key, written, life);
      await holds(store, key, written, life, `after set() for ${life} s`);
    }
  });

  rule("a life of a day is taken", async ({ store, key }) => {
    const written = token();
    await store.set(key, written, 86_400);
    await holds(store, key, written, 86_400, "after set() for 86400 s");
  });

  rule("a token is read with its own exp, however many write", async ({ store, key, more }) => {
    const written = Array.from({ length: 8 }, () => token());
    const stores = await more(written.length);
    await Promise.all(stores.map((each, n) => each.set(key, written[n], 600)));
    const got = await store.get(key);
    const expected = written.find((each) => each.token === got?.token);
    check(expected !== undefined, "after concurrent set(): get() answers none of the tokens that were set");
    same(got.exp, expected.exp, "after concurrent set(): the exp of get()");
  });
}

const needsDelete = (store) => (store.delete === undefined ? "the store has no delete()" : undefined);

function deleteRules(rule) {
  rule("without a token, whatever is stored is deleted, for all", async ({ store, key, more }) => {
    const [other] = await more(1);
    await store.set(key, token(), 600);
    await other.delete(key);
    for (const each of [store, other]) await misses(each, key, "after delete()");
    await store.delete(key);
  }, needsDelete);

  rule("with the token that is stored, it is deleted", async ({ store, key, more }) => {
    const [other] = await more(1);
    const written = token();
    await store.set(key, written, 600);
    await other.delete(key, written.token);
    for (const each of [store, other]) await misses(each, key, "after delete() of the token that is stored");
    await store.delete(key, written.token);
  }, needsDelete);

  rule("with another token, what is stored stays", async ({ store, key }) => {
    const written = token();
    await store.set(key, written, 600);
    for (const another of [token().token, written.token.slice(0, -1), `${written.token}x`]) {
      await store.delete(key, another);
      await holds(store, key, written, 600, "after delete() of another token");
    }
  }, needsDelete);
}
