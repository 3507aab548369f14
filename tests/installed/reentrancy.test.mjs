// Foreign code that calls the client back, synchronously, from wherever the client calls it.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inChild } from "../lib/child.mjs";
import { importInstalled } from "../lib/install.mjs";
import { credentials, track } from "../lib/tokens.mjs";
import { SECOND, api, now, time, virtualApiPerTest } from "../lib/virtual-client.mjs";
import { actions, client, places } from "./reentrancy-places.mjs";

const { AuthError, DigitalpayeAuth, authenticate } = await importInstalled();
virtualApiPerTest();

test("a client that is disposed of while its callers are answered, by the first one's signal: a token or an error for each", async () => {
  const auth = client();
  const { signal } = new AbortController();
  Object.defineProperty(signal, "removeEventListener", { value: () => auth[Symbol.dispose]() });
  const calls = [auth.getToken({ signal }), auth.getToken(), auth.getToken()].map(track);
  await time.advance(0);
  api.exchanges[0].token(600);
  await time.advance(1 * SECOND);
  assert.equal(calls[0].state, "resolved");
  for (const { state, value, error } of calls) {
    if (state === "rejected") assert.equal(error.code, "invalid_options");
    else assert.match(String(value?.token), /^[\w-]+\./);
  }
});

for (const [where, place] of Object.entries(places)) {
  describe(`from ${where}`, () => {
    for (const [what, action] of Object.entries(actions)) {
      test(what, async () => {
        const inner = [];
        const disposes = what === "dispose" || what === "everything";
        let acted = 0;
        const { auth, calls } = await place((auth) => {
          if ((acted += 1) === 1) action(auth, inner);
        });
        assert.ok(acted >= 1);

        // From here on the API answers. Whatever was under way comes to its end, and all who called get an answer.
        const isResource = ({ url }) => String(url).endsWith("/x");
        api.answer = (exchange) => (isResource(exchange) ? exchange.reply(200, "{}") : exchange.token(600));
        for (const exchange of api.exchanges) if (!exchange.aborted && !exchange.answered) api.answer(exchange);
        await time.advance(1 * SECOND);
        for (const call of [...calls, ...inner]) {
          assert.notEqual(call.state, "pending", `${what}: an answer for everybody`);
          if (call.state === "rejected" && !AuthError.is(call.error)) assert.equal(call.error.name, "AbortError");
        }
        assert.deepEqual(time.pending().filter(({ ref }) => ref), [], "nothing keeps the process");

        // Nobody's exchange goes on: those that were begun were answered or cancelled.
        assert.deepEqual(api.exchanges.filter(({ aborted, answered }) => !aborted && !answered), []);

        // The instance lives: this client if it was not disposed of, and others in any case.
        const begun = api.count;
        const last = await now(auth, { forceRefresh: true });
        if (disposes) {
          assert.ok(AuthError.is(last.error), `${last.state}`);
          assert.equal(api.count, begun);
        } else {
          assert.equal(last.value?.token, api.last.granted);
          assert.equal(api.count, begun + 1);
        }
        const other = client();
        assert.equal((await now(other)).value?.token, api.last.granted);
        const once = track(authenticate({ ...credentials, baseUrl: "http://127.0.0.1:9", fetch: api.fetch }));
        await time.settle();
        assert.equal(once.value?.token, api.last.granted);
      });
    }
  });
}

describe("the number of requests", () => {
  test("an abort listener on the exchange's signal that invalidates once more: no request is for nobody", async () => {
    let again = 0;
    const auth = client({
      fetch: (url, init) => {
        init.signal?.addEventListener("abort", () => (again += 1) === 1 && auth.invalidate());
        return api.fetch(url, init);
      },
    });
    const caller = await now(auth);
    auth.invalidate();
    await time.settle();
    assert.equal(api.count, 2);
    const token = api.last.token(600);
    await time.settle();
    assert.equal(caller.value?.token, token);
  });

  test("an abort listener on the exchange's signal that aborts the only caller: no further request", async () => {
    const controller = new AbortController();
    const auth = client({
      fetch: (url, init) => {
        init.signal?.addEventListener("abort", () => controller.abort("mine"));
        return api.fetch(url, init);
      },
    });
    const caller = await now(auth, { signal: controller.signal });
    auth.invalidate();
    await time.settle();
    assert.equal(caller.error, "mine");
    assert.equal(api.count, 1);
    assert.deepEqual(time.pending(), []);
  });

  test("a listener that aborts the call while the exchange hangs up before a retry: no timer, no retry", async () => {
    for (const ask of [
      (options, call) => authenticate(options, call),
      (options, call) => new DigitalpayeAuth(options).getToken(call),
    ]) {
      const controller = new AbortController();
      const begun = api.count;
      const caller = track(ask({
        ...credentials, baseUrl: "http://127.0.0.1:9", maxRetries: 3,
        fetch: (url, init) => {
          init.signal?.addEventListener("abort", () => controller.abort("mine"));
          return api.fetch(url, init);
        },
      }, { signal: controller.signal }));
      await time.settle();
      api.last.fail(503, { "Retry-After": "2" });
      await time.settle();
      assert.equal(caller.error, "mine");
      assert.deepEqual(time.pending(), []);
      await time.advance(10 * SECOND);
      assert.equal(api.count, begun + 1);
    }
  });

  test("a fetch that waits for its own client ends by the deadline", async () => {
    const auth = client({ timeout: 1_000, fetch: () => auth.getToken() });
    const caller = await now(auth);
    await time.advance(1_100);
    assert.equal(caller.error?.code, "timeout");
    assert.deepEqual(time.pending(), []);
  });

  test("a fetch that forces a refresh of its own client ends by the deadline", async () => {
    let calls = 0;
    const auth = client({
      timeout: 1_000,
      fetch: () => {
        calls += 1;
        return auth.getToken({ forceRefresh: true });
      },
    });
    const caller = await now(auth);
    await time.advance(3_000);
    assert.equal(caller.error?.code, "timeout");
    assert.ok(calls <= 3, `${calls}`);
  });

  test("200 calls deep in each other share one exchange", async () => {
    const auth = client();
    const calls = [];
    const call = {
      get signal() {
        if (calls.push(undefined) < 200) calls.push(track(auth.getToken(call)));
        return undefined;
      },
    };
    calls.push(track(auth.getToken(call)));
    await time.settle();
    assert.equal(api.count, 1);
    api.last.token(600);
    const all = calls.filter(Boolean);
    await Promise.all(all.map(({ settled }) => settled));
    assert.ok(all.length > 90 && all.every(({ state }) => state === "resolved"));
  });
});

describe("at the end of the stack", () => {
  // In a process each: what is tested for is the end of the module.
  async function exhaust({ kind }) {
    const { DigitalpayeAuth } = await import("digitalpaye-auth");
    const encode = (part) => Buffer.from(JSON.stringify(part)).toString("base64url");
    const fetch = async () => {
      const iat = Math.floor(Date.now() / 1_000);
      const token = `${encode({})}.${encode({ iat, exp: iat + 600 })}.c2ln`;
      return new Response(JSON.stringify({ statusCode: 200, data: { token, exp: iat + 600 } }));
    };
    const options = { apiKey: "k", apiSecret: "s", baseUrl: "http://127.0.0.1:9", maxRetries: 0, timeout: 2_000, fetch };
    const unhandled = [];
    process.on("unhandledRejection", (error) => unhandled.push(String(error)));
    process.on("uncaughtException", (error) => unhandled.push(String(error)));
    const ignore = () => {};
    const act = {
      getToken: (auth) => auth.getToken({}).then(ignore, ignore),
      forceRefresh: (auth) => auth.getToken({ forceRefresh: true }).then(ignore, ignore),
      abort: (auth) => {
        const controller = new AbortController();
        auth.getToken({ forceRefresh: true, signal: controller.signal }).then(ignore, ignore);
        controller.abort();
      },
      invalidate: (auth) => auth.invalidate(),
      dispose: () => new DigitalpayeAuth(options)[Symbol.dispose](),
      fetch: (auth) => auth.fetch("/x").then(ignore, ignore),
    }[kind];
    const auth = new DigitalpayeAuth(options);
    await auth.getToken();
    // Calls at each of the last levels: wherever in a call the stack may end, it does once.
    let left;
    const recurse = (...room) => {
      try {
        recurse(...room);
      } catch {
        left = 400;
      }
      if ((left -= 1) < 0) return;
      try {
        act(auth);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
      }
    };
    for (let round = 0; round < 20; round += 1) {
      try {
        recurse(...new Array(round).fill(round));
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
      }
      await new Promise((resolve) => setImmediate(resolve));
      await auth.getToken({ forceRefresh: true });
      await new DigitalpayeAuth(options).getToken();
    }
    return { alive: true, wasm: unhandled.filter((text) => /RuntimeError|unreachable|out of bounds|recursive use/.test(text)) };
  }

  for (const kind of ["getToken", "forceRefresh", "abort", "invalidate", "dispose", "fetch"]) {
    test(`${kind}: that call may fail, all others are answered`, async () => {
      const { result, stderr } = await inChild(exhaust, { kind });
      assert.deepEqual(result, { alive: true, wasm: [] }, stderr.slice(-2_000));
    });
  }
});
