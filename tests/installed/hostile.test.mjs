// Objects that throw, lie, re-enter or never answer: each costs its own call an error or a time-out, the next call nothing.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inChild } from "../lib/child.mjs";
import { BODY, SECRET, boom, ends, fails, good, revoked, trapped, worksAfterEachTest } from "../lib/hostile.mjs";
import { importInstalled } from "../lib/install.mjs";
import { leak } from "../lib/leaks.mjs";
import { PAGE, PAGE_TOKEN, failure } from "../lib/replies.mjs";

const { authenticate, AuthError, DigitalpayeAuth, InvalidOptionsError } = await importInstalled();
worksAfterEachTest();

const FIELDS = ["apiKey", "apiSecret", "environment", "baseUrl", "timeout", "maxRetries", "fetch"];

describe("options", () => {
  test("a getter that throws: InvalidOptionsError of that field, with what it threw as cause", async () => {
    for (const name of FIELDS) {
      for (const thrown of [new Error("own"), "text", undefined, null, Symbol("s"), revoked()]) {
        const options = Object.defineProperty({ ...good }, name, { get() { throw thrown; } });
        const error = await fails(options, "invalid_options");
        assert.equal(error.option, name);
        assert.ok(Object.is(error.cause, thrown));
        assert.throws(() => new DigitalpayeAuth(options), InvalidOptionsError);
      }
    }
    const error = await fails(good, "invalid_options", { get signal() { throw boom; } });
    assert.deepEqual([error.option, error.cause], ["signal", boom]);
  });

  test("proxies that throw or are revoked, as options and in every field", async () => {
    for (const options of [trapped(), revoked(), trapped(() => {}), revoked(() => {}), trapped([])]) await fails(options, "invalid_options");
    for (const name of FIELDS) {
      for (const value of [trapped(), revoked(), trapped([]), trapped(new String("x")), trapped(new URL("https://h.example")), revoked(new URL("https://h.example"))]) {
        assert.equal((await fails({ ...good, [name]: value }, "invalid_options")).option, name);
      }
    }
    // Only calling it shows what a function is.
    for (const fetch of [trapped(() => {}), revoked(() => {}), class {}, trapped(class {})]) await fails({ ...good, fetch }, "network");
    for (const call of [trapped(), revoked()]) await fails(good, "invalid_options", call);
    for (const signal of [trapped(), revoked(), trapped(new AbortController().signal), revoked(new AbortController().signal)]) {
      assert.equal((await fails(good, "invalid_options", { signal })).option, "signal");
    }
  });

  test("values whose conversions throw or lie are not converted", async () => {
    const converting = { [Symbol.toPrimitive]: boom, toString: boom, valueOf: boom, toJSON: boom, get then() { return boom(); }, get [Symbol.toStringTag]() { return boom(); } };
    for (const name of FIELDS) assert.equal((await fails({ ...good, [name]: converting }, "invalid_options")).option, name);
    for (const name of FIELDS) await fails({ ...good, [name]: Symbol("s") }, "invalid_options");
    const signal = { get [Symbol.toStringTag]() { return "AbortSignal"; }, get aborted() { return boom(); } };
    assert.equal((await fails(good, "invalid_options", { signal })).option, "signal");
  });

  test("an impostor of a URL", async () => {
    for (const href of ["https://h.example", 5, null, "", "http://h.example", { toString: () => "https://h.example" }]) {
      const { error } = await ends({ ...good, baseUrl: { [Symbol.toStringTag]: "URL", href } });
      if (error) assert.equal(error.option, "baseUrl");
    }
    const throwing = Object.defineProperty({ [Symbol.toStringTag]: "URL" }, "href", { get: boom });
    assert.equal((await fails({ ...good, baseUrl: throwing }, "invalid_options")).option, "baseUrl");
  });

  test("getters that call the package again, at once and 100 deep", async () => {
    const inner = [];
    for (const name of FIELDS) {
      const options = Object.defineProperty({ ...good }, name, {
        get() {
          inner.push(authenticate(good), authenticate({}).catch((error) => error.code), new DigitalpayeAuth(good).getToken());
          return good[name];
        },
      });
      assert.deepEqual(await authenticate(options), PAGE_TOKEN);
    }
    for (const outcome of await Promise.all(inner)) {
      if (typeof outcome === "string") assert.equal(outcome, "invalid_options");
      else assert.deepEqual(outcome, PAGE_TOKEN);
    }

    let depth = 0;
    const deep = [];
    const options = Object.defineProperty({ ...good }, "apiKey", {
      get() {
        depth += 1;
        if (depth < 100) deep.push(authenticate(options));
        return "key";
      },
    });
    assert.deepEqual(await authenticate(options), PAGE_TOKEN);
    for (const token of await Promise.all(deep)) assert.deepEqual(token, PAGE_TOKEN);
    assert.equal(deep.length, 99);
  });

  test("getters that exhaust the stack", async () => {
    for (let round = 0; round < 50; round += 1) {
      const options = Object.defineProperty({ ...good }, "apiKey", { get() { return new DigitalpayeAuth(options); } });
      assert.throws(() => new DigitalpayeAuth(options), InvalidOptionsError);
    }
  });

  test("a getter that answers differently each time is asked once", async () => {
    for (const name of FIELDS) {
      let asked = 0;
      const options = Object.defineProperty({ ...good }, name, {
        get() {
          asked += 1;
          return asked === 1 ? good[name] : Symbol("nonsense");
        },
      });
      assert.deepEqual(await authenticate(options), PAGE_TOKEN);
      assert.equal(asked, 1);
    }
  });
});

describe("signals", () => {
  /** Looks like one, and does as told. */
  const fake = (members) => Object.defineProperties({ aborted: false, addEventListener() {}, removeEventListener() {}, [Symbol.toStringTag]: "AbortSignal" }, Object.getOwnPropertyDescriptors(members));

  test("that throw, say nonsense, or abort while they are listened to", async () => {
    const aborting = fake({ addEventListener(_, listener) { this.aborted = true; this.reason = "while listening"; listener(); } });
    const again = fake({ addEventListener(_, listener) { this.aborted = true; this.reason = "again"; listener(); listener(); listener.call(null, {}); } });
    const cases = [
      fake({ addEventListener: boom }),
      fake({ addEventListener() { return revoked(); } }),
      fake({ removeEventListener: boom }),
      fake({ removeEventListener: undefined }),
      fake({ get reason() { return boom(); } }),
      fake({ get removeEventListener() { return boom(); } }),
      aborting,
      again,
    ];
    for (const signal of cases) {
      const { token, error } = await ends(good, { signal });
      assert.ok(token !== undefined || AuthError.is(error) || typeof error === "string", String(error));
    }
    assert.equal((await ends(good, { signal: fake({ addEventListener(_, listener) { this.aborted = true; this.reason = "once more"; listener(); } }) })).error, "once more");
  });

  test("whose listener is called after the call has settled", async () => {
    const listeners = [];
    const signal = fake({ addEventListener: (_, listener) => listeners.push(listener) });
    assert.deepEqual((await ends(good, { signal })).token, PAGE_TOKEN);
    await new Promise((resolve) => setImmediate(resolve));
    signal.aborted = true;
    for (const listener of listeners) {
      listener();
      (listener.handleEvent ?? listener)({ type: "abort" });
    }
  });

  test("that abort within fetch, within a header, within the body", async () => {
    for (const place of ["fetch", "status", "headers", "get", "body", "getReader", "read", "value"]) {
      const controller = new AbortController();
      const at = (name, value) => {
        if (name === place) controller.abort(place);
        return value;
      };
      const fetch = async () => at("fetch", {
        get status() { return at("status", 200); },
        get headers() { return at("headers", { get: () => at("get", null) }); },
        get body() {
          return at("body", {
            getReader: () => at("getReader", {
              read: async () => at("read", { done: false, get value() { return at("value", BODY); } }),
              cancel: async () => {},
            }),
          });
        },
      });
      assert.equal((await ends({ ...good, fetch, timeout: 2_000 }, { signal: controller.signal })).error, place);
    }
  });
});

describe("JavaScript that has been changed under the package", () => {
  test("built-in prototypes with members added, or frozen", async () => {
    const { result, stderr, code } = await inChild(async ({ body, secret }) => {
      const { authenticate } = await import("digitalpaye-auth");
      const options = { apiKey: "key", apiSecret: secret, maxRetries: 0, fetch: async () => new Response(body) };
      const seen = [];
      await authenticate(options);
      Array.prototype.extra = 1;
      Object.prototype.extra = { any: "page's" };
      Object.prototype.signal = undefined;
      seen.push(await authenticate(options));
      const error = await authenticate({ ...options, fetch: async () => new Response("", { status: 401 }) }).catch((error) => error);
      seen.push(error.code);
      delete Object.prototype.signal;
      for (const each of [Object.prototype, Array.prototype, Function.prototype, Promise.prototype, Error.prototype]) Object.freeze(each);
      seen.push(await authenticate(options));
      const frozen = await authenticate({ ...options, fetch: async () => new Response("", { status: 429 }) }).catch((error) => error);
      seen.push(frozen.name, frozen.code, frozen.message.length > 0);
      return seen;
    }, { body: PAGE[200], secret: SECRET });
    assert.deepEqual(result, [PAGE_TOKEN, "unauthorized", PAGE_TOKEN, "RateLimitError", "rate_limited", true], `${code} ${stderr}`);
  });
});

test("5,000 calls at once, of every kind, and each ends as it should", async () => {
  const kinds = [
    [{ fetch: async () => new Response(PAGE[200]) }, ({ token }) => token !== undefined],
    [{ fetch: async () => new Response(failure(401, "non"), { status: 401 }) }, ({ error }) => error?.code === "unauthorized"],
    [{ fetch: () => Promise.reject(1) }, ({ error }) => error?.code === "network"],
    [{ fetch: () => new Promise(() => {}), timeout: 50 }, ({ error }) => error?.code === "timeout"],
    [{ apiKey: Symbol("s") }, ({ error }) => error?.code === "invalid_options"],
    [{ fetch: async () => new Response("{") }, ({ error }) => error?.code === "invalid_response"],
  ];
  const outcomes = await Promise.all(Array.from({ length: 5_000 }, async (_, index) => {
    const [options, holds] = kinds[index % kinds.length];
    const outcome = await authenticate({ ...good, ...options }).then((token) => ({ token }), (error) => ({ error }));
    return holds(outcome) && leak(index < 60 ? outcome.error : undefined, [SECRET]) === undefined;
  }));
  assert.equal(outcomes.filter((held) => !held).length, 0);
});

// As in a compartment of Hardened JavaScript: Date.now and Math.random throw there, and performance has to be endowed.
describe("clocks and dice that throw", () => {
  const all = { "Date.now": ["Date", "now"], "performance.now": ["performance", "now"], "Math.random": ["Math", "random"] };
  const sets = [...Object.values(all).map((one) => [one]), [all["Date.now"], all["Math.random"]]];
  for (const set of sets) {
    test(`${set.map((names) => names.join(".")).join(" and ")}: from the start a token, later an error at most, and nothing hangs`, async () => {
      const { result, stderr, code } = await inChild(async ({ set, credentials }) => {
        const { AuthError, DigitalpayeAuth } = await import("digitalpaye-auth");
        const originals = set.map(([object, name]) => globalThis[object][name]);
        const change = (make) => set.forEach(([object, name], index) => { globalThis[object][name] = make(originals[index]); });
        const breaks = () => change(() => () => { throw new TypeError("secure mode"); });
        const iat = 1_790_000_000;
        const jwt = `e30.${Buffer.from(JSON.stringify({ iat, exp: iat + 600 })).toString("base64url")}.x`;
        const reply = () => new Response(JSON.stringify({ statusCode: 200, data: { token: jwt, exp: iat + 600 } }));
        const seen = {};
        const outcome = (promise) => promise.then(() => "token", (error) => (AuthError.is(error) ? "AuthError" : String(error)));
        const client = (fetch) => new DigitalpayeAuth({ ...credentials, timeout: 1_000, fetch });

        breaks();
        let calls = 0;
        const auth = client(async () => { calls += 1; if (calls === 1) throw new Error("once"); return reply(); });
        seen.fromTheStart = await outcome(auth.getToken());
        seen.held = await outcome(auth.getToken());
        seen.calls = calls;
        seen.never = await outcome(client(() => new Promise(() => {})).getToken());
        change((original) => original);
        seen.later = await outcome(client(async () => { breaks(); return reply(); }).getToken());
        change((original) => original);
        seen.afterwards = await outcome(client(async () => reply()).getToken());
        return seen;
      }, { set, credentials: { apiKey: good.apiKey, apiSecret: good.apiSecret } });
      assert.equal(code, 0, stderr);
      assert.match(result.later, /^(token|AuthError)$/);
      delete result.later;
      assert.deepEqual(result, { fromTheStart: "token", held: "token", calls: 2, never: "AuthError", afterwards: "token" });
    });
  }
});
