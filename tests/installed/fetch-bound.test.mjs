// The methods of a client, handed over as they are, wrapped, overridden and mocked.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import { api, apiPerTest, auth } from "../lib/client.mjs";
import { importInstalled } from "../lib/install.mjs";
import { credentials } from "../lib/tokens.mjs";

const DISPOSE = Symbol.dispose ?? Symbol.for("Symbol.dispose");

const { DigitalpayeAuth } = await importInstalled();
apiPerTest();

const options = () => ({ ...credentials, baseUrl: api.url, maxRetries: 0 });

test("detached, each works", async () => {
  const { fetch, getToken, invalidate, [DISPOSE]: dispose } = auth;
  const { token } = await getToken();
  assert.equal((await fetch("/x")).status, 200);
  invalidate(token);
  assert.notEqual((await getToken()).token, token);
  dispose();
  await assert.rejects(getToken(), { option: "apiSecret" });
});

test("they are own members that are not enumerable, and the prototype has them too", () => {
  for (const name of ["fetch", "getToken", "invalidate"]) {
    const { enumerable, writable, configurable } = Object.getOwnPropertyDescriptor(auth, name);
    assert.deepEqual({ enumerable, writable, configurable }, { enumerable: false, writable: true, configurable: true });
    assert.equal(typeof DigitalpayeAuth.prototype[name], "function");
  }
  assert.deepEqual(Object.keys(auth), []);
  assert.deepEqual({ ...auth }, {});
});

test("what is printed is as short as it was, and shows no secret at any depth", async () => {
  await auth.getToken();
  assert.equal(inspect(auth, { depth: Infinity }), "DigitalpayeAuth {}");
  assert.equal(JSON.stringify({ auth }), '{"auth":{}}');
  const { token } = await auth.getToken();
  const all = inspect(auth, { depth: Infinity, showHidden: true, getters: true });
  for (const secret of [credentials.apiSecret, token, btoa(`${credentials.apiKey}:${credentials.apiSecret}`)]) {
    assert.ok(!all.includes(secret), all);
  }
});

describe("a subclass", () => {
  test("has its own methods, not ours, and may call ours", async () => {
    const calls = [];
    class Logged extends DigitalpayeAuth {
      getToken(call) {
        calls.push(call);
        return super.getToken(call);
      }
    }
    const logged = new Logged(options());
    assert.equal(Object.hasOwn(logged, "getToken"), false);
    assert.equal(Object.hasOwn(logged, "fetch"), true);
    for (const each of [logged, new Proxy(logged, {}), Object.create(logged)]) assert.ok((await each.getToken()).token);
    assert.deepEqual(calls, [undefined, undefined, undefined]);
  });
});

describe("a mock", () => {
  test("on the prototype is seen by instances made before and after", async (t) => {
    t.mock.method(DigitalpayeAuth.prototype, "getToken", async () => ({ token: "mocked", exp: 1 }));
    assert.equal((await auth.getToken()).token, "mocked");
    assert.equal((await new DigitalpayeAuth(options()).getToken()).token, "mocked");
    t.mock.restoreAll();
    assert.notEqual((await auth.getToken()).token, "mocked");
  });

  test("on the instance is seen", async (t) => {
    t.mock.method(auth, "fetch", async () => new Response("mocked"));
    assert.equal(await (await auth.fetch("/x")).text(), "mocked");
  });
});

test("without a client, promises reject and nothing is thrown", async () => {
  for (const receiver of [undefined, null, {}, 5]) {
    for (const name of ["fetch", "getToken"]) {
      const promise = Reflect.apply(DigitalpayeAuth.prototype[name], receiver, ["/x"]);
      await assert.rejects(promise, TypeError);
    }
  }
});
