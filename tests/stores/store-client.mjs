// Clients whose store the test has written, and a store in memory that does as it should.
import assert from "node:assert/strict";
import { after } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { importInstalled } from "../lib/install.mjs";
import { granted, mint } from "../lib/tokens.mjs";

const { DigitalpayeAuth } = await importInstalled();

/** The longest that one answer of a store is waited for, and what a busy machine may add to a whole call. Together well
 * below the half of its own time, 15 s, that a caller waits for a lease. */
export const ANSWER_MS = 2_000;
export const SLACK_MS = 3_000;
const unhandled = [];
process.on("unhandledRejection", (reason) => unhandled.push(reason));

after(async () => {
  await sleep(50);
  assert.deepEqual(unhandled, [], "no unhandled rejection");
});

/** A client of an API that answers at once, with what it handed out. */
export function client(store, options = {}) {
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
export function memoryStore(overrides = {}) {
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
