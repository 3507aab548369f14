// Whatever a store does, `getToken` gives a token: a store can save an exchange, it can never cost an answer.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { importInstalled } from "../lib/install.mjs";
import { mint } from "../lib/tokens.mjs";
import { ANSWER_MS, SLACK_MS, client, memoryStore } from "./store-client.mjs";

const { InvalidOptionsError } = await importInstalled("digitalpaye-auth");

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
