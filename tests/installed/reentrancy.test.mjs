// Foreign code that calls the client back, synchronously, from wherever the client calls it.
import assert from "node:assert/strict";
import { before, beforeEach, describe, test } from "node:test";
import { inChild } from "../lib/child.mjs";
import { rejectionsPerTest } from "../lib/client.mjs";
import { importInstalled } from "../lib/install.mjs";
import { credentials, track } from "../lib/tokens.mjs";
import { scriptedFetch, virtualTime } from "../lib/virtual.mjs";

const time = virtualTime();
const SECOND = 1_000;

let AuthError, DigitalpayeAuth, authenticate;
let api;

before(async () => {
  ({ AuthError, DigitalpayeAuth, authenticate } = await importInstalled());
});
beforeEach(() => {
  time.clear();
  api = scriptedFetch(time);
});
rejectionsPerTest();

const client = (options) =>
  new DigitalpayeAuth({ ...credentials, baseUrl: "http://127.0.0.1:9", fetch: api.fetch, maxRetries: 0, timeout: 10_000, ...options });

async function now(auth, call) {
  const caller = track(auth.getToken(call));
  await time.settle();
  return caller;
}

/** What foreign code may do with the client in the middle of things; `calls` are to settle all the same. */
const actions = {
  "getToken()": (auth, calls) => calls.push(track(auth.getToken())),
  "getToken({})": (auth, calls) => calls.push(track(auth.getToken({}))),
  "getToken({ signal })": (auth, calls) => calls.push(track(auth.getToken({ signal: new AbortController().signal }))),
  "getToken({ signal: aborted })": (auth, calls) => calls.push(track(auth.getToken({ signal: AbortSignal.abort() }))),
  "forceRefresh": (auth, calls) => calls.push(track(auth.getToken({ forceRefresh: true }))),
  "invalidate()": (auth) => auth.invalidate(),
  'invalidate("another")': (auth) => auth.invalidate("another"),
  "fetch()": (auth, calls) => calls.push(track(auth.fetch("/x"))),
  "dispose": (auth) => auth[Symbol.dispose](),
  "a call and its abort": (auth, calls) => {
    const controller = new AbortController();
    calls.push(track(auth.getToken({ signal: controller.signal })));
    controller.abort();
  },
  "everything": (auth, calls) => {
    for (const [name, action] of Object.entries(actions)) if (name !== "everything") action(auth, calls);
  },
};

/**
 * From where it may be done. Each gets `act`, which does it once, builds a client whose foreign code calls it, and brings
 * that about.
 */
const places = {
  "a custom fetch": async (act) => {
    const auth = client({
      fetch: (...args) => {
        const sent = api.fetch(...args);
        act(auth);
        return sent;
      },
    });
    return { auth, calls: [await now(auth)] };
  },
  "a custom fetch that then throws": async (act) => {
    let first = true;
    const auth = client({
      fetch: (...args) => {
        act(auth);
        if (!first) return api.fetch(...args);
        first = false;
        throw new TypeError("no network");
      },
    });
    return { auth, calls: [await now(auth)] };
  },
  "an abort listener on the exchange's signal, at invalidate()": async (act) => {
    const auth = client({
      fetch: (url, init) => {
        init.signal?.addEventListener("abort", () => act(auth));
        return api.fetch(url, init);
      },
    });
    const calls = [await now(auth)];
    auth.invalidate();
    return { auth, calls };
  },
  "an abort listener on the exchange's signal, at a time-out": async (act) => {
    const auth = client({
      fetch: (url, init) => {
        init.signal?.addEventListener("abort", () => act(auth));
        return api.fetch(url, init);
      },
    });
    const calls = [await now(auth)];
    await time.advance(5 * SECOND);
    calls.push(await now(auth));
    await time.advance(5 * SECOND);
    return { auth, calls };
  },
  "an abort listener on the exchange's signal, at the last caller's abort": async (act) => {
    const auth = client({
      fetch: (url, init) => {
        init.signal?.addEventListener("abort", () => act(auth));
        return api.fetch(url, init);
      },
    });
    const controller = new AbortController();
    const calls = [await now(auth, { signal: controller.signal })];
    controller.abort();
    return { auth, calls };
  },
  "an abort listener on the exchange's signal, before a retry": async (act) => {
    const auth = client({
      maxRetries: 2,
      fetch: (url, init) => {
        init.signal?.addEventListener("abort", () => act(auth));
        return api.fetch(url, init);
      },
    });
    const calls = [await now(auth)];
    api.last.fail(503);
    await time.settle();
    return { auth, calls };
  },
  "an abort listener on a caller's signal, ahead of ours": async (act) => {
    const auth = client();
    const controller = new AbortController();
    controller.signal.addEventListener("abort", () => act(auth));
    const calls = [await now(auth, { signal: controller.signal }), await now(auth)];
    controller.abort();
    return { auth, calls };
  },
  "an abort listener on a caller's signal, behind ours": async (act) => {
    const auth = client();
    const controller = new AbortController();
    const calls = [await now(auth, { signal: controller.signal }), await now(auth, { signal: controller.signal })];
    controller.signal.addEventListener("abort", () => act(auth));
    controller.abort();
    return { auth, calls };
  },
  "waitUntil": async (act) => {
    let renews = false;
    const auth = client({ waitUntil: () => renews && act(auth) });
    const first = await now(auth);
    api.last.token(600);
    await first.settled;
    await time.advance(500 * SECOND);
    renews = true;
    return { auth, calls: [await now(auth)] };
  },
  "waitUntil, before there is a token": async (act) => {
    const auth = client({ waitUntil: () => act(auth) });
    return { auth, calls: [await now(auth)] };
  },
  "an AbortController of the page's own": async (act) => {
    const { AbortController: platform } = globalThis;
    const auth = client();
    globalThis.AbortController = class extends platform {
      get signal() {
        act(auth);
        return super.signal;
      }
    };
    try {
      return { auth, calls: [await now(auth)] };
    } finally {
      globalThis.AbortController = platform;
    }
  },
  "dice of the page's own": async (act) => {
    const { random } = Math;
    const auth = client();
    const calls = [await now(auth)];
    Math.random = () => {
      act(auth);
      return 0.5;
    };
    try {
      api.last.token(600);
      await time.settle();
    } finally {
      Math.random = random;
    }
    return { auth, calls };
  },
  "a getter of the call's signal": async (act) => {
    const auth = client();
    const call = {
      get signal() {
        act(auth);
        return new AbortController().signal;
      },
    };
    return { auth, calls: [await now(auth, call)] };
  },
  "a getter of forceRefresh": async (act) => {
    const auth = client();
    const call = {
      get forceRefresh() {
        act(auth);
        return true;
      },
    };
    return { auth, calls: [await now(auth, call)] };
  },
  "a proxy's traps": async (act) => {
    const auth = client();
    const call = new Proxy({}, { get: () => void act(auth) });
    return { auth, calls: [await now(auth, call)] };
  },
  "the status of a custom fetch's response": async (act) => {
    const auth = client({
      fetch: async (...args) => {
        const response = await api.fetch(...args);
        return new Proxy(response, {
          get: (target, name) => {
            act(auth);
            const value = Reflect.get(target, name, target);
            return typeof value === "function" ? value.bind(target) : value;
          },
        });
      },
    });
    const calls = [await now(auth)];
    api.last.token(600);
    await time.settle();
    return { auth, calls };
  },
  "the body of a custom fetch's response": async (act) => {
    const auth = client({
      fetch: async (...args) => {
        const response = await api.fetch(...args);
        const bytes = new Uint8Array(await response.arrayBuffer());
        const stream = new ReadableStream({
          pull: (controller) => {
            act(auth);
            controller.enqueue(bytes);
            controller.close();
          },
        }, { highWaterMark: 0 });
        return new Response(stream, { status: response.status, headers: response.headers });
      },
    });
    const calls = [await now(auth)];
    api.last.token(600);
    await time.settle();
    return { auth, calls };
  },
  "an accessor of Object.prototype that promises look for": async (act) => {
    const auth = client();
    const calls = [await now(auth)];
    api.last.token(600);
    let reads = 0;
    Object.defineProperty(Object.prototype, "then", {
      configurable: true,
      get() {
        if (Object.hasOwn(this, "exp") && (reads += 1) === 1) act(auth);
        return undefined;
      },
    });
    try {
      await time.settle();
    } finally {
      delete Object.prototype.then;
    }
    return { auth, calls };
  },
};

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
