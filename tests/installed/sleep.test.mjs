// A machine that sleeps, a frozen container, a resumed snapshot: the monotonic clock stands still, the wall clock goes on.
// No token is used past its end, whatever stage of its life that falls into.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { describe, test } from "node:test";
import { inChild } from "../lib/child.mjs";
import { installed } from "../lib/install.mjs";
import { sleep, startTokens } from "../lib/tokens.mjs";

const virtual = new URL("../lib/virtual.mjs", import.meta.url).href;
const tokens = new URL("../lib/tokens.mjs", import.meta.url).href;
const MINUTE = 60_000;
const pauses = { "a minute": MINUTE, "an hour": 60 * MINUTE, "a month": 30 * 24 * 60 * MINUTE };

/**
 * Sleeps for `pause` ms at `stage` of a token's life of 600 s. The API's clock is right: it goes on. `late` are the tokens
 * past their end that were returned or sent.
 */
async function slept({ virtual, tokens, stage, pause, opaque }) {
  const { virtualTime, scriptedFetch } = await import(virtual);
  const { granted, mint, track } = await import(tokens);
  const time = virtualTime({ turns: 8 });
  Math.random = () => 0.5;
  const { DigitalpayeAuth } = await import("digitalpaye-auth");
  const real = () => time.serverNow() + time.skew;
  const asleep = () => void (time.skew += pause);
  const ends = new Map();
  const late = [];
  const check = (token, where) => void (ends.get(token) > real() || late.push(where));
  const make = () => {
    const grant = mint(600, { opaque, now: real() });
    ends.set(grant.token, real() + 600_000);
    return grant;
  };
  const reply = (grant) => new Response(granted(grant), { headers: { Date: new Date(real()).toUTCString() } });
  let during = () => {};
  let slow;
  const world = scriptedFetch(time);
  const fetch = async (url, init) => {
    if (!String(url).endsWith("/v1/auth")) {
      check(/^Bearer (.+)$/.exec(new Headers(init?.headers ?? url.headers).get("authorization"))[1], "sent");
      return new Response("{}");
    }
    world.exchanges.push(init);
    const grant = make();
    const answer = reply(grant);
    during();
    if (!slow) return answer;
    const { headers } = answer;
    const bytes = new Uint8Array(await answer.arrayBuffer());
    return new Response(new ReadableStream({
      async pull(controller) {
        controller.enqueue(bytes.subarray(0, 10));
        slow();
        controller.enqueue(bytes.subarray(10));
        controller.close();
      },
    }, { highWaterMark: 0 }), { headers });
  };
  let done = false;
  const sleepOnce = () => {
    if (!done) asleep();
    done = true;
  };
  const entries = new Map();
  const store = {
    get: async (key) => {
      const entry = entries.get(key);
      if (stage === "store get" && entry) sleepOnce();
      return entry;
    },
    set: async (key, token) => {
      entries.set(key, token);
      if (stage === "store set") sleepOnce();
    },
  };
  const options = { apiKey: "k", apiSecret: "s", baseUrl: "http://127.0.0.1:9", fetch, ...(stage.startsWith("store") && { store }) };
  const auth = new DigitalpayeAuth(options);
  if (stage === "exchange") during = sleepOnce;
  if (stage === "body") slow = sleepOnce;
  if (stage === "store get") {
    const other = new DigitalpayeAuth(options);
    await other.getToken();
    await time.settle();
  }
  const ask = async () => {
    const call = track(auth.getToken());
    await time.settle();
    await time.until(() => call.state !== "pending", time.now() + 20_000);
    if (call.state !== "resolved") throw call.error ?? new Error("it is still pending");
    check(call.value.token, "returned");
    return call.value.token;
  };
  const first = await ask();
  const before = world.count;
  // As much of its life as the stage says.
  await time.advance({ fresh: 1_000, soft: 500_000, hard: 592_000 }[stage] ?? 0);
  if (stage === "soft" || stage === "hard" || stage === "fresh") asleep();
  const sent = track(auth.fetch("/v1/balance").then(() => undefined));
  const second = await ask();
  await sent.settled;
  if (sent.error) throw sent.error;
  await time.advance(2_000);
  await ask();
  return { late, before, exchanges: world.count - before, changed: second !== first };
}

const stages = ["fresh", "soft", "hard", "exchange", "body", "store get", "store set"];
for (const [kind, opaque] of [["a JWT", false], ["an opaque token", true]]) {
  describe(`with ${kind}`, () => {
    for (const stage of stages) {
      for (const [name, pause] of Object.entries(pauses)) {
        test(`${name} of sleep: ${stage}`, async () => {
          const { result, stderr } = await inChild(slept, { virtual, tokens, stage, pause, opaque });
          assert.ok(result, stderr);
          assert.deepEqual(result.late, []);
          assert.ok(result.exchanges <= 1, `${result.exchanges} exchanges after it`);
          if (pause > 600_000 && ["fresh", "soft", "hard"].includes(stage)) {
            assert.equal(result.exchanges, 1);
            assert.ok(result.changed);
          }
          if (pause > 600_000 && ["exchange", "body"].includes(stage)) assert.equal(result.before, 2, "another attempt in its place");
        });
      }
    }
  });
}

describe("the wall clock alone is set", () => {
  async function set({ virtual, tokens, step, fake }) {
    const { virtualTime, scriptedFetch } = await import(virtual);
    await import(tokens);
    const time = virtualTime();
    Math.random = () => 0.5;
    const { DigitalpayeAuth } = await import("digitalpaye-auth");
    const api = scriptedFetch(time);
    api.answer = (exchange) => exchange.token(600);
    const auth = new DigitalpayeAuth({ apiKey: "k", apiSecret: "s", baseUrl: "http://127.0.0.1:9", fetch: api.fetch });
    await auth.getToken();
    if (fake) {
      // As Jest's setSystemTime: another Date, the rest as it was.
      const { Date: Before } = globalThis;
      const start = Before.now();
      globalThis.Date = class Date extends Before {
        constructor(...parts) { if (parts.length === 0) super(start + step); else super(...parts); }
        static now() { return start + step; }
      };
    } else {
      time.skew = step;
    }
    const counts = [];
    for (let call = 0; call < 5; call += 1) {
      await auth.getToken();
      await time.settle();
      counts.push(api.count);
      await time.advance(1_000);
    }
    return counts;
  }
  const run = async (input) => {
    const { result, stderr } = await inChild(set, { virtual, tokens, ...input });
    assert.ok(result, stderr);
    return result;
  };

  for (const fake of [false, true]) {
    const how = fake ? "by another Date" : "by the machine";
    for (const [name, back] of Object.entries(pauses)) {
      test(`${name} back, ${how}: nothing changes`, async () => {
        assert.deepEqual(await run({ step: -back, fake }), [1, 1, 1, 1, 1]);
      });
    }
    test(`a minute forward, ${how}: the token has life left`, async () => {
      assert.deepEqual(await run({ step: MINUTE, fake }), [1, 1, 1, 1, 1]);
    });
    for (const forward of [60 * MINUTE, 30 * 24 * 60 * MINUTE]) {
      test(`${forward / MINUTE} minutes forward, ${how}: one exchange`, async () => {
        assert.deepEqual(await run({ step: forward, fake }), [2, 2, 2, 2, 2]);
      });
    }
  }
});

test("for real: a process that is stopped for longer than its token lives", async () => {
  const api = await startTokens({ lifetime: 3 });
  const source = `
    import { createInterface } from "node:readline";
    const { DigitalpayeAuth } = await import("digitalpaye-auth");
    const auth = new DigitalpayeAuth({ apiKey: "k", apiSecret: "s", baseUrl: ${JSON.stringify(api.url)} });
    for await (const _ of createInterface(process.stdin)) {
      const { token } = await auth.getToken();
      const response = await auth.fetch("/v1/balance");
      console.log(JSON.stringify({ token, at: Date.now(), status: response.status }));
    }
  `;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", source], { cwd: await installed(), stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const ask = async () => {
    child.stdin.write("\n");
    return JSON.parse((await lines.next()).value);
  };
  try {
    const first = await ask();
    assert.equal((await ask()).token, first.token);
    child.kill("SIGSTOP");
    // Asked while it stands still.
    const answer = ask();
    await sleep(4_000);
    api.revoked.add(first.token);
    child.kill("SIGCONT");
    const { token, status } = await answer;
    assert.notEqual(token, first.token);
    assert.equal(status, 200);
    assert.equal(api.count, 2);
    assert.ok(!api.requests.some(({ headers }, index) => index > 1 && headers.authorization === `Bearer ${first.token}`), "never sent again");
  } finally {
    child.kill("SIGKILL");
    await api.stop();
  }
});
