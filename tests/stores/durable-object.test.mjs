// The Durable Object store in workerd: isolates that share the object, its end of things, its eviction and restart.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Miniflare } from "miniflare";
import { temporaryFolder } from "../../scripts/lib/temporary.mjs";
import { importInstalled } from "../lib/install.mjs";
import { bundle } from "../lib/workerd.mjs";
import { startUpstream } from "./upstream.mjs";

const { testStore } = await importInstalled("digitalpaye-auth/stores/testing");
const ENTRY = fileURLToPath(new URL("../workerd/workers/durable-object.js", import.meta.url));
const API_KEY = "object-merchant-key";
const API_SECRET = "object-merchant-secret-Zq8";
const ISOLATES = ["one", "other", "third"];
const TOKEN = { token: "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjE3Mjg2MzQ4MDN9.c2ln", exp: 1_728_634_803 };

/** The first date on which a stub has methods, and one of now. */
const DATES = ["2024-04-03", "2026-07-01"];

let upstream;
before(async () => {
  upstream = await startUpstream();
});
after(() => upstream.stop());

/** Isolates, each with a client and stores of its own; the objects are of a script that they share, kept in `folder`. */
async function startPlatform({ compatibilityDate = DATES.at(-1), sqlite = true, folder } = {}) {
  const modules = (await bundle(ENTRY)).map(({ name, type, contents }) => ({
    type: type === "wasm" ? "CompiledWasm" : "ESModule", path: name, contents,
  }));
  const object = { className: "TokenObject", useSQLite: sqlite };
  const isolate = (name) => ({
    name, modules, modulesRoot: "/", compatibilityDate,
    bindings: { API_KEY, API_SECRET, BASE_URL: upstream.url },
    durableObjects: { TOKENS: name === "objects" ? object : { ...object, scriptName: "objects" } },
  });
  const platform = new Miniflare({ ...(folder && { durableObjectsPersist: folder }), workers: ["objects", ...ISOLATES].map(isolate) });
  const isolates = {};
  for (const name of ISOLATES) isolates[name] = await platform.getWorker(name);
  const ask = async (name, path, ...args) => {
    const response = await isolates[name].fetch(`http://worker/${path}`, { method: "POST", body: JSON.stringify(args) });
    const answer = await response.json();
    if ("error" in answer) throw new Error(answer.error);
    return answer;
  };
  let made = 0;
  return {
    ask,
    /** One more store object, in the next isolate. */
    store() {
      const [name, n] = [ISOLATES[made % ISOLATES.length], Math.floor(made / ISOLATES.length)];
      made += 1;
      const call = (method) => async (...args) => (await ask(name, "store", n, method, ...args)).value;
      return Object.fromEntries(["get", "set", "delete", "acquire", "release"].map((method) => [method, call(method)]));
    },
    object: async (key, method, ...args) => (await ask("one", "object", key, method, ...args)).value,
    stop: () => platform.dispose(),
  };
}

for (const compatibilityDate of DATES) {
  for (const sqlite of [true, false]) {
    describe(`${compatibilityDate}, ${sqlite ? "SQLite" : "key-value"} storage`, { concurrency: 8 }, () => {
      let platform;
      before(async () => {
        platform = await startPlatform({ compatibilityDate, sqlite });
      });
      after(() => platform.stop());
      testStore(() => platform.store(), { describe, test });
    });
  }
}

describe("isolates", () => {
  let platform;
  before(async () => {
    platform = await startPlatform();
  });
  after(() => platform.stop());

  test("that ask at once make one exchange, and see what another invalidates", async () => {
    upstream.reset();
    upstream.before = () => sleep(300);
    const asked = Array.from({ length: 12 }, (_, n) => platform.ask(ISOLATES[n % 3], "token", {}));
    const answers = await Promise.all(asked);
    assert.deepEqual(new Set(answers.map(({ token }) => token)), new Set([upstream.tokens[0]]));
    assert.equal(upstream.exchanges(), 1);

    await platform.ask("one", "invalidate", upstream.tokens[0]);
    const { token } = await platform.ask("one", "token", {});
    assert.equal(token, upstream.tokens[1]);
    assert.equal(upstream.exchanges(), 2);
  });

  test("ends come by the object's clock: an alarm leaves nothing behind", async () => {
    const store = platform.store();
    await store.set("ends", TOKEN, 1);
    await store.acquire("ends", 2);
    const first = await platform.object("ends", "inspect");
    assert.deepEqual(Object.keys(first.items).sort(), ["lease", "token"]);
    assert.equal(first.alarm, first.items.token.expiresAt);
    assert.deepEqual(JSON.parse(first.items.token.value), TOKEN);
    await sleep(1_500);
    const second = await platform.object("ends", "inspect");
    assert.deepEqual(Object.keys(second.items), ["lease"]);
    assert.equal(second.alarm, second.items.lease.expiresAt);
    await sleep(1_200);
    assert.deepEqual({ ...await platform.object("ends", "inspect"), instance: undefined }, { items: {}, alarm: null, instance: undefined });
  });

  test("a shorter life moves the alarm forward, a longer one does not lose it", async () => {
    const store = platform.store();
    await store.set("alarm", TOKEN, 600);
    await store.acquire("alarm", 1);
    const { alarm, items } = await platform.object("alarm", "inspect");
    assert.equal(alarm, items.lease.expiresAt);
    await sleep(1_500);
    const later = await platform.object("alarm", "inspect");
    assert.deepEqual(Object.keys(later.items), ["token"]);
    assert.equal(later.alarm, later.items.token.expiresAt);
  });

  test("a write that comes late keeps no token beyond its end", async () => {
    const [now] = await platform.object("late", "readTime");
    await platform.object("late", "writeToken", JSON.stringify(TOKEN), 600_000, now + 5_000);
    const { items } = await platform.object("late", "inspect");
    assert.equal(items.token.expiresAt, now + 5_000);
    await platform.object("later", "writeToken", JSON.stringify(TOKEN), 600_000, now - 1);
    assert.deepEqual((await platform.object("later", "inspect")).items, {});
  });

  test("nonsense in the object is no token, and replaced", async () => {
    const store = platform.store();
    for (const value of ["", "{", "[]", "5", '{"token":5,"exp":1}', 5]) {
      await platform.object("nonsense", "plant", "token", { value, expiresAt: Date.now() + 600_000 });
      assert.deepEqual(await store.get("nonsense"), {}, JSON.stringify(value));
      await store.delete("nonsense", TOKEN.token);
      assert.ok("token" in (await platform.object("nonsense", "inspect")).items);
      await store.set("nonsense", TOKEN, 600);
      assert.equal((await store.get("nonsense")).token, TOKEN.token);
    }
  });

  test("an object that was evicted has what it had", async () => {
    const [holder, other] = [platform.store(), platform.store()];
    await holder.set("evicted", TOKEN, 600);
    assert.equal(await holder.acquire("evicted", 60), true);
    const { instance } = await platform.object("evicted", "inspect");
    // workerd evicts an object that nobody has called for ten seconds.
    await sleep(13_000);
    const after = await platform.object("evicted", "inspect");
    assert.notEqual(after.instance, instance, "it is another instance");
    assert.equal((await other.get("evicted")).token, TOKEN.token);
    assert.equal(await other.acquire("evicted", 60), false);
    assert.equal(await holder.acquire("evicted", 60), true);
  });
});

test("what was there before a restart is there after it, and ends as it would have", async (context) => {
  const folder = temporaryFolder("objects");
  const first = await startPlatform({ folder });
  await first.store().set("kept", TOKEN, 600);
  await first.store().set("ending", TOKEN, 2);
  assert.equal(await first.store().acquire("kept", 60), true);
  await first.stop();
  await sleep(2_100);

  const second = await startPlatform({ folder });
  context.after(second.stop);
  const { ttlSeconds, ...token } = await second.store().get("kept");
  assert.deepEqual(token, TOKEN);
  assert.ok(ttlSeconds < 598, `${ttlSeconds} s`);
  assert.equal(await second.store().acquire("kept", 60), false, "the lease is kept too");
  assert.equal(await second.store().get("ending"), null);
});

test("without RPC it says what it needs, and tokens come from the API", async (context) => {
  upstream.reset();
  const platform = await startPlatform({ compatibilityDate: "2023-12-01" });
  context.after(platform.stop);
  for (const call of [["get"], ["set", TOKEN, 600], ["delete"], ["acquire", 5]]) {
    await assert.rejects(platform.store()[call[0]]("key", ...call.slice(1)), /2024-04-03/);
  }
  assert.equal((await platform.ask("one", "token", {})).token, upstream.tokens[0]);
});

describe("an object that", { concurrency: 4 }, () => {
  let platform;
  before(async () => {
    upstream.reset();
    platform = await startPlatform();
  });
  after(() => platform.stop());
  for (const trouble of ["rejects", "throws", "hangs", "answers nonsense"]) {
    test(`${trouble} costs an exchange, never an error`, async () => {
      const started = performance.now();
      const { token } = await platform.ask("one", "troubled", trouble);
      assert.ok(upstream.tokens.includes(token));
      assert.ok(performance.now() - started < 6_000);
    });
  }

  test("is no namespace is refused in words", async () => {
    for (const no of [null, {}, "TOKENS", 5, []]) {
      await assert.rejects(platform.ask("one", "refused", no), /TypeError: durableObjectStore\(namespace\): namespace must be/);
    }
  });
});
