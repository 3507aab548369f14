// The option waitUntil: it gets every flight, from its start to the end of its work.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { importInstalled } from "../lib/install.mjs";
import { credentials, track } from "../lib/tokens.mjs";
import { SECOND, api, client, now, time, virtualApiPerTest } from "../lib/virtual-client.mjs";

const { DigitalpayeAuth, InvalidOptionsError } = await importInstalled();
let works;
virtualApiPerTest();
beforeEach(() => {
  works = [];
});

const note = (work) => {
  works.push({ work, ...track(work) });
  const entry = works.at(-1);
  work.then(() => (entry.state = "resolved"), () => (entry.state = "rejected"));
};

async function holding(options) {
  const auth = client({ waitUntil: note, ...options });
  const first = track(auth.getToken());
  await time.settle();
  const token = api.last.token(600);
  await first.settled;
  await time.settle();
  assert.deepEqual(works.splice(0).map(({ state }) => state), options?.waitUntil ? [] : ["resolved"], "that of the first exchange");
  const from = api.last.at;
  return { auth, token, at: (seconds) => time.advanceTo(from + seconds * SECOND) };
}

test("it gets a promise of its own for each refresh behind a caller's back, in the caller's turn", async () => {
  const { auth, at } = await holding();
  for (let renewal = 1; renewal <= 3; renewal += 1) {
    await time.advance(500 * SECOND);
    const call = auth.getToken();
    assert.equal(works.length, renewal, "while the request that called is still there");
    assert.ok(works.at(-1).work instanceof Promise);
    await call;
    await auth.getToken();
    await time.settle();
    assert.equal(works.length, renewal, "one a refresh, not one a call");
    assert.equal(works.at(-1).state, "pending");
    api.last.token(600);
    await time.settle();
    assert.equal(works.at(-1).state, "resolved");
  }
  assert.equal(new Set(works.map(({ work }) => work)).size, 3);
  assert.equal(typeof at, "function");
});

describe("it gets one a flight", () => {
  test("also where a caller waits: forced, hard window, after the end, after invalidate()", async () => {
    const { auth } = await holding();
    await auth.getToken();
    const answer = async (call) => {
      const caller = await now(auth, call);
      assert.equal(works.at(-1).state, "pending", "from its start");
      api.last.token(600);
      await caller.settled;
      await time.settle();
      assert.equal(works.at(-1).state, "resolved", "to its end");
    };
    await answer({ forceRefresh: true });
    await time.advance(595 * SECOND);
    await answer();
    await time.advance(601 * SECOND);
    await answer();
    auth.invalidate();
    await answer();
    const waiting = await now(auth, { forceRefresh: true });
    auth.invalidate();
    await time.settle();
    api.last.token(600);
    await waiting.settled;
    await time.settle();
    assert.equal(api.count, 7);
    assert.deepEqual(works.map(({ state }) => state), Array(6).fill("resolved"));
  });

  test("while a refresh is cooling down", async () => {
    const { auth, at } = await holding();
    await at(500);
    await now(auth);
    api.last.fail(503);
    await time.settle();
    for (let call = 0; call < 4; call += 1) {
      await now(auth);
      await time.advance(SECOND);
    }
    assert.equal(works.length, 1);
    await time.advance(1_001);
    await now(auth);
    assert.equal(works.length, 2);
  });
});

describe("the promise settles, and never rejects", () => {
  const ends = {
    "when the refresh fails": () => api.last.fail(503),
    "when it fails by the network": () => api.last.reject(new TypeError("fetch failed")),
    "when it is no token": () => api.last.reply(200, "nonsense"),
    "when it times out": () => time.advance(31 * SECOND),
    "when it is invalidated": (auth) => auth.invalidate(),
    "when the client is disposed of": (auth) => auth[Symbol.dispose](),
  };
  for (const [name, end] of Object.entries(ends)) {
    test(name, async () => {
      const { auth, at } = await holding();
      await at(500);
      await now(auth);
      assert.equal(works[0].state, "pending");
      await end(auth);
      await time.settle();
      assert.equal(works[0].state, "resolved");
      assert.equal(works.length, 1);
    });
  }

  test("after the last retry, not before", async () => {
    const { auth, at } = await holding({ maxRetries: 1 });
    await at(500);
    await now(auth);
    api.last.fail(503);
    await time.settle();
    assert.equal(works[0].state, "pending");
    await time.advance(300);
    assert.equal(api.count, 3);
    api.last.fail(503);
    await time.settle();
    assert.equal(works[0].state, "resolved");
  });

  test("it shows no token", async () => {
    const { auth, at } = await holding();
    await at(500);
    await now(auth);
    api.last.token(600);
    assert.equal(await works[0].work, undefined);
  });
});

describe("a waitUntil that misbehaves harms nobody", () => {
  const kinds = {
    "throws an error": () => {
      throw new Error("no request here");
    },
    "throws undefined": () => {
      throw undefined;
    },
    "returns a promise that rejects": () => Promise.reject(new Error("later")),
    "is an async function that throws": async () => {
      throw new Error("async");
    },
    "returns a thenable that throws": () => ({
      then() {
        throw new Error("then");
      },
    }),
    "returns an object whose then cannot be read": () => ({
      get then() {
        throw new Error("getter");
      },
    }),
    "returns a promise that never settles": () => new Promise(() => {}),
    "returns nonsense": () => 42,
    "needs a receiver": function () {
      return this.waitUntil;
    },
  };
  for (const [name, waitUntil] of Object.entries(kinds)) {
    test(`one that ${name}`, async () => {
      let calls = 0;
      const { auth, token, at } = await holding({
        waitUntil(...args) {
          calls += 1;
          assert.equal(args.length, 1);
          return Reflect.apply(waitUntil, this, args);
        },
      });
      calls = 0;
      await at(500);
      assert.equal((await now(auth)).value?.token, token);
      assert.equal(calls, 1);
      const next = api.last.token(600);
      await time.settle();
      assert.equal((await now(auth)).value?.token, next);
    });
  }
});

for (const value of [null, 1, {}, "waitUntil"]) {
  test(`a waitUntil that is no function (${String(value)}) is an option at fault`, () => {
    assert.throws(
      () => new DigitalpayeAuth({ ...credentials, waitUntil: value }),
      (error) => error instanceof InvalidOptionsError && error.option === "waitUntil",
    );
  });
}
