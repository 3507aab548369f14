// What a client tells of a store that fails: which operation, how, and why, without what was sent to it.
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { importInstalled } from "../lib/install.mjs";
import { leak } from "../lib/leaks.mjs";
import { answering, listen, membersOf, memoryStore, tokenReply } from "../lib/listen.mjs";
import { credentials, sleep, until, watchRejections } from "../lib/tokens.mjs";

const { DigitalpayeAuth } = await importInstalled();
const { redisStore } = await importInstalled("digitalpaye-auth/stores/redis");
const auths = [];

afterEach(() => {
  for (const auth of auths.splice(0)) auth[Symbol.dispose]();
});

function listened(store, options) {
  const heard = listen();
  const auth = new DigitalpayeAuth({ ...credentials, baseUrl: "http://127.0.0.1:9", maxRetries: 0, store, onEvent: heard.onEvent, ...answering(() => tokenReply()), ...options });
  auths.push(auth);
  return { auth, ...heard };
}

/** Makes a client use every method of its store; resolves to the events of one operation. */
async function use(operation, method) {
  const { auth, of } = listened(memoryStore({ [operation]: method }));
  assert.ok((await auth.getToken()).token, "callers do not see it");
  if (operation === "delete") auth.invalidate();
  await until(() => of("store").length > 0, 4_000);
  await sleep(20);
  return of("store");
}

const OPERATIONS = ["get", "set", "delete", "acquire", "release"];

for (const operation of OPERATIONS) {
  describe(operation, () => {
    const cause = Object.freeze(Object.assign(new Error("the connection is closed"), { code: "ECONNRESET" }));
    const hows = { "that rejects": () => Promise.reject(cause), "that throws": () => { throw cause; } };
    for (const [name, method] of Object.entries(hows)) {
      test(`one ${name}: the very cause, not enumerable`, async () => {
        const rejections = watchRejections();
        const events = await use(operation, method);
        assert.equal(events.length, 1);
        const [event] = events;
        assert.ok(Object.isFrozen(event));
        assert.deepEqual(membersOf(event), ["operation", "problem", "type"]);
        assert.deepEqual({ ...event }, { type: "store", operation, problem: "rejected" });
        assert.ok(Object.hasOwn(event, "cause"));
        assert.equal(event.cause, cause);
        assert.equal(JSON.stringify(event).includes("closed"), false);
        await rejections.check(assert);
      });
    }

    test("one that hangs: a timeout, without a cause", async () => {
      const events = await use(operation, () => new Promise(() => {}));
      assert.equal(events.length, 1);
      assert.deepEqual({ ...events[0] }, { type: "store", operation, problem: "timeout" });
      assert.equal(Object.hasOwn(events[0], "cause"), false);
    });
  });
}

describe("nonsense", () => {
  const nonsense = {
    "get: text": ["get", "text"], "get: a number": ["get", 5], "get: an empty object": ["get", {}], "get: no exp": ["get", { token: "a" }],
    "get: a token of two words": ["get", { token: "two words", exp: Date.now() / 1_000 + 100 }], "get: a life of 0": ["get", { token: "a", exp: Math.ceil(Date.now() / 1_000) + 100, ttlSeconds: 0 }],
    "acquire: text": ["acquire", "OK"], "acquire: 1": ["acquire", 1],
  };
  for (const [name, [operation, value]] of Object.entries(nonsense)) {
    test(name, async () => {
      const events = await use(operation, async () => value);
      // A fleet's store may be asked again under the lease.
      assert.ok(events.length > 0 && events.length <= 2, `${events.length} events`);
      for (const event of events) {
        assert.deepEqual({ ...event }, { type: "store", operation, problem: "invalid" });
        assert.equal(Object.hasOwn(event, "cause"), false);
      }
    });
  }

  test("a miss is none: null, undefined, a token that has ended", async () => {
    for (const value of [null, undefined, { token: "ended", exp: Math.floor(Date.now() / 1_000) - 5 }]) {
      const { auth, events } = listened(memoryStore({ get: async () => value }));
      await auth.getToken();
      await sleep(20);
      assert.deepEqual(events.map(({ type }) => type), ["token"]);
    }
  });

  test("a store that works tells nothing", async () => {
    const { auth, events } = listened(memoryStore());
    await auth.getToken();
    auth.invalidate();
    await auth.getToken();
    await sleep(20);
    assert.deepEqual(events.map(({ type }) => type), ["token", "token"]);
  });
});

describe("an error that repeats the command", () => {
  /** The event of a `set` that rejects with what `make(token, key)` gives. */
  async function told(make) {
    let given;
    const { auth, of } = listened(memoryStore({ set: async (key, { token }) => { given = { key, token }; throw make(token, key); } }));
    await auth.getToken();
    await until(() => of("store").length > 0);
    const [event] = of("store");
    assert.equal(leak(event, [given.token, given.key, credentials.apiSecret]), undefined);
    assert.equal(leak(event.cause, [given.token, given.key]), undefined);
    return event.cause;
  }
  const command = (token, key) => JSON.stringify(["eval", "return 1", "1", key, JSON.stringify({ token, exp: 1 })]);

  // A secret that comes from a function is not there yet when the store is asked first.
  test("no secret so far is none: the word undefined is harmless", async () => {
    const cause = new TypeError("Cannot read properties of undefined");
    const { auth, of } = listened(memoryStore({ get: () => Promise.reject(cause) }), { apiSecret: () => credentials.apiSecret });
    await auth.getToken();
    await until(() => of("store").length > 0);
    assert.equal(of("store")[0].cause, cause);
  });

  test("as Upstash's does: its first words are left", async () => {
    const cause = await told((token, key) => Object.assign(new Error(`NOPERM this user has no permissions, command was: ${command(token, key)}`), { name: "UpstashError" }));
    assert.equal(cause.name, "UpstashError");
    assert.equal(cause.message, "NOPERM this user has no permissions");
  });

  test("as ioredis' does, in a member", async () => {
    const cause = await told((token, key) => Object.assign(new Error("READONLY You can't write against a read only replica."), { name: "ReplyError", code: "READONLY", command: { name: "eval", args: ["return 1", "1", key, token] } }));
    assert.equal(cause.name, "ReplyError");
    assert.equal(cause.code, "READONLY");
    assert.match(cause.message, /^READONLY You can't write/);
    assert.equal("command" in cause, false);
  });

  const hiding = {
    "in the cause of its cause": (token) => new Error("outer", { cause: new Error("middle", { cause: new Error(`SET ${token}`) }) }),
    "in an AggregateError": (token) => new AggregateError([new Error(`SET ${token}`)], "all failed"),
    "in its stack": (token) => Object.assign(new Error("failed"), { stack: `Error: failed\n at ${token}` }),
    "in a member that is not enumerable": (token) => Object.defineProperty(new Error("failed"), "sent", { value: [token] }),
    "in a symbol's member": (token) => Object.assign(new Error("failed"), { [Symbol("sent")]: token }),
    "in bytes": (token) => Object.assign(new Error("failed"), { sent: Buffer.from(`SET ${token}`) }),
    "in an ArrayBuffer": (token) => Object.assign(new Error("failed"), { sent: new TextEncoder().encode(token).buffer }),
    "in a Map": (token) => Object.assign(new Error("failed"), { sent: new Map([["args", token]]) }),
    "in a Set": (token) => Object.assign(new Error("failed"), { sent: new Set([token]) }),
    "in a getter of its class": (token) => new (class Failed extends Error { get sent() { return token; } })("failed"),
    "in a member's name": (token) => Object.assign(new Error("failed"), { sent: { [token]: 1 } }),
    "deep below": (token) => Object.assign(new Error("failed"), { a: { b: { c: { d: { e: { f: { g: token } } } } } } }),
    "as a DOMException": (token) => new DOMException(`SET ${token}`, "AbortError"),
    "as text": (token) => `failed: SET ${token}`,
    "as an object": (token) => ({ message: "failed", args: [token] }),
    "as a function": (token) => Object.assign(() => {}, { token }),
    "beside a circle": (token) => { const error = new Error("failed"); error.self = error; error.list = [error, token]; return error; },
    "behind a getter that throws": (token) => Object.defineProperties(new Error("failed"), { bad: { get() { throw new Error("no"); }, enumerable: true }, sent: { value: token } }),
  };
  for (const [name, make] of Object.entries(hiding)) {
    test(name, async () => {
      const cause = await told((token) => make(token));
      assert.notEqual(cause, undefined);
    });
  }

  test("of redisStore, whose client is Upstash or ioredis", async () => {
    const upstash = { eval: async (script, keys, args) => { throw Object.assign(new Error(`ERR unknown, command was: ${JSON.stringify(["eval", script, keys, args])}`), { name: "UpstashError" }); } };
    const seen = [];
    const failing = async (script, keys, args) => {
      seen.push(...keys, ...args);
      throw Object.assign(new Error("WRONG"), { command: { name: "eval", args: [script, ...keys, ...args] } });
    };
    for (const client of [failing, async (...command) => upstash.eval(...command)]) {
      const { auth, of } = listened(redisStore(client));
      const { token } = await auth.getToken();
      await until(() => of("store").some(({ operation }) => operation === "set"));
      for (const event of of("store")) {
        assert.equal(event.problem, "rejected");
        assert.equal(leak(event, [token, ...seen.filter((text) => text.length > 20)]), undefined);
        assert.equal(leak(event.cause, [token]), undefined);
      }
    }
  });
});
