// The local clock may be wrong, or set while running: the same requests, and no token used past its life.
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { inChild } from "../lib/child.mjs";
import { startTokens } from "../lib/tokens.mjs";

const HOUR = 3_600_000;
const virtual = new URL("../lib/virtual.mjs", import.meta.url).href;
const tokens = new URL("../lib/tokens.mjs", import.meta.url).href;

/**
 * Two virtual hours of calls against a server whose clock is right, in a process whose clock is `skew` ms off before the
 * package is imported, and is set by `steps` ([when, skew] in ms) while it runs.
 */
async function hours({ virtual, tokens, skew, steps, life, opaque, date }) {
  const { virtualTime, scriptedFetch } = await import(virtual);
  const { track } = await import(tokens);
  const time = virtualTime({ skew });
  Math.random = () => 0.5;
  const { DigitalpayeAuth } = await import("digitalpaye-auth");
  const ends = new Map();
  const api = scriptedFetch(time);
  api.answer = (exchange) => {
    const issued = time.now();
    ends.set(exchange.token(life, { opaque, date }), issued + life * 1_000);
  };
  const auth = new DigitalpayeAuth({ apiKey: "k", apiSecret: "s", baseUrl: "http://127.0.0.1:9", fetch: api.fetch });
  let unserved = 0;
  let late = 0;
  while (time.now() < 7_200_000) {
    if (steps.length > 0 && time.now() >= steps[0][0]) time.skew = steps.shift()[1];
    const call = track(auth.getToken());
    await time.settle();
    if (call.state !== "resolved") unserved += 1;
    else if (ends.get(call.value.token) <= time.now()) late += 1;
    await time.advance(7_000);
  }
  return { at: api.exchanges.map(({ at }) => at), unserved, late };
}

const clocks = {
  "an hour ahead": { skew: HOUR, steps: [] },
  "an hour behind": { skew: -HOUR, steps: [] },
  "set an hour ahead while running": { skew: 0, steps: [[1_000_000, HOUR]] },
  "set an hour back while running": { skew: 0, steps: [[1_000_000, -HOUR]] },
  "set back and forth while running": {
    skew: 0,
    steps: [[300_000, HOUR], [700_000, -HOUR], [1_000_000, 0], [2_000_000, HOUR], [4_000_000, -HOUR]],
  },
  "a day ahead": { skew: 24 * HOUR, steps: [] },
  "at 1970": { skew: -56 * 365 * 24 * HOUR, steps: [] },
};

const replies = {
  "a JWT and no Date header": { opaque: false, date: false },
  "a JWT and a Date header": { opaque: false, date: true },
  "an opaque token and a Date header": { opaque: true, date: true },
};

for (const [reply, kind] of Object.entries(replies)) {
  describe(`with ${reply}`, () => {
    const run = (clock) => inChild(hours, { virtual, tokens, life: 600, ...kind, ...clock });
    let right;

    before(async () => {
      const { result, stderr } = await run({ skew: 0, steps: [] });
      assert.ok(result, stderr);
      right = result;
    });

    test("a right clock: a request every 480 to 468 s, every call served", () => {
      assert.equal(right.unserved, 0);
      assert.equal(right.late, 0);
      assert.ok(right.at.length >= 15 && right.at.length <= 16, `${right.at}`);
    });

    for (const [name, clock] of Object.entries(clocks)) {
      // A clock that goes ahead of the monotonic one looks as after a sleep.
      const ahead = clock.steps.filter(([, offset], index) => offset > (clock.steps[index - 1]?.[1] ?? clock.skew)).length;
      test(`a clock ${name}: ${ahead === 0 ? "the same requests at the same times" : "one exchange more for each step ahead, at most"}`, async () => {
        const { result, stderr } = await run(clock);
        if (ahead === 0) return assert.deepEqual(result, right, stderr);
        assert.deepEqual({ ...result, at: [] }, { ...right, at: [] }, stderr);
        assert.ok(result.at.length <= right.at.length + ahead, `${result.at}`);
      });
    }
  });
}

test("with an opaque token and no Date header the local clock is all there is, and it is right at that moment", async () => {
  const kind = { virtual, tokens, life: 600, opaque: true, date: false };
  const right = await inChild(hours, { ...kind, skew: 0, steps: [] });
  assert.equal(right.result.unserved, 0);
  assert.ok(right.result.at.length <= 16);
  // Set back, it changes nothing for the token held.
  const back = await inChild(hours, { ...kind, skew: 0, steps: [[100_000, -HOUR], [400_000, 0]] });
  assert.deepEqual(back.result.late, 0);
  // Set ahead, it looks as after a sleep, and no token that comes can be told to live. No call is served a token past its end,
  // and all are served again once the clock is right.
  const ahead = await inChild(hours, { ...kind, skew: 0, steps: [[100_000, HOUR], [400_000, 0]] });
  assert.equal(ahead.result.late, 0);
  assert.ok(ahead.result.unserved > 0 && ahead.result.at.at(-1) > 6_000_000, JSON.stringify(ahead.result));
});

describe("over HTTP, with a clock that was wrong before the import", () => {
  async function calls({ url, skew }) {
    const { Date: Right } = globalThis;
    globalThis.Date = class Date extends Right {
      constructor(...parts) {
        if (parts.length === 0) super(Right.now() + skew);
        else super(...parts);
      }
      static now() {
        return Right.now() + skew;
      }
    };
    const { DigitalpayeAuth } = await import("digitalpaye-auth");
    const auth = new DigitalpayeAuth({ apiKey: "k", apiSecret: "s", baseUrl: url });
    const seen = new Set();
    for (let call = 0; call < 50; call += 1) seen.add((await auth.getToken()).token);
    return seen.size;
  }

  for (const opaque of [false, true]) {
    for (const skew of [HOUR, -HOUR]) {
      test(`${skew / HOUR} h, ${opaque ? "an opaque token" : "a JWT"}: 50 calls, 1 request`, async () => {
        const api = await startTokens({ opaque });
        try {
          const { result, stderr } = await inChild(calls, { url: api.url, skew });
          assert.equal(result, 1, stderr);
          assert.equal(api.count, 1);
        } finally {
          await api.stop();
        }
      });
    }
  }
});
