// `apiSecret` as a function: asked before each attempt and once more after a 401, whatever it does.
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { inChild } from "../lib/child.mjs";
import { importInstalled } from "../lib/install.mjs";
import { answering, failureReply, listen, tokenReply } from "../lib/listen.mjs";
import { sleep, track, watchRejections } from "../lib/tokens.mjs";

const { authenticate, CredentialsError, DigitalpayeAuth, InternalServerError, TimeoutError, UnauthorizedError } = await importInstalled();
const auths = [];

afterEach(() => {
  for (const auth of auths.splice(0)) auth[Symbol.dispose]();
});

/** A client whose function gives these in order, the last one again and again; `asked` are the calls that it got. */
function client(options, ...secrets) {
  const asked = [];
  const apiSecret = (call) => {
    asked.push(call);
    const secret = secrets[Math.min(asked.length, secrets.length) - 1];
    return typeof secret === "function" ? secret(call) : secret;
  };
  const auth = new DigitalpayeAuth({ apiKey: "merchant", apiSecret, baseUrl: "http://127.0.0.1:9", maxRetries: 0, ...options });
  auths.push(auth);
  return { auth, asked };
}

const passwords = ({ requests }) => requests.map(({ headers }) => {
  const [, value] = /^Basic (.+)$/.exec(new Headers(headers).get("authorization"));
  return Buffer.from(value, "base64").toString().slice("merchant:".length);
});

const failed = (promise) => promise.then(({ exp }) => assert.fail(`it gave a token until ${exp}`), (error) => error);

describe("when it is asked", () => {
  test("before each attempt, with a signal, and not for a token that is held", async () => {
    const api = answering(() => failureReply(503), () => failureReply(503), () => tokenReply());
    const { auth, asked } = client({ maxRetries: 2, ...api }, "one", async () => "two", Promise.resolve("three"));
    await auth.getToken();
    await auth.getToken();
    assert.deepEqual(passwords(api), ["one", "two", "three"]);
    assert.equal(asked.length, 3);
    for (const { signal } of asked) assert.ok(signal instanceof AbortSignal);
  });

  test("once by 1,000 callers", async () => {
    const api = answering(() => tokenReply());
    const { auth, asked } = client(api, async () => { await sleep(20); return "secret"; });
    const tokens = await Promise.all(Array.from({ length: 1_000 }, () => auth.getToken()));
    assert.equal(new Set(tokens.map(({ token }) => token)).size, 1);
    assert.equal(asked.length, 1);
    assert.equal(api.requests.length, 1);
  });

  test("not by the constructor", async () => {
    const { asked } = client({}, "secret");
    await sleep(10);
    assert.equal(asked.length, 0);
  });

  test("by authenticate() too", async () => {
    const api = answering(() => failureReply(401), () => tokenReply());
    const secrets = ["old", "new"];
    await authenticate({ apiKey: "merchant", apiSecret: () => secrets.shift(), maxRetries: 0, ...api });
    assert.deepEqual(passwords(api), ["old", "new"]);
    const error = await failed(authenticate({ apiKey: "merchant", apiSecret: () => 5, ...answering(() => tokenReply()), maxRetries: 0 }));
    assert.ok(error instanceof CredentialsError);
  });
});

describe("after a 401", () => {
  test("another secret: the exchange is tried again, with maxRetries 0 too", async () => {
    const api = answering(() => failureReply(401), () => tokenReply());
    const { auth } = client(api, "old", "new");
    await auth.getToken();
    assert.deepEqual(passwords(api), ["old", "new"]);
  });

  test("another secret that is refused too: no third attempt", async () => {
    const api = answering(() => failureReply(401));
    const { auth, asked } = client(api, "one", "two", "three", "four");
    const error = await failed(auth.getToken());
    assert.ok(error instanceof UnauthorizedError);
    assert.equal(error.attempts, 2);
    assert.deepEqual(passwords(api), ["one", "two"]);
    assert.ok(asked.length <= 3, `asked ${asked.length} times`);
  });

  test("the same secret: the 401 stands, and nothing more is sent", async () => {
    const api = answering(() => failureReply(401));
    const { auth, asked } = client({ maxRetries: 2, ...api }, "same");
    const error = await failed(auth.getToken());
    assert.ok(error instanceof UnauthorizedError);
    assert.equal(error.attempts, 1);
    assert.equal(asked.length, 2);
  });

  for (const [name, second] of Object.entries({
    "it rejects": () => Promise.reject(new Error("vault is down")),
    "it throws": () => { throw new Error("vault is down"); },
    "it gives a number": () => 5,
    "it gives nothing": () => undefined,
    "it gives \"\"": () => "",
  })) {
    test(`${name}: the 401 stands`, async () => {
      const api = answering(() => failureReply(401));
      const { auth, asked } = client(api, "old", second);
      const error = await failed(auth.getToken());
      assert.ok(error instanceof UnauthorizedError, `${error}`);
      assert.equal(asked.length, 2);
      assert.equal(api.requests.length, 1);
    });
  }

  test("it hangs: the 401 stands when time is up", async () => {
    const { auth } = client({ timeout: 100, ...answering(() => failureReply(401)) }, "old", () => new Promise(() => {}));
    const error = await failed(auth.getToken());
    assert.ok(error instanceof UnauthorizedError || error instanceof TimeoutError, `${error}`);
  });
});

describe("what it gives", () => {
  const cause = Object.freeze(new Error("vault is down"));
  const thenable = (then) => ({ then });
  const bad = {
    "a rejection": [() => Promise.reject(cause), cause],
    "a throw": [() => { throw cause; }, cause],
    "a rejection with undefined": [() => Promise.reject(undefined), undefined],
    "a rejection with text": [() => Promise.reject("text"), "text"],
    "a thenable that throws": [() => thenable(() => { throw cause; }), cause],
    "a thenable that rejects": [() => thenable((_, reject) => reject(cause)), cause],
    "a then that throws when it is read": [() => Object.defineProperty({}, "then", { get: () => { throw cause; } }), cause],
  };
  for (const [name, [secret, expected]] of Object.entries(bad)) {
    test(`${name}: a CredentialsError with the cause`, async () => {
      const rejections = watchRejections();
      const api = answering(() => tokenReply());
      const error = await failed(client(api, secret).auth.getToken());
      assert.ok(error instanceof CredentialsError, `${error}`);
      assert.equal(error.code, "credentials");
      assert.equal(error.retryable, true);
      assert.equal(error.attempts, 0);
      assert.ok(Object.hasOwn(error, "cause"));
      assert.equal(error.cause, expected);
      assert.equal(api.requests.length, 0);
      await rejections.check(assert);
    });
  }

  const values = {
    "a number": 5, null: null, undefined, "an object": {}, "bytes": new Uint8Array(4), "a String object": Object("secret"), "a function": () => () => "x",
    "a symbol": Symbol("s"), "\"\"": "", "a lone surrogate": "a\ud800b", "a line break at the end": "hidden-secret\n", "NUL": "hidden\0secret", "DEL": "hidden\x7fsecret",
  };
  for (const [name, value] of Object.entries(values)) {
    test(`${name}: a CredentialsError that does not show it`, async () => {
      const api = answering(() => tokenReply());
      const error = await failed(client(api, value).auth.getToken());
      assert.ok(error instanceof CredentialsError, `${error}`);
      assert.ok(!error.message.includes("hidden"), error.message);
      assert.equal(api.requests.length, 0);
    });
  }

  test("is told of a line break at the end in words that help", async () => {
    const error = await failed(client(answering(() => tokenReply()), "secret\n").auth.getToken());
    assert.match(error.message, /line break|newline/i);
  });

  test("is tried again with maxRetries, after a wait", async () => {
    const api = answering(() => tokenReply());
    const { onEvent, of } = listen();
    const { auth, asked } = client({ maxRetries: 2, onEvent, ...api }, () => { throw cause; }, 7, "good");
    await auth.getToken();
    await sleep(10);
    assert.deepEqual(passwords(api), ["good"]);
    assert.equal(asked.length, 3);
    assert.deepEqual(of("retry").map(({ error }) => error.code), ["credentials", "credentials"]);
    assert.equal(of("token")[0].attempts, 1);
  });

  test("from another realm, and from a thenable, is good", async () => {
    for (const secret of [() => thenable((resolve) => resolve("good")), async () => "good", "good"]) {
      const api = answering(() => tokenReply());
      await client(api, secret).auth.getToken();
      assert.deepEqual(passwords(api), ["good"]);
    }
  });
});

describe("its signal", () => {
  const hanging = () => new Promise(() => {});

  test("aborts when time is up, and the caller is told in time", async () => {
    const { auth, asked } = client({ timeout: 80, ...answering(() => tokenReply()) }, hanging);
    const started = performance.now();
    assert.ok(await failed(auth.getToken()) instanceof TimeoutError);
    assert.ok(performance.now() - started < 2_000);
    assert.equal(asked[0].signal.aborted, true);
  });

  test("aborts when the last caller gives up, not before", async () => {
    const { auth, asked } = client(answering(() => tokenReply()), hanging);
    const controllers = [new AbortController(), new AbortController()];
    const calls = controllers.map(({ signal }) => track(auth.getToken({ signal })));
    await sleep(10);
    controllers[0].abort();
    await calls[0].settled;
    assert.equal(asked[0].signal.aborted, false);
    controllers[1].abort();
    await calls[1].settled;
    await sleep(5);
    assert.equal(asked[0].signal.aborted, true);
  });

  test("aborts when the client is disposed of", async () => {
    const { auth, asked } = client(answering(() => tokenReply()), hanging);
    const call = track(auth.getToken());
    await sleep(10);
    auth[Symbol.dispose]();
    await call.settled;
    assert.equal(call.error.code, "invalid_options");
    assert.equal(asked[0].signal.aborted, true);
  });

  test("a function that rejects by it makes no unhandled rejection", async () => {
    const rejections = watchRejections();
    const { auth } = client({ timeout: 50, ...answering(() => tokenReply()) }, ({ signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))));
    assert.ok(await failed(auth.getToken()) instanceof TimeoutError);
    await sleep(10);
    await rejections.check(assert);
  });
});

describe("calls from within it", () => {
  test("getToken() waits for the same exchange", async () => {
    const api = answering(() => tokenReply());
    let inner;
    const made = client(api, () => { inner = made.auth.getToken(); return "secret"; });
    const outer = await made.auth.getToken();
    assert.deepEqual(await inner, outer);
    assert.equal(made.asked.length, 1);
  });

  test("invalidate(), and a forced call", async () => {
    const api = answering(() => tokenReply());
    const inner = [];
    const made = client({ timeout: 3_000, ...api }, () => {
      if (made.asked.length === 1) {
        made.auth.invalidate();
        inner.push(made.auth.getToken({ forceRefresh: true }));
      }
      return "secret";
    });
    assert.ok((await made.auth.getToken()).token);
    assert.ok((await inner[0]).token);
    assert.ok(api.requests.length <= 2);
  });

  test("dispose: whoever waits is told, nothing is sent", async () => {
    const api = answering(() => tokenReply());
    const made = client(api, () => { made.auth[Symbol.dispose](); return "secret"; });
    assert.equal((await failed(made.auth.getToken())).code, "invalid_options");
    await sleep(10);
    assert.equal(api.requests.length, 0);
  });

  test("one that waits for its own token ends by its deadline", async () => {
    const made = client({ timeout: 100, ...answering(() => tokenReply()) }, async () => (await made.auth.getToken()).token);
    assert.ok(["timeout", "credentials"].includes((await failed(made.auth.getToken())).code));
  });
});

test("what it gave is overwritten after each exchange, good or bad", async () => {
  const lib = new URL("../lib/memories.mjs", import.meta.url).href;
  const { result, stderr } = await inChild(async ({ lib }) => {
    const { remembered } = await import(lib);
    const { DigitalpayeAuth, authenticate } = await import("digitalpaye-auth");
    // Put together anew each time, so that the test's own copies are JavaScript's.
    const secret = (n) => ["rotated", "-secret-of-", "the-merchant-", String(n).padStart(4, "0")].join("");
    const exp = Math.floor(Date.now() / 1_000) + 600;
    const good = () => new Response(JSON.stringify({ statusCode: 200, data: { token: "opaque", exp } }));
    const seen = [];
    let during;
    let n = 0;
    const answers = [good, () => new Response("{}", { status: 401 }), () => new Response("{}", { status: 503 }), () => { throw new Error("own"); }];
    for (const answer of answers) {
      const fetch = async () => {
        during ??= remembered([secret(n)]);
        return answer();
      };
      const options = { apiKey: "merchant-key", apiSecret: () => secret(++n), maxRetries: 1, fetch, baseUrl: "http://127.0.0.1:9" };
      const auth = new DigitalpayeAuth(options);
      await auth.getToken().catch(() => {});
      await authenticate(options).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 20));
      for (let past = 1; past <= n; past += 1) {
        const text = secret(past);
        const basic = Buffer.from(`merchant-key:${text}`).toString("base64");
        if (remembered([text, basic, basic.slice(-16)])) seen.push(past);
      }
    }
    return { seen, asked: n, during };
  }, { lib });
  assert.ok(result, stderr);
  assert.ok(result.asked >= 10);
  assert.ok(result.during, "while the exchange goes on, the search finds it");
  assert.deepEqual(result.seen, []);
});
