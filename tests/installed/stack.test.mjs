// Rust calls fetch: between a custom one and the first wasm frame below it there is wasm-bindgen's own glue, nothing else.
import assert from "node:assert/strict";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, test } from "node:test";
import { importInstalled, installed } from "../lib/install.mjs";
import { credentials } from "../lib/tokens.mjs";
import { failureReply, tokenReply } from "../lib/listen.mjs";

const { authenticate, DigitalpayeAuth } = await importInstalled();
const folder = pathToFileURL(join(await installed(), "node_modules", "digitalpaye-auth")).href;
const glue = `${folder}/wasm/digitalpaye_auth_bg.js`;

/** The files of the frames below the caller, down to the first one of wasm, which is the last. */
function framesBelow() {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 50;
  const lines = new Error().stack.split("\n").slice(3);
  Error.stackTraceLimit = stackTraceLimit;
  const files = lines.map((line) => /((?:file|wasm|node):[^\s)]*?)(?::\d+:\d+|:0x[\da-f]+)?\)?$/.exec(line)?.[1] ?? line);
  const wasm = files.findIndex((file) => file.startsWith("wasm:"));
  assert.ok(wasm >= 0, `no frame of wasm below it:\n${lines.join("\n")}`);
  return files.slice(0, wasm + 1);
}

const isOfGlue = (frames) => {
  assert.ok(frames.length >= 2, `${frames}`);
  for (const file of frames.slice(0, -1)) assert.equal(file, glue);
};

const ways = {
  "getToken()": (options) => new DigitalpayeAuth(options).getToken(),
  "authenticate()": (options) => authenticate(options),
  "a forced call": (options) => new DigitalpayeAuth(options).getToken({ forceRefresh: true }),
  "with a secret that is asked for": (options) => new DigitalpayeAuth({ ...options, apiSecret: async () => "s" }).getToken(),
  "with a store": (options) => new DigitalpayeAuth({ ...options, store: { get: async () => null, set: async () => {} } }).getToken(),
};

describe("below a custom fetch", () => {
  for (const [name, way] of Object.entries(ways)) {
    test(name, async () => {
      const stacks = [];
      const fetch = async function custom() {
        stacks.push(framesBelow());
        return stacks.length === 1 ? failureReply(503) : tokenReply();
      };
      await way({ ...credentials, fetch });
      assert.equal(stacks.length, 2, "the second attempt as the first");
      stacks.forEach(isOfGlue);
    });
  }

  test("the global one", async () => {
    const { fetch } = globalThis;
    const stacks = [];
    globalThis.fetch = async function custom() {
      stacks.push(framesBelow());
      return tokenReply();
    };
    try {
      await authenticate(credentials);
    } finally {
      globalThis.fetch = fetch;
    }
    assert.equal(stacks.length, 1);
    stacks.forEach(isOfGlue);
  });
});

test("the promise that getToken() and authenticate() give is the one that Rust made", async () => {
  // Its executor is called from wasm: nobody wraps it.
  const { Promise: Native } = globalThis;
  const made = new Set();
  globalThis.Promise = class Promise extends Native {
    constructor(executor) {
      super(executor);
      if (/wasm:\/\//.test(new Error().stack)) made.add(this);
    }
    static get [Symbol.species]() { return Native; }
  };
  try {
    const fetch = async () => tokenReply();
    const calls = [authenticate({ ...credentials, fetch }), new DigitalpayeAuth({ ...credentials, fetch }).getToken()];
    for (const call of calls) assert.ok(made.has(call));
    await Native.all(calls);
  } finally {
    globalThis.Promise = Native;
  }
});
