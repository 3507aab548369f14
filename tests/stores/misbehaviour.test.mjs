// Whatever a store does, `getToken` gives a token: a store can save an exchange, it can never cost an answer.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { importInstalled } from "../lib/install.mjs";
import { granted, mint, until } from "../lib/tokens.mjs";

const { DigitalpayeAuth, InvalidOptionsError } = await importInstalled("digitalpaye-auth");

/** The longest that one answer of a store is waited for, and what a busy machine may add to a whole call. Together well
 * below the half of its own time, 15 s, that a caller waits for a lease. */
const ANSWER_MS = 2_000;
const SLACK_MS = 3_000;

const unhandled = [];
process.on("unhandledRejection", (reason) => unhandled.push(reason));
after(async () => {
  await sleep(50);
  assert.deepEqual(unhandled, [], "no unhandled rejection");
});

/** A client of an API that answers at once, with what it handed out. */
function client(store, options = {}) {
  const tokens = [];
  const fetch = async () => {
    const grant = mint(600);
    tokens.push(grant.token);
    return new Response(granted(grant));
  };
  const auth = new DigitalpayeAuth({
    apiKey: "merchant-key",
    apiSecret: "merchant-secret",
    baseUrl: "http://127.0.0.1:1",
    fetch,
    store,
    ...options,
  });
  return { auth, tokens };
}

/** A store that does as it should, with every method; `overrides` are the ones that do not. */
function memoryStore(overrides = {}) {
  const entries = new Map();
  let held = false;
  return {
    entries,
    get: async (key) => entries.get(key) ?? null,
    set: async (key, { token, exp }, ttlSeconds) => void entries.set(key, { token, exp, ttlSeconds }),
    delete: async (key, token) => { if (token === undefined || entries.get(key)?.token === token) entries.delete(key); },
    acquire: async () => !held && (held = true),
    release: async () => void (held = false),
    ...overrides,
  };
}

const getters = (...names) =>
  Object.defineProperties({}, Object.fromEntries(names.map((name) => [name, {
    enumerable: true,
    get() { throw new Error(`getter ${name}`); },
  }])));
const hostile = new Proxy({}, new Proxy({}, { get: () => () => { throw new Error("trap"); } }));
const revoked = (() => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
})();

/** What a method may come back with that is none of its answers. */
const NONSENSE = {
  "undefined": undefined,
  "null": null,
  "true": true,
  "false": false,
  "0": 0,
  "1": 1,
  "NaN": Number.NaN,
  "a bigint": 10n,
  "an empty string": "",
  "a string": "token",
  "a symbol": Symbol("token"),
  "an array": [],
  "an empty object": {},
  "a function": () => {},
  "a Date": new Date(0),
  "an Error": new Error("not thrown"),
  "throwing getters": getters("token", "exp", "ttlSeconds"),
  "a proxy that throws": hostile,
  "a revoked proxy": revoked,
};

/** Ways to fail. Each makes a method. */
const FAULTS = {
  "throws": () => () => { throw new Error("store"); },
  "throws undefined": () => () => { throw undefined; },
  "rejects": () => async () => { throw new Error("store"); },
  "rejects with undefined": () => () => Promise.reject(),
  "rejects with a revoked proxy": () => () => Promise.reject(revoked),
  "hangs": () => () => new Promise(() => {}),
  "rejects after nobody waits any more": () => () => sleep(ANSWER_MS + 500).then(() => { throw new Error("late"); }),
  "returns a thenable that never settles": () => () => ({ then() {} }),
  "returns a thenable that throws": () => () => ({ then() { throw new Error("then"); } }),
  "returns a thenable that settles twice": () => () => ({
    then(resolve, reject) {
      reject(new Error("first"));
      resolve(true);
      throw new Error("third");
    },
  }),
  "returns an object whose `then` getter throws": () => () => getters("then"),
};
for (const [name, value] of Object.entries(NONSENSE)) {
  FAULTS[`returns ${name}, no promise`] = () => () => value;
  // A promise cannot be resolved with a proxy that throws: looking for `then` rejects it, which is a fault just as well.
  FAULTS[`resolves with ${name}`] = () => async () => value;
}

const MAY_BE_RIGHT = {
  // A store that says false to `acquire` says that another exchanges; then waiting is right.
  acquire: new Set(["returns false, no promise", "resolves with false"]),
};

describe("one method that", { concurrency: 20 }, () => {
  for (const method of ["get", "set", "delete", "acquire", "release"]) {
    for (const [fault, make] of Object.entries(FAULTS)) {
      if (MAY_BE_RIGHT[method]?.has(fault)) continue;
      test(`${method} ${fault}`, async () => {
        const store = memoryStore({ [method]: make() });
        // A lease that is never given back is waited for, half of the caller's time: here that is to be short.
        const { auth, tokens } = client(store, method === "release" ? { timeout: 3_000 } : {});
        const started = performance.now();
        const first = await auth.getToken();
        const took = performance.now() - started;
        assert.equal(first.token, tokens[0]);
        assert.equal(tokens.length, 1);
        assert.ok(took < ANSWER_MS + SLACK_MS, `took ${took} ms`);

        assert.deepEqual(await auth.getToken(), first, "held as ever");
        auth.invalidate(first.token);
        const second = await auth.getToken();
        assert.equal(second.token, tokens[1], "a new exchange after invalidate()");
        assert.equal((await auth.getToken({ forceRefresh: true })).token, tokens[2]);
        assert.equal(tokens.length, 3);
        auth[Symbol.dispose]();
      });
    }
  }
});

describe("get returns a token that is none:", { concurrency: 20 }, () => {
  const now = () => Math.floor(Date.now() / 1_000);
  const jwt = mint(600);
  const good = { ...jwt, ttlSeconds: 500 };
  const cases = {
    "a token of another type": { ...good, token: 5 },
    "a token as a String object": { ...good, token: new String(jwt.token) },
    "an empty token": { ...good, token: "" },
    "a token with a space": { ...good, token: "two words" },
    "a token with a line break": { ...good, token: "a\r\nX-Injected: yes" },
    "a token that is no b64token": { ...good, token: "jeton-é" },
    "padding alone": { ...good, token: "==" },
    "padding in the middle": { ...good, token: "a=b" },
    "a lone surrogate": { ...good, token: "a\ud800" },
    "no exp": { token: jwt.token, ttlSeconds: 500 },
    "exp as a string": { ...good, exp: String(jwt.exp) },
    "exp as a bigint": { ...good, exp: BigInt(jwt.exp) },
    "exp with a fraction": { ...good, exp: jwt.exp + 0.5 },
    "exp NaN": { ...good, exp: Number.NaN },
    "exp Infinity": { ...good, exp: Infinity },
    "exp beyond the safe integers": { ...good, exp: 2 ** 60 },
    "ttlSeconds NaN": { ...good, ttlSeconds: Number.NaN },
    "ttlSeconds 0": { ...good, ttlSeconds: 0 },
    "ttlSeconds negative": { ...good, ttlSeconds: -1 },
    "ttlSeconds 86,401": { ...good, ttlSeconds: 86_401 },
    "ttlSeconds Infinity": { ...good, ttlSeconds: Infinity },
    "ttlSeconds as a string": { ...good, ttlSeconds: "500" },
    "ttlSeconds as a bigint": { ...good, ttlSeconds: 500n },
    "ttlSeconds as an object": { ...good, ttlSeconds: { valueOf: () => 500 } },
    "a past exp and no ttlSeconds": { token: "opaque", exp: now() - 10 },
    "an exp of this second and no ttlSeconds": { token: "opaque", exp: now() },
    "an opaque token with more than 24 h": { token: "opaque", exp: now() + 90_000 },
    "a JWT with more than 24 h": { ...mint(90_000) },
    "a JWT with no life": mint(0),
    "a JWT past its life": mint(600, { now: Date.now() - 3_600_000 }),
    "milliseconds for exp": { token: "opaque", exp: Date.now() + 600_000 },
    "a getter for token that throws": Object.assign(getters("token"), { exp: jwt.exp, ttlSeconds: 500 }),
    "a getter for exp that throws": Object.assign(getters("exp"), { token: jwt.token, ttlSeconds: 500 }),
    "a getter for ttlSeconds that throws": Object.assign(getters("ttlSeconds"), jwt),
  };
  for (const [name, stored] of Object.entries(cases)) {
    test(name, async () => {
      const { auth, tokens } = client(memoryStore({ get: async () => stored }));
      const { token } = await auth.getToken();
      assert.equal(token, tokens[0]);
      assert.equal(tokens.length, 1);
    });
  }
});

describe("get returns a token that is one, and no exchange is made:", () => {
  const past = mint(600, { now: Date.now() - 3_600_000 });
  const cases = {
    "a JWT with its life": () => ({ ...mint(600), ttlSeconds: 500 }),
    "a JWT without its life": () => mint(600),
    "an opaque token with its life": () => ({ token: "opaque", exp: Math.floor(Date.now() / 1_000) + 500, ttlSeconds: 500 }),
    "an opaque token without its life": () => ({ token: "opaque", exp: Math.floor(Date.now() / 1_000) + 500 }),
    "a JWT that only the local clock calls expired": () => ({ ...past, ttlSeconds: 500 }),
    "more properties than it should have": () => ({ ...mint(600), ttlSeconds: 500, apiSecret: "x", toJSON: 5 }),
    "a thenable": () => {
      const stored = { ...mint(600), ttlSeconds: 500 };
      return { stored, then: (resolve) => resolve(stored) };
    },
    "no promise": () => ({ ...mint(600), ttlSeconds: 500 }),
  };
  for (const [name, make] of Object.entries(cases)) {
    test(name, async () => {
      const answer = make();
      const { token, exp } = answer.stored ?? answer;
      const { auth, tokens } = client(memoryStore({ get: () => (name === "no promise" || answer.then ? answer : Promise.resolve(answer)) }));
      const got = await auth.getToken();
      assert.deepEqual(got, { token, exp });
      assert.ok(Object.isFrozen(got));
      assert.deepEqual(Object.keys(got), ["token", "exp"]);
      assert.equal(tokens.length, 0);
    });
  }

  test("an object that the store changes afterwards", async () => {
    const stored = { ...mint(600), ttlSeconds: 500 };
    const { token } = stored;
    const { auth } = client(memoryStore({ get: async () => stored }));
    await auth.getToken();
    Object.assign(stored, { token: "changed", exp: 0, ttlSeconds: -1 });
    assert.equal((await auth.getToken()).token, token);
  });
});

describe("a store with less than every method:", () => {
  for (const absent of [["delete"], ["acquire"], ["release"], ["acquire", "release"], ["delete", "acquire", "release"]]) {
    test(`without ${absent.join(", ")}`, async () => {
      const store = memoryStore(Object.fromEntries(absent.map((method) => [method, undefined])));
      const one = client(store);
      const { token } = await one.auth.getToken();
      const other = client(store);
      assert.equal((await other.auth.getToken()).token, token);
      assert.equal(other.tokens.length, 0);
      one.auth.invalidate();
      assert.notEqual((await one.auth.getToken()).token, token);
    });
  }

  for (const [name, store] of Object.entries({ "null": null, "a string": "redis://127.0.0.1", "a number": 5, "an empty object": {}, "no set": { get() {} } })) {
    test(`${name} is refused by the constructor`, () => {
      assert.throws(() => client(store), (error) => error instanceof InvalidOptionsError && error.option === "store");
    });
  }

  test("a class with private state is called as itself", async () => {
    class Store {
      #entries = new Map();
      async get(key) { return this.#entries.get(key); }
      async set(key, token) { this.#entries.set(key, { ...token }); }
      async delete(key) { this.#entries.delete(key); }
      async acquire() { return this.#entries.size === 0; }
      async release() { this.#entries.get(""); }
    }
    const store = new Store();
    const { token } = await client(store).auth.getToken();
    const other = client(store);
    assert.equal((await other.auth.getToken()).token, token);
    assert.equal(other.tokens.length, 0);
  });
});

test("every method hangs: a token after one answer's patience each, and none is asked again for the token in hand", async () => {
  const asked = [];
  const hang = (name) => () => {
    asked.push(name);
    return new Promise(() => {});
  };
  const store = Object.fromEntries(["get", "set", "delete", "acquire", "release"].map((name) => [name, hang(name)]));
  const { auth, tokens } = client(store);
  const started = performance.now();
  const first = await auth.getToken();
  const took = performance.now() - started;
  assert.equal(first.token, tokens[0]);
  assert.ok(took < 2 * ANSWER_MS + SLACK_MS, `took ${took} ms, asked ${asked}`);
  const before = asked.length;
  const again = performance.now();
  for (let call = 0; call < 100; call += 1) assert.deepEqual(await auth.getToken(), first);
  assert.ok(performance.now() - again < 500);
  assert.equal(asked.filter((name, index) => index >= before && name === "get").length, 0);
});

test("a caller's abort and deadline hold while the store hangs", async () => {
  const store = memoryStore({ get: () => new Promise(() => {}) });
  const { auth } = client(store);
  const reason = new Error("gone");
  const controller = new AbortController();
  const aborted = auth.getToken({ signal: controller.signal });
  setTimeout(() => controller.abort(reason), 20);
  const started = performance.now();
  await assert.rejects(aborted, (error) => error === reason);
  assert.ok(performance.now() - started < 1_000);

  const { auth: hasty } = client(store, { timeout: 200 });
  const again = performance.now();
  const result = await hasty.getToken().then(({ token }) => token, ({ code }) => code);
  assert.ok(performance.now() - again < 1_000);
  assert.notEqual(result, undefined);
});

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
