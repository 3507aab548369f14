// Every field of a config and of a step, with everything that it must not be: a TypeError in words that names the field, and
// nothing has changed.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { importInstalled } from "../lib/install.mjs";

const { createEmulator } = await importInstalled("digitalpaye-auth/emulator");

const revoked = Proxy.revocable({}, {});
revoked.revoke();
const values = {
  null: null, true: true, false: false, text: "text", "\"1\"": "1", zero: 0, one: 1, half: 0.5, NaN, Infinity, "-Infinity": -Infinity, negative: -5, huge: 1e300,
  "2**53": 2 ** 53, bigint: 1n, symbol: Symbol("s"), function: () => {}, object: {}, array: [], date: new Date(0), map: new Map(),
  "a String": Object("text"), "a Number": Object(5), "a promise": Promise.resolve(5), "a revoked proxy": revoked.proxy,
  "a lone surrogate": "/\ud800", "a line break": "/a\r\nb", NUL: "/\0", empty: "", "an object that converts": { valueOf: () => 5, toString: () => "text", [Symbol.toPrimitive]: () => 5 },
};
// Which of them a field takes.
const texts = ["text", "\"1\"", "a line break", "NUL", "empty"];
const script = {
  path: ["a line break", "NUL"], times: ["one"], status: [], delayMs: ["zero", "one", "half"],
  retryAfter: ["zero", "one", "text", "\"1\"", "empty"], headers: ["object", "date", "a promise", "a Number"],
  hang: ["true"], reject: ["true"],
  body: ["null", "true", "false", ...texts, "a lone surrogate", "zero", "one", "half", "NaN", "Infinity", "-Infinity", "negative", "huge", "2**53", "object", "array", "date", "map",
    "a String", "a Number", "a promise", "an object that converts"],
};
const config = { apiKey: ["text", "\"1\""], apiSecret: ["text", "\"1\""], lifeSeconds: ["one"], companyId: ["text", "\"1\"", "a line break", "NUL"] };

const mine = new Error("mine");
const hostile = {
  "a getter that throws": (name) => Object.defineProperty({}, name, { enumerable: true, get() { throw mine; } }),
  "a proxy whose get throws": (name) => new Proxy({ [name]: 1 }, { get() { throw mine; } }),
  "a proxy whose ownKeys throws": (name) => new Proxy({ [name]: 1 }, { ownKeys() { throw mine; } }),
};

/** Asserts a TypeError whose message is in words, begins with `field`, and says no more than is needed. */
function refused(run, field, cause) {
  let thrown;
  try {
    run();
  } catch (error) {
    thrown = error;
  }
  assert.ok(thrown !== undefined, "it is taken");
  assert.equal(Object.getPrototypeOf(thrown), TypeError.prototype, String(thrown));
  assert.ok(thrown.message.startsWith(field), thrown.message);
  assert.match(thrown.message, / (must|is not|cannot) /);
  assert.ok(thrown.message.length < 200, thrown.message);
  if (cause) assert.equal(thrown.cause, cause);
}

const taken = (fields) => Object.entries(fields).flatMap(([field, good]) => Object.entries(values).map(([name, value]) => ({ field, name, value, good: good.includes(name) })));

describe("a step", () => {
  const statusOf = async (emulator) => (await emulator.fetch("https://h/v1/auth", { method: "POST" })).status;
  for (const field of Object.keys(script)) {
    test(field, async () => {
      const emulator = createEmulator();
      emulator.script([{ status: 418, times: 9 }]);
      for (const { name, value, good } of taken(script).filter((each) => each.field === field)) {
        if (good) createEmulator().script([{ [field]: value }]);
        else assert.doesNotThrow(() => refused(() => emulator.script([{ status: 204 }, { [field]: value }]), `script[1].${field}`), `${field}: ${name}`);
      }
      for (const [name, make] of Object.entries(hostile)) {
        assert.doesNotThrow(() => refused(() => emulator.script([make(field)]), "script[0]", mine), `${field}: ${name}`);
      }
      assert.equal(await statusOf(emulator), 418);
    });
  }

  test("the values of headers", async () => {
    const emulator = createEmulator();
    emulator.script([{ status: 418 }]);
    for (const [name, value] of Object.entries(values)) {
      if (["text", "\"1\"", "empty"].includes(name)) continue;
      if (name === "NUL" || name === "a line break" || name === "a lone surrogate" || typeof value !== "string") {
        assert.doesNotThrow(() => refused(() => emulator.script([{ headers: { "X-A": value } }]), "script[0].headers"), name);
      }
    }
    for (const make of Object.values(hostile)) refused(() => emulator.script([{ headers: make("X-A") }]), "script[0].headers", mine);
    assert.equal(await statusOf(emulator), 418);
  });

  test("what holds its pairs elsewhere than in its fields is refused, not taken for empty", async () => {
    const emulator = createEmulator();
    emulator.script([{ status: 418 }]);
    const pairs = [["X-A", "1"]];
    for (const value of [new Map(pairs), new Set(pairs), new Headers(pairs), new URLSearchParams(pairs), new FormData(), pairs.values()]) {
      refused(() => emulator.script([{ headers: value }]), "script[0].headers");
      refused(() => emulator.script([value]), "script[0]");
      refused(() => createEmulator(value), "config");
    }
    assert.equal(await statusOf(emulator), 418);
  });

  test("undefined is a field that is left out", async () => {
    const emulator = createEmulator();
    emulator.script([Object.fromEntries([["status", 418], ...Object.keys(script).filter((name) => name !== "status").map((name) => [name, undefined])])]);
    assert.equal(await statusOf(emulator), 418);
  });
});

describe("a config", () => {
  for (const field of Object.keys(config)) {
    test(field, () => {
      for (const { name, value, good } of taken(config).filter((each) => each.field === field)) {
        if (good) createEmulator({ [field]: value });
        else assert.doesNotThrow(() => refused(() => createEmulator({ [field]: value }), `config.${field}`), `${field}: ${name}`);
      }
      for (const [name, make] of Object.entries(hostile)) {
        assert.doesNotThrow(() => refused(() => createEmulator(make(field)), "config", mine), `${field}: ${name}`);
      }
      createEmulator({ [field]: undefined });
    });
  }

  test("no message shows a value", () => {
    for (const field of ["apiKey", "apiSecret", "companyId"]) {
      for (const value of ["xK9-hidden\ud800", ["xK9-hidden"], { "xK9-hidden": 1 }, () => "xK9-hidden"]) {
        assert.throws(() => createEmulator({ [field]: value }), (error) => !error.message.includes("hidden"));
      }
    }
  });
});

test("two emulators of one config share nothing", async () => {
  const shared = { apiKey: "k", apiSecret: "s", lifeSeconds: 50 };
  const [one, other] = [createEmulator(shared), createEmulator(shared)];
  const headers = { authorization: `Basic ${btoa("k:s")}` };
  const exchange = (emulator) => emulator.fetch("https://h/v1/auth", { method: "POST", headers });
  const balance = async (emulator, token) => (await emulator.fetch("https://h/v1/balance", { headers: { authorization: `Bearer ${token}` } })).status;
  const token = async (emulator) => (await (await exchange(emulator)).json()).data.token;
  const [first, second] = [await token(one), await token(other)];
  assert.notEqual(first, second);
  assert.deepEqual([await balance(one, second), await balance(other, first)], [401, 401], "tokens");
  one.script([{ status: 503, times: 5 }]);
  assert.deepEqual([(await exchange(one)).status, (await exchange(other)).status], [503, 200], "script");
  one.advance(50);
  assert.deepEqual([await balance(one, first), await balance(other, second)], [401, 200], "clock");
  one.revoke();
  assert.equal(await balance(other, second), 200, "revocation");
  assert.deepEqual([one.requests().length, other.requests().length], [4, 5], "records");
  one.reset();
  assert.deepEqual([one.requests().length, other.requests().length], [0, 5], "reset");
  shared.apiSecret = "changed";
  assert.equal((await exchange(other)).status, 200, "the caller's own config");
  assert.deepEqual(other.credentials, { apiKey: "k", apiSecret: "s" });
});
