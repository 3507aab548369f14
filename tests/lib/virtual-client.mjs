// Clients in virtual time, of an API that the test answers. Time stands still from the import on: before the package's own.
import assert from "node:assert/strict";
import { afterEach, before, beforeEach } from "node:test";
import { rejectionsPerTest } from "./client.mjs";
import { importInstalled } from "./install.mjs";
import { credentials, track } from "./tokens.mjs";
import { scriptedFetch, virtualTime } from "./virtual.mjs";

const { random } = Math;
let DigitalpayeAuth;

export const SECOND = 1_000;
export const time = virtualTime();
/** The exchanges of the test that runs, as scriptedFetch() has them: other ones for each test. */
export let api;

export const client = (options) =>
  new DigitalpayeAuth({ ...credentials, baseUrl: "http://127.0.0.1:9", fetch: api.fetch, maxRetries: 0, ...options });

/** A call, after all that can happen now. */
export async function now(auth, call) {
  const caller = track(auth.getToken(call));
  await time.settle();
  return caller;
}

/** A client that holds a token of that life, and when that began. */
export async function holding(lifetime, options) {
  const auth = client(options);
  const first = track(auth.getToken());
  await time.settle();
  const token = api.last.token(lifetime);
  const from = time.now();
  await time.settle();
  assert.equal(first.value?.token, token);
  return { auth, token, at: (seconds) => time.advanceTo(from + seconds * SECOND) };
}

/** Whether a call is served with this token without any time passing. */
export async function servedAtOnce(auth, token) {
  const caller = await now(auth);
  assert.equal(caller.value?.token, token, `${caller.state} ${caller.error}`);
}

/** Makes `api` for each test of the file; no instance's soft window begins sooner than another's, unless a test says so. */
export function virtualApiPerTest() {
  before(async () => {
    ({ DigitalpayeAuth } = await importInstalled());
  });
  beforeEach(() => {
    time.clear();
    api = scriptedFetch(time);
    Math.random = () => 0;
  });
  afterEach(() => {
    Math.random = random;
  });
  rejectionsPerTest();
}
