// The end of a client: said so, let go of, or dropped.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inChild } from "../lib/child.mjs";
import { api, apiPerTest, client } from "../lib/client.mjs";
import { importInstalled } from "../lib/install.mjs";
import { credentials, sleep, track, until } from "../lib/tokens.mjs";

const { AuthError, DigitalpayeAuth, InvalidOptionsError } = await importInstalled();
const dispose = Symbol.dispose ?? Symbol.for("Symbol.dispose");
apiPerTest();

/** A clear error: one of ours, for code and for people. */
function saysSo(error) {
  assert.ok(error instanceof AuthError && AuthError.is(error), `${error}`);
  assert.match(error.message, /dispose/);
  assert.equal(error.retryable, false);
  assert.equal(error.attempts, 0);
  return true;
}

describe("after Symbol.dispose", () => {
  const states = {
    "of a new client": async () => client(),
    "of a client that holds a token": async () => {
      const auth = client();
      await auth.getToken();
      return auth;
    },
    "of a client that failed": async () => {
      const auth = client();
      const { answer } = api;
      api.answer = (exchange) => exchange.fail(503);
      await assert.rejects(auth.getToken());
      api.answer = answer;
      return auth;
    },
  };
  for (const [name, make] of Object.entries(states)) {
    test(`${name}, all calls reject with an AuthError that says so, and nothing is sent`, async () => {
      const auth = await make();
      const begun = api.count;
      assert.equal(auth[dispose](), undefined);
      await assert.rejects(auth.getToken(), saysSo);
      await assert.rejects(auth.getToken({}), saysSo);
      await assert.rejects(auth.getToken({ forceRefresh: true }), saysSo);
      await assert.rejects(auth.getToken({ signal: new AbortController().signal }), saysSo);
      await assert.rejects(auth.fetch("/x"), saysSo);
      await assert.rejects(auth.fetch(`${api.url}/x`, { method: "POST", body: "x" }), saysSo);
      await sleep(20);
      // Also once its memory was given back.
      await assert.rejects(auth.getToken(), saysSo);
      await assert.rejects(auth.fetch("/x"), saysSo);
      assert.equal(api.count, begun);
      assert.equal(api.requests.length, 0);
    });
  }

  test("invalidate() and another dispose are harmless, at once and later", async () => {
    const auth = client();
    const { token } = await auth.getToken();
    for (let time = 0; time < 3; time += 1) {
      auth[dispose]();
      auth.invalidate();
      auth.invalidate(token);
      await sleep(5);
    }
    await assert.rejects(auth.getToken(), saysSo);
  });

  test("another client of the same options is not concerned", async () => {
    const [one, other] = [client(), client()];
    const waiting = track(other.getToken());
    one[dispose]();
    await waiting.settled;
    assert.equal(waiting.state, "resolved");
  });
});

describe("pending callers", () => {
  test("are rejected, all of them, and the exchange is cancelled", async () => {
    api.answer = () => {};
    const auth = client();
    const calls = [
      auth.getToken(), auth.getToken({ signal: new AbortController().signal }), auth.getToken({ forceRefresh: true }),
      auth.fetch("/x"), auth.fetch("/y", { method: "POST", body: "y" }),
    ].map(track);
    const exchange = await api.exchange(1);
    auth[dispose]();
    await Promise.all(calls.map(({ settled }) => settled));
    for (const { error } of calls) saysSo(error);
    assert.equal(new Set(calls.map(({ error }) => error)).size, calls.length, "each has an error of its own");
    assert.equal(await exchange.closed, true);
    assert.equal(api.requests.length, 0);
  });

  test("of one turn, before anything was sent", async () => {
    const auth = client();
    const call = auth.getToken();
    auth[dispose]();
    await assert.rejects(call, saysSo);
    await sleep(50);
    assert.equal(api.tokens.length, 0);
  });

  test("while the reply's body is read, and before a retry", async () => {
    for (const answer of [(exchange) => exchange.begin(200), (exchange) => exchange.fail(503, { "Retry-After": "5" })]) {
      api.answer = answer;
      const auth = client({ maxRetries: 3 });
      const call = auth.getToken();
      const exchange = await api.exchange(api.count + 1);
      await sleep(50);
      auth[dispose]();
      await assert.rejects(call, saysSo);
      await exchange.closed;
    }
    assert.equal(api.count, 2);
  });

  test("of fetch() whose request is under way get their answer", async () => {
    let answer;
    api.resource = (request, response) => (answer = () => api.echo(request, response));
    const auth = client();
    const call = auth.fetch("/x");
    await until(() => answer);
    auth[dispose]();
    answer();
    assert.equal((await call).status, 200);
  });

  test("of fetch() whose request is then refused reject", async () => {
    let answer;
    api.resource = (request, response) => (answer = () => response.writeHead(401).end());
    const auth = client();
    const call = auth.fetch("/x");
    await until(() => answer);
    auth[dispose]();
    answer();
    await assert.rejects(call, saysSo);
    assert.equal(api.count, 1);
  });
});

test("a refresh behind the callers' backs is cancelled", async () => {
  // Its soft window is 0.6 s long.
  api.lifetime = 3;
  const auth = client();
  const { token } = await auth.getToken();
  api.answer = () => {};
  while (api.count < 2) {
    await sleep(20);
    assert.equal((await auth.getToken()).token, token);
  }
  auth[dispose]();
  assert.equal(await api.exchanges[1].closed, true);
});

describe("the declaration `using` and its like", () => {
  test("find the method under Symbol.dispose", () => {
    assert.equal(typeof DigitalpayeAuth.prototype[dispose], "function");
  });

  test("dispose at the end of a DisposableStack, where there is one", async () => {
    if (typeof DisposableStack === "undefined") {
      // What the engine would do.
      const auth = client();
      try {
        await auth.getToken();
      } finally {
        auth[dispose]();
      }
      return assert.rejects(auth.getToken(), saysSo);
    }
    const stack = new DisposableStack();
    const auth = stack.use(client());
    await auth.getToken();
    stack.dispose();
    return assert.rejects(auth.getToken(), saysSo);
  });
});

describe("the error", () => {
  test("is an InvalidOptionsError for apiSecret, without it", async () => {
    const auth = client();
    auth[dispose]();
    const error = await auth.getToken().catch((error) => error);
    assert.ok(error instanceof InvalidOptionsError);
    assert.equal(error.option, "apiSecret");
    assert.ok(!error.stack.includes(credentials.apiSecret));
  });
});

describe("a client that nobody holds any more", () => {
  // The collector runs again and again while a call is pending of which only the promise is left.
  async function dropped({ url, how }) {
    const { DigitalpayeAuth } = await import("digitalpaye-auth");
    const controller = new AbortController();
    const settled = (() => {
      const auth = new DigitalpayeAuth({ apiKey: "k", apiSecret: "s", baseUrl: url, timeout: 1_500, maxRetries: 1 });
      const call = how === "fetch" ? auth.fetch("/x").then((response) => response.status) : auth.getToken({ signal: controller.signal });
      return call.then((value) => value.token?.slice(0, 2) ?? value, (error) => error.code ?? String(error));
    })();
    let done = false;
    settled.finally(() => (done = true)).catch(() => {});
    const begun = performance.now();
    while (!done && performance.now() - begun < 10_000) {
      globalThis.gc();
      await new Promise((resolve) => setTimeout(resolve, 10));
      if (how === "abort" && performance.now() - begun > 300) controller.abort("by the caller");
    }
    return done ? settled : "never";
  }

  const cases = {
    token: { answer: (exchange) => setTimeout(() => exchange.token(), 300), outcome: "ey" },
    fetch: { answer: (exchange) => setTimeout(() => exchange.token(), 300), outcome: 200 },
    "time-out": { answer: () => {}, outcome: "timeout" },
    "retry after 503": { answer: (exchange) => (exchange.n === 1 ? exchange.fail(503) : setTimeout(() => exchange.token(), 200)), outcome: "ey" },
    abort: { answer: () => {}, outcome: "by the caller" },
  };
  for (const [how, { answer, outcome }] of Object.entries(cases)) {
    test(`answers the call that is pending: ${how}`, async () => {
      api.answer = answer;
      const { result, stderr } = await inChild(dropped, { url: api.url, how }, { flags: ["--expose-gc"] });
      assert.equal(result, outcome, stderr);
    });
  }
});

describe("the process", () => {
  async function program({ url, how }) {
    const { DigitalpayeAuth } = await import("digitalpaye-auth");
    const auth = new DigitalpayeAuth({ apiKey: "k", apiSecret: "s", baseUrl: url, maxRetries: 3, timeout: 20_000 });
    globalThis.kept = auth;
    const { token } = await auth.getToken();
    if (how === "soft") {
      // In the soft window, with a server that asks to come back in 10 s: the refresh waits behind the caller's back.
      await new Promise((resolve) => setTimeout(resolve, 1_680));
      return (await auth.getToken()).token === token;
    }
    if (how === "dispose") auth[Symbol.dispose ?? Symbol.for("Symbol.dispose")]();
    if (how === "abort") {
      const controller = new AbortController();
      const call = auth.getToken({ forceRefresh: true, signal: controller.signal }).catch(() => {});
      setTimeout(() => controller.abort(), 100);
      await call;
    }
    return true;
  }

  for (const how of ["a token held", "dispose", "abort"]) {
    test(`ends when the last call has settled: ${how}`, async () => {
      api.answer = (exchange) => exchange.n === 1 && exchange.token({ Connection: "close" });
      const { result, code, lingered, stderr } = await inChild(program, { url: api.url, how });
      assert.equal(result, true, stderr);
      assert.equal(code, 0, stderr);
      assert.ok(lingered < 2_000, `${lingered} ms`);
    });
  }

  test("ends while a refresh behind the callers' backs waits for its retry", async () => {
    api.answer = (exchange) =>
      exchange.n === 1 ? exchange.token({ lifetime: 2, Connection: "close" }) : exchange.fail(503, { "Retry-After": "10", Connection: "close" });
    const { result, code, lingered, stderr } = await inChild(program, { url: api.url, how: "soft" });
    assert.equal(result, true, stderr);
    assert.equal(code, 0, stderr);
    assert.ok(api.count >= 2, "the refresh was begun");
    assert.ok(lingered < 4_000, `${lingered} ms`);
  });
});
