// The recipe for Postgres in docs/stores.md, as it is, with a real server: the rules of a store, a fleet of processes, its failures.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { root } from "../../scripts/lib/paths.mjs";
import { temporaryFolder } from "../../scripts/lib/temporary.mjs";
import { blocksOf } from "../docs/extract.mjs";
import { importInstalled } from "../lib/install.mjs";
import { libraries, startPostgres } from "../lib/postgres.mjs";
import { until } from "../lib/tokens.mjs";
import { killMembers, shareOneExchange, startMember, takeOver } from "./members.mjs";
import { startUpstream } from "./upstream.mjs";

const API_KEY = "postgres-merchant-key";
const API_SECRET = "postgres-merchant-secret-Zq8";

/** The longest that one answer of a store is waited for, and what a busy machine may add to a whole call. */
const ANSWER_MS = 2_000;
const SLACK_MS = 3_000;

const { DigitalpayeAuth } = await importInstalled("digitalpaye-auth");
const { testStore } = await importInstalled("digitalpaye-auth/stores/testing");

const server = await startPostgres();
const upstream = await startUpstream();
process.env.DATABASE_URL = server.url;
const blocks = blocksOf(readFileSync(join(root, "docs", "stores.md"), "utf8"));
const block = (name) => blocks.find((each) => each.name === name).code;
const project = temporaryFolder("stores-postgres");
mkdirSync(join(project, "node_modules"));
symlinkSync(join(libraries, "node_modules", "pg"), join(project, "node_modules", "pg"));
const path = join(project, "postgres.mjs");
writeFileSync(path, block("postgres.mjs"));
await server.query(block("digitalpaye_auth.sql"));
const { postgresStore } = await import(pathToFileURL(path));

const auths = new Set();

afterEach(() => {
  killMembers();
  for (const auth of auths) auth[Symbol.dispose]();
  auths.clear();
});
after(async () => {
  await server.end();
  await upstream.stop();
});

const options = () => ({ apiKey: API_KEY, apiSecret: API_SECRET, baseUrl: upstream.url });
const memberProcess = (more) => startMember({ recipe: { path, name: "postgresStore" }, options: { ...options(), ...more } });
/** A client in this process; all have one pool. */
function member() {
  const auth = new DigitalpayeAuth({ ...options(), store: postgresStore() });
  auths.add(auth);
  return auth;
}
const members = (count) => Array.from({ length: count }, member);

/** Has each of them ask; resolves to how long it took until all had one of the tokens that were handed out. */
async function answered(fleet) {
  const started = performance.now();
  for (const { token } of await Promise.all(fleet.map((auth) => auth.getToken()))) assert.ok(upstream.tokens.includes(token));
  return performance.now() - started;
}

describe("the rules of a store", { concurrency: 3 }, () => testStore(postgresStore, { describe, test }));

test("an entry that is written late ends with its token", async () => {
  const store = postgresStore();
  await store.set("late", { token: "of-the-test", exp: Math.floor(Date.now() / 1_000) + 20 }, 600);
  const { ttlSeconds } = await store.get("late");
  assert.ok(ttlSeconds > 10 && ttlSeconds <= 20, String(ttlSeconds));
});

describe("a fleet", () => {
  beforeEach(async () => {
    upstream.reset();
    await server.query("truncate digitalpaye_auth");
  });

  test("20 processes that start together make 1 exchange, and a late one none", async () => {
    await shareOneExchange(memberProcess, upstream);

    let rows;
    await until(async () => {
      rows = await server.query("select * from digitalpaye_auth");
      return rows.every(({ held_until: held }) => held === null);
    }, 10_000, "the lease is released");
    assert.equal(rows.length, 1);
    assert.ok(!JSON.stringify(rows).includes(API_KEY) && !JSON.stringify(rows).includes(API_SECRET));
  });

  test("the holder of the lease is killed: another takes over when the lease has run out", async () => {
    upstream.before = (n) => (n === 1 ? new Promise(() => {}) : undefined);
    const [holder, ...others] = await Promise.all([
      memberProcess({ timeout: 2_000, maxRetries: 0 }), ...Array.from({ length: 3 }, () => memberProcess({ timeout: 30_000 })),
    ]);
    const lost = holder.ask();
    await upstream.exchange(1);
    const waiting = others.map((process) => process.ask());
    await holder.kill();
    await lost;
    await takeOver(await Promise.all(waiting), upstream);
  });

  test("stopped: every call is answered at once; started again: the token is shared again", async () => {
    await answered([member()]);
    await server.stop();
    const took = await answered(members(5));
    assert.ok(took < SLACK_MS, `took ${took} ms`);
    assert.equal(upstream.exchanges(), 6);
    await server.start();
    const shared = async () => {
      const [one, other] = members(2);
      return (await one.getToken()).token === (await other.getToken()).token;
    };
    await until(shared, 10_000, "the token is shared");
  });

  test("crashed while the lease is held: the holder and those who wait are answered", async () => {
    upstream.before = (n) => (n === 1 ? server.crash() : undefined);
    const took = await answered(members(5));
    assert.ok(took < ANSWER_MS + SLACK_MS, `took ${took} ms`);
    await server.start();
    assert.deepEqual(await server.query("select * from digitalpaye_auth"), [], "no token is left on the disk");
  });

  test("hanging: every call is answered after one answer's patience, and the store goes on afterwards", async () => {
    const other = await server.connect();
    await other.query("begin; lock table digitalpaye_auth");
    try {
      // More than the connections of a pool: the store's calls end too, those that get no connection among them.
      const calls = Array.from({ length: 12 }, () => postgresStore().get("a-key").catch((error) => error.message));
      const [took, ...reasons] = await Promise.all([
        answered(members(5)),
        ...calls.map((call) => Promise.race([call, sleep(2 * ANSWER_MS + SLACK_MS, "silent")])),
      ]);
      assert.ok(took < ANSWER_MS + SLACK_MS, `took ${took} ms`);
      assert.deepEqual([...new Set(reasons)].sort(), ["Query read timeout", "timeout exceeded when trying to connect"]);
    } finally {
      await other.end();
    }
    const took = await answered(members(5));
    assert.ok(took < ANSWER_MS + SLACK_MS, `took ${took} ms`);
  });
});
