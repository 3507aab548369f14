// Calls against a server that sends any bytes: what each has to give, or all that its error has to be.
import assert from "node:assert/strict";
import { after } from "node:test";
import { CLASSES, rejection } from "./errors.mjs";
import { importInstalled } from "./install.mjs";
import { startRaw } from "./raw.mjs";

const api = await importInstalled();
const { authenticate, AuthError, InvalidResponseError } = api;
export const raw = await startRaw();
after(() => raw.stop());

export const options = { apiKey: "key", apiSecret: "a secret of no importance", maxRetries: 0 };

/** One call against these bytes. */
export function over(...script) {
  raw.reset(...script);
  return authenticate({ ...options, baseUrl: raw.url });
}

/** One call against this body, without a socket: for rules that are the same however the body came. */
export const given = (body, headers = {}) => authenticate({ ...options, fetch: async () => new Response(body, { headers }) });

/** What is wrong with a 200: an InvalidResponseError. */
export const refused = (promise, message) =>
  assert.rejects(promise, (error) => {
    assert.ok(error instanceof InvalidResponseError, `${error?.name} for ${message}`);
    assert.equal(error.code, "invalid_response");
    assert.equal(error.status, 200);
    assert.equal(error.retryable, false);
    assert.equal(error.attempts, 1);
    return true;
  }, message);

export const accepted = async (promise, token, exp, message) => assert.deepEqual(await promise, { token, exp }, message);

/** The error of one call against these bytes. */
export function failing(script, more = {}) {
  raw.reset(...[script].flat());
  return rejection(authenticate({ ...options, baseUrl: raw.url, ...more }));
}

/** Checks all that an AuthError has, and that it has nothing else. */
export function check(error, { code, retryable, attempts = 1, ...rest }) {
  assert.ok(error instanceof Error && error instanceof AuthError && AuthError.is(error));
  assert.equal(error.code, code, error.stack);
  assert.equal(error.constructor, api[CLASSES[code]]);
  assert.equal(error.name, CLASSES[code]);
  assert.equal(error.constructor.name, CLASSES[code]);
  assert.ok(error instanceof api[CLASSES[code]]);
  for (const other of Object.values(CLASSES)) assert.equal(error instanceof api[other], other === CLASSES[code]);
  assert.equal(error.retryable, retryable);
  assert.equal(error.attempts, attempts);
  assert.equal(typeof error.message, "string");
  assert.notEqual(error.message, "");
  assert.ok(error.stack.startsWith(`${error.name}: `), error.stack);
  assert.equal(String(error), `${error.name}: ${error.message}`);
  for (const name of ["status", "reason", "retryAfter", "option"]) {
    assert.equal(error[name], rest[name], name);
    assert.equal(name in error, name in rest, `${name} in error`);
  }
  if ("cause" in rest) {
    assert.ok(Object.hasOwn(error, "cause"));
    assert.ok(Object.is(error.cause, rest.cause));
    assert.ok(!Object.keys(error).includes("cause"), "as the language's own cause, it is not enumerable");
  }
  return error;
}
