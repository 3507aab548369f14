// A page may have put members on Object.prototype, with setters that swallow or throw: the answers stay the same.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inChild } from "../lib/child.mjs";

const names = [
  // Of errors, tokens and events.
  "code", "attempts", "status", "reason", "retryAfter", "option", "message", "cause", "retryable", "token", "exp", "ttlSeconds", "type", "source", "error", "attempt",
  "delayMs", "background", "retryInMs", "durationMs", "operation", "problem", "retried", "name", "stack",
  // Of requests and replies.
  "signal", "method", "headers", "body", "redirect", "credentials", "cache", "duplex", "data", "statusCode", "Authorization", "authorization", "X-Environment", "url", "input", "init",
  // Of options, stores and calls.
  "apiKey", "apiSecret", "environment", "baseUrl", "timeout", "maxRetries", "fetch", "onEvent", "store", "waitUntil", "forceRefresh", "get", "set", "delete", "acquire", "release",
  "aborted", "again", "bytes", "record", "isolate", "constructor", "toString", "length", "unref", "digest",
];

/** What calls come to while `name` is on Object.prototype; with none, what they come to otherwise. */
async function answers({ names, mode }) {
  const { authenticate, AuthError, DigitalpayeAuth } = await import("digitalpaye-auth");
  const exp = Math.floor(Date.now() / 1_000) + 600;
  const good = JSON.stringify({ statusCode: 200, message: "Successful", data: { token: "opaque", exp } });
  const bad = JSON.stringify({ statusCode: 401, message: "UnauthorizedError", reason: "non" });
  const prepare = {
    good: () => new Response(good), unauthorized: () => new Response(bad, { status: 401 }), limited: () => new Response("{}", { status: 429, headers: { "Retry-After": "60" } }),
    none: () => new Response("{"), resource: () => new Response("{}", { status: 401 }),
  };
  const { prototype } = Object;
  const { defineProperty } = Object;
  const pollute = (name) => {
    const inherited = Object.getOwnPropertyDescriptor(prototype, name);
    const get = () => (inherited ? inherited.value : undefined);
    const set = mode === "throws" ? () => { throw new Error(`a setter of ${name}`); } : () => {};
    defineProperty(prototype, name, { __proto__: null, configurable: true, get, set });
    return () => (inherited ? defineProperty(prototype, name, { __proto__: null, ...inherited }) : delete prototype[name]);
  };
  const own = (value, seen = 0) => {
    if (value instanceof Error) {
      const members = {};
      for (const key of ["name", "message", "code", "attempts", "status", "reason", "retryAfter", "option", "retryable"]) {
        const descriptor = Object.getOwnPropertyDescriptor(value, key);
        if (descriptor) members[key] = descriptor.value;
      }
      return { class: value.constructor.name, isAuthError: AuthError.is(value), members };
    }
    if (typeof value !== "object" || value === null || seen > 3) return value;
    return Object.entries(value).map(([key, member]) => [key, ["durationMs", "delayMs", "ttlSeconds", "retryInMs"].includes(key) ? typeof member : own(member, seen + 1)]);
  };
  /** One life of clients, with replies made beforehand: the platform's own constructors are not what is tested. */
  async function life(name) {
    const replies = [prepare.none(), prepare.unauthorized(), prepare.limited(), prepare.good(), prepare.good(), prepare.good(), prepare.resource(), prepare.resource()];
    const [none, unauthorized, limited, first, second, third, resource, refusedAgain] = replies;
    const queue = [first, resource, second, refusedAgain];
    const request = new Request("http://127.0.0.1:9/v1/balance");
    const controller = new AbortController();
    controller.abort("enough");
    const events = [];
    const entries = new Map();
    const store = {
      __proto__: null, get: async (key) => entries.get(key), set: async (key, token) => void entries.set(key, token), delete: async (key) => void entries.delete(key), acquire: async () => true, release: async () => {},
    };
    const options = (fetch, more) => ({ __proto__: null, apiKey: "k", apiSecret: "s", baseUrl: "http://127.0.0.1:9", maxRetries: 0, timeout: 5_000, environment: "Sandbox", fetch, onEvent: (event) => events.push(event), ...more });
    const inits = [];
    const outcome = (promise) => promise.then((value) => value, (error) => error);
    const restore = name === undefined ? () => {} : pollute(name);
    const seen = [];
    try {
      seen.push(await outcome(authenticate(options(async () => none))));
      seen.push(await outcome(authenticate(options(async () => unauthorized))));
      seen.push(await outcome(authenticate(options(async () => limited))));
      seen.push(await outcome(authenticate(options(async () => { throw "own"; }))));
      seen.push(await outcome(authenticate(options(undefined, { apiKey: "a:b" }))));
      seen.push(await outcome(authenticate(options(async () => third))));
      const auth = new DigitalpayeAuth(options(async (url, init) => { inits.push(init); return queue.shift(); }, { store }));
      seen.push(await outcome(auth.getToken()));
      seen.push(await outcome(auth.getToken({ __proto__: null, signal: controller.signal })));
      const response = await outcome(auth.fetch(request));
      seen.push(response instanceof Error ? response : "a response");
      auth.invalidate();
      auth[Symbol.dispose ?? Symbol.for("Symbol.dispose")]();
      seen.push(await outcome(auth.getToken()));
      for (let turn = 0; turn < 20; turn += 1) await null;
    } finally {
      restore();
    }
    const [{ method, redirect, credentials, cache, headers }] = inits;
    return JSON.stringify({ seen: seen.map((value) => own(value)), events: events.map((event) => own(event)), init: { method, redirect, credentials, cache, headers: [...new Headers(headers)] } });
  }
  const usual = await life();
  const differences = {};
  for (const name of names) {
    const got = await life(name).catch((error) => `${error.stack}`);
    if (got !== usual) differences[name] = got;
  }
  return { usual, differences, polluted: Object.keys(prototype) };
}

for (const mode of ["swallows", "throws"]) {
  describe(`a setter that ${mode}`, () => {
    test("changes no answer, error, event, request or store", async () => {
      const { result, stderr } = await inChild(answers, { names, mode });
      assert.ok(result, stderr);
      const { seen, events, init } = JSON.parse(result.usual);
      assert.deepEqual(seen.map((value) => value.class ?? "none"), [
        "InvalidResponseError", "UnauthorizedError", "RateLimitError", "NetworkError", "InvalidOptionsError", "none", "none", "none", "none", "InvalidOptionsError",
      ]);
      assert.ok(events.length >= 6);
      assert.equal(init.method, "POST");
      for (const [name, got] of Object.entries(result.differences)) assert.equal(got, result.usual, name);
      assert.deepEqual(result.polluted, []);
    });
  });
}
