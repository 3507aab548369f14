// What a store is asked, and when: leases, keys, lives, and what invalidate() and re-entrant calls come to.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { mint, until } from "../lib/tokens.mjs";
import { ANSWER_MS, SLACK_MS, client, memoryStore } from "./store-client.mjs";

describe("a lease that is held elsewhere:", () => {
  test("the token that appears is taken, without an exchange", async () => {
    const store = memoryStore({ acquire: async () => false });
    const { auth, tokens } = client(store, { timeout: 20_000 });
    const stored = mint(600);
    let key;
    const get = store.get;
    store.get = (asked) => get((key = asked));
    const pending = auth.getToken();
    await sleep(100);
    store.entries.set(key, { ...stored, ttlSeconds: 600 });
    const started = performance.now();
    assert.equal((await pending).token, stored.token);
    assert.ok(performance.now() - started < 5_000);
    assert.equal(tokens.length, 0);
  });

  test("after half of the caller's time it exchanges by itself, and releases no lease of others", async () => {
    let released = 0;
    const store = memoryStore({ acquire: async () => false, release: async () => void (released += 1) });
    const { auth, tokens } = client(store, { timeout: 1_600 });
    const started = performance.now();
    assert.equal((await auth.getToken()).token, tokens[0]);
    const took = performance.now() - started;
    assert.ok(took >= 500 && took < 1_600, `took ${took} ms of 1600`);
    assert.equal(tokens.length, 1);
    assert.equal(released, 0);
  });

  test("it is asked for again, and taken over once it is free", async () => {
    let held = true;
    const store = memoryStore({ acquire: async () => !held });
    const { auth, tokens } = client(store, { timeout: 20_000 });
    setTimeout(() => (held = false), 300);
    const started = performance.now();
    assert.equal((await auth.getToken()).token, tokens[0]);
    const took = performance.now() - started;
    assert.ok(took >= 290 && took < 8_000, `took ${took} ms`);
  });
});

describe("what the store is told:", () => {
  test("a key that is a hash; a frozen token and exp; a life that is left; a lease within the timeout; a release", async () => {
    const calls = [];
    const spy = (name, method) => (...args) => {
      calls.push([name, ...args]);
      return method(...args);
    };
    const plain = memoryStore();
    const store = Object.fromEntries(Object.entries(plain).filter(([, value]) => typeof value === "function")
      .map(([name, method]) => [name, spy(name, method)]));
    const { auth } = client(store, { timeout: 7_000 });
    const { token, exp } = await auth.getToken();
    await until(() => calls.some(([name]) => name === "release"));
    const of = (name) => calls.filter(([called]) => called === name);
    const keys = new Set(calls.map(([, key]) => key));
    assert.equal(keys.size, 1);
    const [key] = keys;
    assert.match(key, /^([0-9a-f]{64}|[A-Za-z0-9_-]{43})$/);
    assert.ok(!/merchant/.test(Buffer.from(key, "base64url").toString("latin1") + Buffer.from(key, "hex").toString("latin1")));

    const [[, , given, ttlSeconds, ...more]] = of("set");
    assert.deepEqual(given, { token, exp });
    assert.ok(Object.isFrozen(given));
    assert.ok(ttlSeconds > 590 && ttlSeconds <= 600, `ttlSeconds ${ttlSeconds}`);
    assert.deepEqual(more, []);
    const [[, , lease]] = of("acquire");
    assert.ok(lease > 0 && lease <= 7, `a lease of ${lease} s`);
    assert.equal(of("release").length, 1);
    assert.equal(of("delete").length, 0);
    assert.ok(!JSON.stringify(calls).includes("merchant"));
    auth.invalidate();
    await until(() => of("delete").length === 1);
  });

  test("another key for another baseUrl, environment or apiKey, the same for another secret or client", async () => {
    const keyOf = async (options) => {
      let key;
      const store = memoryStore({ get: async (asked) => void (key = asked) });
      await client(store, options).auth.getToken();
      return key;
    };
    const base = await keyOf({});
    assert.equal(await keyOf({}), base);
    assert.equal(await keyOf({ apiSecret: "rotated" }), base);
    const others = [
      await keyOf({ apiKey: "other" }),
      await keyOf({ environment: "Sandbox" }),
      await keyOf({ baseUrl: "http://127.0.0.1:2" }),
      await keyOf({ baseUrl: "http://127.0.0.1:1/path" }),
    ];
    assert.equal(new Set([base, ...others]).size, 5);
  });

  test("the lease is released when its holder has no more use for it", async (context) => {
    const lease = () => {
      const told = [];
      const store = memoryStore();
      const { acquire, release } = store;
      store.acquire = async () => {
        told.push("asked");
        await sleep(60);
        const granted = await acquire();
        told.push("granted");
        return granted;
      };
      store.release = async () => {
        told.push("released");
        await release();
      };
      return { store, told, when: (word) => until(() => told.includes(word)) };
    };
    const slow = { fetch: () => new Promise(() => {}) };

    await context.test("aborted in the exchange", async () => {
      const { store, when } = lease();
      const controller = new AbortController();
      const call = client(store, slow).auth.getToken({ signal: controller.signal });
      await when("granted");
      await sleep(20);
      controller.abort();
      await assert.rejects(call, { name: "AbortError" });
      await when("released");
    });

    await context.test("aborted before the lease was granted", async () => {
      const { store, told, when } = lease();
      const controller = new AbortController();
      const call = client(store, slow).auth.getToken({ signal: controller.signal });
      await when("asked");
      assert.ok(!told.includes("granted"));
      controller.abort();
      await assert.rejects(call, { name: "AbortError" });
      await when("released");
    });

    await context.test("granted later than an answer is waited for", async () => {
      const { store, when } = lease();
      const granted = store.acquire;
      store.acquire = () => sleep(ANSWER_MS + 200).then(granted);
      const { auth, tokens } = client(store);
      assert.equal((await auth.getToken()).token, tokens[0]);
      await when("released");
    });

    await context.test("disposed of in the exchange", async () => {
      const { store, when } = lease();
      const { auth } = client(store, slow);
      const call = auth.getToken();
      await when("granted");
      await sleep(20);
      auth[Symbol.dispose]();
      await assert.rejects(call);
      await when("released");
    });
  });

  test("the lease is released when the exchange fails", async () => {
    let acquired = 0;
    let released = 0;
    const store = memoryStore({ acquire: async () => Boolean((acquired += 1)), release: async () => void (released += 1) });
    const refused = () => Promise.resolve(Response.json({ statusCode: 401, message: "UnauthorizedError", reason: "non" }, { status: 401 }));
    const { auth } = client(store, { fetch: refused });
    await assert.rejects(auth.getToken(), { code: "unauthorized" });
    await until(() => acquired === 1 && released === 1);
  });
});

describe("invalidate():", () => {
  test("a set that lands after it does not bring the token back", async () => {
    const store = memoryStore();
    const set = store.set;
    let writes = 0;
    store.set = async (...args) => {
      if ((writes += 1) === 1) await sleep(300);
      await set(...args);
    };
    const { auth, tokens } = client(store);
    const old = await auth.getToken();
    auth.invalidate();
    assert.equal((await auth.getToken()).token, tokens[1]);
    await sleep(500);
    assert.notEqual((await auth.getToken()).token, old.token);
    auth.invalidate(tokens[1]);
    const latest = await auth.getToken();
    assert.ok(!tokens.slice(0, 2).includes(latest.token), "neither of the two that were invalidated");
  });

  test("a store that cannot forget does not bring the token back", async () => {
    const store = memoryStore({ delete: async () => {} });
    const { auth, tokens } = client(store);
    await auth.getToken();
    auth.invalidate();
    assert.equal((await auth.getToken()).token, tokens[1]);
    assert.equal(tokens.length, 2);
  });

  test("what a slow get brings after it is not served", async () => {
    const stored = { ...mint(600), ttlSeconds: 500 };
    let reads = 0;
    const store = memoryStore({
      get: async () => {
        if ((reads += 1) > 1) return null;
        await sleep(200);
        return stored;
      },
    });
    const { auth, tokens } = client(store);
    const pending = auth.getToken();
    await sleep(20);
    auth.invalidate();
    assert.equal((await pending).token, tokens[0]);
    assert.notEqual((await auth.getToken()).token, stored.token);
  });

  test("a reply that comes after it is neither served nor stored", async () => {
    const [late, fresh] = [mint(600), mint(600)];
    const replies = [late, fresh];
    const written = [];
    const store = memoryStore();
    const set = store.set;
    store.set = (key, token, ttlSeconds) => {
      written.push(token.token);
      return set(key, token, ttlSeconds);
    };
    let sent = 0;
    const { auth } = client(store, {
      fetch: async () => {
        const data = replies[sent];
        sent += 1;
        if (data === late) await sleep(300);
        return Response.json({ statusCode: 200, message: "Successful", data });
      },
    });
    const pending = [auth.getToken(), auth.getToken()];
    await until(() => sent === 1);
    auth.invalidate();
    for (const { token } of await Promise.all(pending)) assert.equal(token, fresh.token);
    await sleep(400);
    assert.equal((await auth.getToken()).token, fresh.token);
    assert.ok(!written.includes(late.token));
  });

  test("invalidate(old) deletes nothing", async () => {
    let deleted = 0;
    const store = memoryStore();
    store.delete = async () => void (deleted += 1);
    const { auth } = client(store);
    const held = await auth.getToken();
    auth.invalidate("another");
    await sleep(20);
    assert.deepEqual(await auth.getToken(), held);
    assert.equal(deleted, 0);
  });
});

describe("a fleet:", () => {
  test("a forced token is shared, by a client that never asked the store before too", async () => {
    const store = memoryStore();
    const { token } = await client(store).auth.getToken({ forceRefresh: true });
    await until(() => store.entries.size === 1);
    const other = client(store);
    assert.equal((await other.auth.getToken()).token, token);
    assert.equal(other.tokens.length, 0);
  });

  test("a token that is revoked for all is replaced once, however late each one learns of it", async () => {
    const store = memoryStore();
    const fleet = Array.from({ length: 5 }, () => client(store));
    const exchanges = () => fleet.reduce((sum, { tokens }) => sum + tokens.length, 0);
    const held = await Promise.all(fleet.map(({ auth }) => auth.getToken()));
    assert.equal(exchanges(), 1);
    const replaced = [];
    for (const { auth } of fleet) {
      auth.invalidate(held[0].token);
      replaced.push((await auth.getToken()).token);
      await sleep(20);
    }
    assert.equal(new Set(replaced).size, 1);
    assert.equal(exchanges(), 2);
  });
});

describe("a store that calls its own client:", { concurrency: 20 }, () => {
  for (const method of ["get", "set", "delete", "acquire", "release"]) {
    for (const how of ["and goes on", "and waits for it"]) {
      test(`${method} asks for a token ${how}`, async () => {
        const store = memoryStore();
        const { auth, tokens } = client(store);
        const plain = store[method];
        const inner = [];
        let depth = 0;
        store[method] = async (...args) => {
          if (depth < 3) {
            depth += 1;
            const call = auth.getToken();
            inner.push(call);
            if (how === "and waits for it") await call;
          }
          return plain(...args);
        };
        const started = performance.now();
        const first = await auth.getToken();
        assert.ok(performance.now() - started < 2 * ANSWER_MS + SLACK_MS);
        assert.ok(tokens.includes(first.token));
        auth.invalidate();
        const { token } = await auth.getToken();
        assert.notEqual(token, first.token);
        for (const result of await Promise.all(inner)) assert.ok(tokens.includes(result.token));
        assert.equal(tokens.length, 2);
      });
    }

    test(`${method} invalidates, disposes of another, forces a refresh`, async () => {
      const store = memoryStore();
      const { auth } = client(store);
      const plain = store[method];
      let turns = 0;
      store[method] = (...args) => {
        if ((turns += 1) <= 2) {
          auth.invalidate();
          auth.getToken({ forceRefresh: true }).catch(() => {});
        }
        return plain(...args);
      };
      const { token } = await auth.getToken();
      assert.equal(typeof token, "string");
      assert.equal(typeof (await auth.getToken()).token, "string");
    });
  }
});
