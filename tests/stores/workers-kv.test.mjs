// The Workers KV store by itself, in workerd, over its KV.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Miniflare } from "miniflare";
import { importInstalled, installed } from "../lib/install.mjs";

const KEY = "mJ2e0cOWMC0yOWYwLTRjMWMtOGE2ZC0bGl2ZV9JlYzU";
const ENTRY = `digitalpaye-auth:${KEY}`;
const TOKEN = { token: "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjE3Mjg2MzQ4MDN9.c2ln", exp: 1_728_634_803 };

const { testStore } = await importInstalled("digitalpaye-auth/stores/testing");
const { workersKvStore } = await importInstalled("digitalpaye-auth/stores/workers-kv");

// The store is made at module scope, as a Worker's shared client makes it. Each request is one call of one method.
const WORKER = `
import { env } from "cloudflare:workers";
import { workersKvStore } from "./workers-kv.js";
const store = workersKvStore(env.TOKENS);
export default {
  async fetch(request) {
    const [method, ...args] = await request.json();
    const value = method === "methods" ? Object.keys(store) : await store[method](...args);
    return Response.json({ value: value ?? null });
  },
};
`;

let worker;
let kv;

async function call(...methodAndArguments) {
  const response = await worker.dispatchFetch("http://worker/", { method: "POST", body: JSON.stringify(methodAndArguments) });
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()).value;
}

before(async () => {
  const store = join(await installed(), "node_modules/digitalpaye-auth/stores/workers-kv.js");
  worker = new Miniflare({
    compatibilityDate: "2025-06-01",
    kvNamespaces: ["TOKENS"],
    modules: [
      { type: "ESModule", path: "worker.js", contents: WORKER },
      { type: "ESModule", path: "workers-kv.js", contents: await readFile(store, "utf8") },
    ],
  });
  kv = await worker.getKVNamespace("TOKENS");
});

beforeEach(async () => {
  for (const { name } of (await kv.list()).keys) await kv.delete(name);
});

after(() => worker?.dispose());

test("what is set is got, with the life that is left, until it is deleted", async () => {
  assert.equal(await call("get", KEY), null);
  await call("set", KEY, TOKEN, 600);
  const { ttlSeconds, ...token } = await call("get", KEY);
  assert.deepEqual(token, TOKEN);
  assert.ok(ttlSeconds > 590 && ttlSeconds <= 600, `${ttlSeconds} s left of 600`);
  await call("delete", KEY);
  assert.equal(await call("get", KEY), null);
  await call("delete", KEY);
  assert.deepEqual((await kv.list()).keys, []);
});

test("offers no lease, since KV cannot keep it", async () => {
  assert.deepEqual(await call("methods"), ["get", "set", "delete"]);
});

test("token, exp and the end of its life are written, and nothing else; KV drops the entry when it is over", async () => {
  const earliest = Date.now() + 600_000;
  await call("set", KEY, { ...TOKEN, apiSecret: "never" }, 600);
  const { expiresAt, ...token } = await kv.get(ENTRY, "json");
  assert.deepEqual(token, TOKEN);
  assert.ok(expiresAt >= earliest - 5 && expiresAt <= Date.now() + 600_000);
  const { keys } = await kv.list();
  assert.deepEqual(keys.map(({ name }) => name), [ENTRY]);
  const kept = keys[0].expiration - Date.now() / 1_000;
  assert.ok(kept > 590 && kept <= 601, `${kept} s`);
});

describe("a life below KV's shortest", () => {
  test("is taken by KV, and is not lengthened", async () => {
    for (const ttlSeconds of [59.9, 30, 1.5]) {
      await call("set", KEY, TOKEN, ttlSeconds);
      const left = (await call("get", KEY)).ttlSeconds;
      assert.ok(left > 0 && left <= ttlSeconds, `${left} s of ${ttlSeconds} s`);
    }
  });

  test("ends, though KV still has the entry", async () => {
    await call("set", KEY, TOKEN, 0.2);
    await sleep(250);
    assert.equal(await call("get", KEY), null);
    assert.notEqual(await kv.get(ENTRY), null);
  });

  test("of nothing, or of what is no number, writes nothing", async () => {
    for (const ttlSeconds of [0, -1, null, "600", {}]) {
      await call("set", KEY, TOKEN, ttlSeconds);
      assert.deepEqual((await kv.list()).keys, [], `after ttlSeconds ${ttlSeconds}`);
    }
  });
});

test("a fraction of a second is no error for KV", async () => {
  await call("set", KEY, TOKEN, 61.234_5);
  assert.ok((await call("get", KEY)).ttlSeconds <= 61.234_5);
});

describe("what is not ours under the key is nonsense, and replaced:", () => {
  const entry = { ...TOKEN, expiresAt: Date.now() + 600_000 };
  const values = {
    "an empty string": "",
    "broken JSON": JSON.stringify(entry).slice(0, -1),
    "null": "null",
    "an array": "[]",
    "no end": JSON.stringify(TOKEN),
    "an end of another type": JSON.stringify({ ...entry, expiresAt: "2100-01-01" }),
    "a token of another type": JSON.stringify({ ...entry, token: 5 }),
    "an exp of another type": JSON.stringify({ ...entry, exp: null }),
    "bytes": new Uint8Array([0xff, 0xfe, 0x00, 0x80]),
  };
  for (const [name, value] of Object.entries(values)) {
    test(name, async () => {
      await kv.put(ENTRY, value);
      assert.deepEqual(await call("get", KEY), {});
      await call("delete", KEY, TOKEN.token);
      assert.notEqual(await kv.get(ENTRY), null);
      await call("set", KEY, TOKEN, 600);
      assert.equal((await call("get", KEY)).token, TOKEN.token);
    });
  }
});

test("what has ended is a miss", async () => {
  await kv.put(ENTRY, JSON.stringify({ ...TOKEN, expiresAt: Date.now() - 1 }));
  assert.equal(await call("get", KEY), null);
});

// The rules run here; the store is in workerd. It has no leases.
testStore(async () => ({
  get: (key) => call("get", key),
  set: (key, token, ttlSeconds) => call("set", key, token, ttlSeconds),
  delete: (key, ...token) => call("delete", key, ...token),
}), { test, describe: (name, body) => (name === "leases" ? undefined : describe(name, body)) });

test("a namespace that fails fails the operation", async () => {
  const fail = async () => { throw new Error("KV PUT failed: 429 Too Many Requests"); };
  const store = workersKvStore({ get: fail, put: fail, delete: fail });
  await assert.rejects(store.get(KEY), /429/);
  await assert.rejects(store.set(KEY, TOKEN, 600), /429/);
  await assert.rejects(store.delete(KEY), /429/);
});

test("what is no namespace is refused in words", () => {
  for (const no of [undefined, null, {}, "TOKENS", () => {}, { get() {}, put() {} }, new Map()]) {
    assert.throws(() => workersKvStore(no), (error) => error instanceof TypeError && /KV namespace/.test(error.message));
  }
});
