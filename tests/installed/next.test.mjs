// Pages of Next.js, which learns from the calls of fetch that a page is not static. Real builds are in tests/frameworks/next.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { importInstalled } from "../lib/install.mjs";
import { installNext } from "../lib/next.mjs";

const { DigitalpayeAuth, authenticate } = await importInstalled();
const options = { apiKey: "k", apiSecret: "s" };
const platformFetch = globalThis.fetch;

let sent;
let dataUrls;
const render = installNext(async (input, init) => {
  const url = typeof input === "string" ? input : input.url;
  if (url.startsWith("data:")) return dataUrls(input, init);
  sent.push(new URL(url).pathname);
  await turn();
  if (!url.endsWith("/v1/auth")) return new Response("balance");
  const data = { token: `token-${sent.length}`, exp: Math.floor(performance.timeOrigin / 1_000) + 600 };
  return new Response(JSON.stringify({ statusCode: 200, data }));
});
const next = globalThis.fetch;

beforeEach(() => {
  sent = [];
  dataUrls = platformFetch;
  globalThis.fetch = next;
});

/** Each way to a token: a page that does nothing else. */
const ways = {
  getToken: (auth) => auth.getToken(),
  "getToken with a signal": (auth) => auth.getToken({ signal: new AbortController().signal }),
  "a forced getToken": (auth) => auth.getToken({ forceRefresh: true }),
  fetch: (auth) => auth.fetch("v1/balance"),
  authenticate: () => authenticate(options),
};

const settled = (promise) => promise.then((value) => ({ value }), (reason) => ({ reason }));
/** Whether nothing has come of it by now; much longer than it takes for something to come. */
const isPending = (promise) => Promise.race([settled(promise).then(() => false), new Promise((done) => setTimeout(done, 300, true))]);

for (const [name, call] of Object.entries(ways)) {
  describe(name, () => {
    for (const held of [false, true]) {
      const state = held ? "a token is held" : "no token is held";
      const clientOf = async () => {
        const auth = new DigitalpayeAuth(options);
        if (held) await auth.getToken();
        sent = [];
        return auth;
      };

      test(`ahead of time, ${state}: Next's own error reaches the page, and nothing is sent`, async () => {
        const auth = await clientOf();
        const { reason } = await settled(render("ahead", () => call(auth)));
        assert.equal(reason?.digest, "DYNAMIC_SERVER_USAGE");
        assert.equal(reason.message, "couldn't be rendered statically");
        assert.deepEqual(sent, []);
      });

      test(`dynamic = "error", ${state}: an error without a digest is no failure of the network either`, async () => {
        const auth = await clientOf();
        const { reason } = await settled(render("strict", () => call(auth)));
        assert.equal(reason?.code, "NEXT_STATIC_GEN_BAILOUT");
        assert.deepEqual(sent, []);
      });

      test(`with cacheComponents, ${state}: the page hangs, and has not asked for the time`, async () => {
        const auth = await clientOf();
        const page = render("partial", () => call(auth));
        assert.equal(await isPending(page), true);
        assert.deepEqual(page.render, { kind: "partial", told: 1, clock: 0 });
        assert.deepEqual(sent, []);
      });

      test(`for a request, ${state}: it is answered, and Next knows before anything is sent that no cache may answer`, async () => {
        const auth = await clientOf();
        const page = render("live", () => call(auth));
        const { value } = await settled(page);
        assert.match(value?.token ?? (await value.text()), /^(token-\d|balance)$/);
        assert.deepEqual([page.render.told, page.render.clock], [1, 0]);
      });
    }
  });
}

test("a client that is made by the page asks for no time", async () => {
  const page = render("partial", () => new DigitalpayeAuth(options).getToken());
  assert.equal(await isPending(page), true);
  assert.equal(page.render.clock, 0);
});

test("pages rendered together: each gets an error of its own", async () => {
  const auth = new DigitalpayeAuth(options);
  const outcomes = await Promise.all([1, 2, 3].map(() => settled(render("ahead", () => auth.getToken()))));
  assert.equal(new Set(outcomes.map(({ reason }) => reason)).size, 3);
  for (const { reason } of outcomes) assert.equal(reason.digest, "DYNAMIC_SERVER_USAGE");
  assert.deepEqual(sent, []);
});

test("five cold starts of six requests, among pages rendered ahead: all 30 get their token, by one exchange each time", async () => {
  for (let start = 0; start < 5; start += 1) {
    sent = [];
    const auth = new DigitalpayeAuth(options);
    const page = (kind) => render(kind, () => auth.getToken());
    const [partial, ahead] = ["partial", "ahead"].map(page);
    const live = Array.from({ length: 6 }, () => page("live"));
    await assert.rejects(ahead, { digest: "DYNAMIC_SERVER_USAGE" });
    for (const { token } of await Promise.all(live)) assert.equal(token, "token-1");
    assert.equal(await isPending(partial), true);
    assert.deepEqual(sent, ["/v1/auth"]);
  }
});

describe("outside of Next's renders", () => {
  const asked = async () => {
    let count = 0;
    dataUrls = (...args) => {
      count += 1;
      return platformFetch(...args);
    };
    const auth = new DigitalpayeAuth(options);
    await auth.getToken();
    await auth.getToken();
    await auth.fetch("v1/balance");
    return count;
  };

  test("nothing is asked", async () => assert.equal(await asked(), 0));

  test("nothing is asked where fetch only looks like anything", async () => {
    globalThis.fetch = new Proxy(next, { get: () => () => {} });
    assert.equal(await asked(), 0);
  });

  test("nothing is asked where nobody may have the global fetch", async (context) => {
    const descriptor = Object.getOwnPropertyDescriptor(globalThis, "fetch");
    context.after(() => Object.defineProperty(globalThis, "fetch", descriptor));
    const get = () => {
      throw new Error("not here");
    };
    Object.defineProperty(globalThis, "fetch", { get, configurable: true });
    const auth = new DigitalpayeAuth({ ...options, fetch: next });
    assert.match((await auth.getToken()).token, /^token-/);
    assert.match((await auth.getToken()).token, /^token-/);
  });
});

describe("Next's fetch behind another one", () => {
  const symbol = Symbol.for("next-patch");
  test("the page asks all the same", async (context) => {
    globalThis[symbol] = true;
    context.after(() => delete globalThis[symbol]);
    globalThis.fetch = (...args) => next(...args);
    const auth = new DigitalpayeAuth(options);
    await auth.getToken();
    const { reason } = await settled(render("ahead", () => auth.getToken()));
    assert.equal(reason?.digest, "DYNAMIC_SERVER_USAGE");
    assert.match((await settled(render("live", () => auth.getToken()))).value.token, /^token-/);
  });
});

test("a platform whose fetch knows no data: URL gets its token", async () => {
  dataUrls = () => Promise.reject(new TypeError("fetch failed"));
  const { value } = await settled(render("live", () => new DigitalpayeAuth(options).getToken()));
  assert.equal(value?.token, "token-1");
});

test("options, signals and disposal are refused in a render as elsewhere", async () => {
  const auth = new DigitalpayeAuth(options);
  const live = (page) => settled(render("live", page));
  const reason = new Error("gone");
  assert.equal((await live(() => auth.getToken({ signal: AbortSignal.abort(reason) }))).reason, reason);
  assert.equal((await live(() => auth.getToken({ signal: 1 }))).reason.code, "invalid_options");
  assert.equal((await live(() => authenticate({ apiKey: "k" }))).reason.code, "invalid_options");
  auth[Symbol.dispose ?? Symbol.for("Symbol.dispose")]();
  assert.equal((await live(() => auth.getToken())).reason.code, "invalid_options");
  assert.deepEqual(sent, []);
});
