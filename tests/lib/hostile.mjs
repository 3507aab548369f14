// Objects that throw or lie, and what a call that gets one may end with.
import assert from "node:assert/strict";
import { after, afterEach, before } from "node:test";
import { importInstalled } from "./install.mjs";
import { PAGE, PAGE_TOKEN, jwt, success } from "./replies.mjs";

const { authenticate, AuthError, DigitalpayeAuth } = await importInstalled();
export const SECRET = "xK9-tr0mbone";
export const good = { apiKey: "key", apiSecret: SECRET, maxRetries: 0, fetch: async () => new Response(PAGE[200]) };
export const TOKEN = jwt({ iat: 1_000, exp: 1_600 });
export const BODY = new TextEncoder().encode(success(TOKEN, 1_600));

/** What a call ends with: a token, or an AuthError, or the reason of an abort. Never longer than `timeout`. */
export async function ends(options, call) {
  let promise;
  assert.doesNotThrow(() => (promise = authenticate(options, call)));
  const settled = promise.then((token) => ({ token }), (error) => ({ error }));
  const outcome = await Promise.race([settled, new Promise((resolve) => setTimeout(resolve, 5_000, "it did not end"))]);
  assert.equal(typeof outcome, "object", outcome);
  return outcome;
}

export async function fails(options, code, call) {
  const { token, error } = await ends(options, call);
  assert.equal(token, undefined, "it gave a token");
  assert.ok(AuthError.is(error), String(error));
  if (code !== undefined) assert.equal(error.code, code, error.stack);
  return error;
}

export const boom = () => {
  throw new RangeError("boom");
};

/** A proxy whose every trap throws. */
export const trapped = (target = {}) => new Proxy(target, new Proxy({}, { get: () => boom }));

export const revoked = (target = {}) => {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
};

/** Checks after each test of the file: whatever it did, the instance works as before, and nothing escaped. */
export function worksAfterEachTest() {
  const unhandled = [];
  const note = (reason) => unhandled.push(reason);
  before(() => {
    process.on("unhandledRejection", note);
    process.on("uncaughtException", note);
  });
  after(() => {
    process.off("unhandledRejection", note);
    process.off("uncaughtException", note);
  });
  afterEach(async () => {
    assert.deepEqual(await authenticate(good), PAGE_TOKEN, "the next call works");
    const client = new DigitalpayeAuth(good);
    assert.deepEqual(await client.getToken(), PAGE_TOKEN);
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(unhandled.splice(0), []);
  });
}
