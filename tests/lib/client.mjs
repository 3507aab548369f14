// Clients of an API that every test has anew.
import assert from "node:assert/strict";
import { afterEach, before, beforeEach } from "node:test";
import { importInstalled } from "./install.mjs";
import { credentials, startTokens, watchRejections } from "./tokens.mjs";

let DigitalpayeAuth;

/** The API of the test that runs, as startTokens() makes it, and a client of it: other ones for each test. */
export let api;
export let auth;

/** One more client of it. */
export const client = (options) => new DigitalpayeAuth({ ...credentials, baseUrl: api.url, maxRetries: 0, ...options });

/** Fails each test of the file, or of the suite that it is called in, after which a rejection was left that nobody handled. */
export function rejectionsPerTest() {
  let rejections;
  beforeEach(() => {
    rejections = watchRejections();
  });
  afterEach(() => rejections.check(assert));
}

/** Starts `api` and makes `auth` for each test of the file, or of the suite that it is called in. */
export function apiPerTest() {
  // Not sooner: a file may put another clock in place before the package is imported.
  before(async () => {
    ({ DigitalpayeAuth } = await importInstalled());
  });
  beforeEach(async () => {
    api = await startTokens();
    auth = client();
  });
  // First: a hook that fails ends the others, and a server that is left keeps the process.
  afterEach(() => api.stop());
  rejectionsPerTest();
}
