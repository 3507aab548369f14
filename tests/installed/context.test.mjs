// In Node.js a flight runs outside of every caller's async context: its requests are shared.
import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { test } from "node:test";
import { inChild } from "../lib/child.mjs";
import { importInstalled } from "../lib/install.mjs";

const { DigitalpayeAuth } = await importInstalled();
const storage = new AsyncLocalStorage();
const body = JSON.stringify({ statusCode: 200, data: { token: "opaque", exp: Math.floor(Date.now() / 1_000) + 600 } });

test("fetch sees no caller's store, at the first attempt as at the next one, and each caller keeps its own", async () => {
  const seen = [];
  const fetch = async () => {
    seen.push(storage.getStore());
    return seen.length % 2 === 1 ? new Response("", { status: 503 }) : new Response(body);
  };
  const auth = storage.run("constructed", () => new DigitalpayeAuth({ apiKey: "k", apiSecret: "s", fetch }));
  for (const call of ["first", "second"]) {
    await Promise.all([`${call}, one`, `${call}, another`].map((caller) => storage.run(caller, async () => {
      await auth.getToken({ forceRefresh: true });
      assert.equal(storage.getStore(), caller);
    })));
  }
  assert.deepEqual(seen, [undefined, undefined, undefined, undefined]);
});

test("what a framework throws to steer rendering is nobody's failure: one caller sees it as it is, the others get a token", async () => {
  const steering = Object.assign(new Error("rendered on demand"), { digest: "DYNAMIC_SERVER_USAGE" });
  let requests = 0;
  const fetch = async () => {
    requests += 1;
    if (requests === 1) throw steering;
    return new Response(body);
  };
  const auth = new DigitalpayeAuth({ apiKey: "k", apiSecret: "s", fetch });
  const outcomes = await Promise.allSettled([1, 2, 3].map(() => auth.getToken()));
  assert.equal(outcomes.filter(({ reason }) => reason === steering).length, 1);
  assert.equal(outcomes.filter(({ value }) => value?.token === "opaque").length, 2);
  assert.equal(requests, 2);
});

test("the program's own promises cost what they did: no hook stays behind", async () => {
  const { result, stderr } = await inChild(async () => {
    const { executionAsyncId } = await import("node:async_hooks");
    const { DigitalpayeAuth } = await import("digitalpaye-auth");
    // Node.js numbers what follows a promise only while hooks are called for each.
    const number = async () => {
      await null;
      return executionAsyncId();
    };
    const before = await number();
    const body = JSON.stringify({ statusCode: 200, data: { token: "opaque", exp: Math.floor(Date.now() / 1_000) + 600 } });
    await new DigitalpayeAuth({ apiKey: "k", apiSecret: "s", fetch: async () => new Response(body) }).getToken();
    return { before, after: await number() };
  });
  assert.deepEqual(result, { before: 0, after: 0 }, stderr);
});
