// Refreshes behind a caller's back: the response does not wait for them, and they go on after it.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DATES } from "../lib/workerd.mjs";
import { pause, start } from "./start.mjs";

const EXCHANGE_MS = 400;
/** Tokens that live 10 s are renewed in their last 2 s, and a tenth of that earlier at most. */
const LIFETIME = 10;
const IN_SOFT_WINDOW_MS = 8_400;

/** An isolate whose token is in its soft window, and whose API takes EXCHANGE_MS. */
async function inSoftWindow(t, settings) {
  const run = await start(t, "client", { api: { lifetime: LIFETIME }, ...settings });
  const { token } = await run.ask("/token");
  await pause(IN_SOFT_WINDOW_MS);
  run.api.behave = () => ({ delay: EXCHANGE_MS / 2, bodyDelay: EXCHANGE_MS / 2 });
  return { ...run, token };
}

// They wait most of the time: side by side.
describe("refresh in the background", { concurrency: true }, () => {
  for (const compatibilityDate of DATES) {
    for (const [name, waitUntil] of [["the platform's waitUntil", undefined], ["the option waitUntil", "counted"]]) {
      const settings = { compatibilityDate, platformWaitUntil: waitUntil === undefined, options: { waitUntil } };
      test(`${compatibilityDate}: by ${name}, goes on after the response`, async (t) => {
        const { api, ask, token } = await inSoftWindow(t, settings);
        const answer = await ask("/token");
        assert.equal(answer.token, token, "the held token is served");
        assert.ok(answer.ms < EXCHANGE_MS / 2, `after ${answer.ms} ms`);
        // No other request comes in meanwhile: nothing but waitUntil keeps it going.
        await pause(EXCHANGE_MS + 200);
        assert.equal(api.exchanges.length, 2);
        assert.ok(api.exchanges[1].answered, "the exchange came to its end");
        const next = await ask("/token");
        assert.equal(next.token, api.exchanges[1].token);
        assert.ok(next.ms < EXCHANGE_MS / 2);
        assert.equal(api.exchanges.length, 2);
        if (waitUntil === "counted") {
          const { handedOver } = await ask("/state");
          assert.ok(handedOver.count >= 1, "it was given work");
          assert.equal(handedOver.settled, handedOver.count, "all of which has ended");
        }
      });
    }

    test(`${compatibilityDate}: by an option that throws, harms nobody`, async (t) => {
      const { api, ask, token } = await inSoftWindow(t, { compatibilityDate, options: { waitUntil: "throws" } });
      assert.equal((await ask("/token")).token, token);
      await pause(LIFETIME * 1_000 - IN_SOFT_WINDOW_MS + EXCHANGE_MS);
      const next = await ask("/token");
      assert.notEqual(next.token, token);
      assert.ok(api.minted.has(next.token), JSON.stringify(next));
      assert.ok((await ask("/state")).handedOver.count >= 1, "it was called");
    });

    test(`${compatibilityDate}: without any, dies with its request, and later ones are served`, async (t) => {
      const { api, ask, token } = await inSoftWindow(t, { compatibilityDate, platformWaitUntil: false });
      assert.equal((await ask("/token")).token, token);
      await pause(100);
      const soon = await Promise.all(Array.from({ length: 5 }, () => ask("/token")));
      for (const answer of soon) {
        assert.ok(api.minted.has(answer.token), JSON.stringify(answer));
        assert.ok(answer.ms < EXCHANGE_MS / 2, "the held token is good yet: nobody waits");
      }
      await pause(LIFETIME * 1_000 - IN_SOFT_WINDOW_MS);
      const late = await Promise.all(Array.from({ length: 5 }, () => ask("/token")));
      for (const answer of late) {
        assert.ok(api.minted.has(answer.token), JSON.stringify(answer));
        assert.notEqual(answer.token, token, "the first one's life is over");
        assert.ok(answer.ms < EXCHANGE_MS + 1_500, `after ${answer.ms} ms`);
      }
    });

    test(`${compatibilityDate}: fails, and nobody sees it`, async (t) => {
      const { api, ask, output, token } = await inSoftWindow(t, { compatibilityDate });
      api.behave = () => ({ status: 503 });
      for (let n = 0; n < 20; n += 1) {
        assert.equal((await ask("/token")).token, token);
        await pause(20);
      }
      const sent = api.exchanges.length - 1;
      assert.ok(sent >= 1 && sent <= 3, `20 calls, ${sent} requests: one refresh and its retries`);
      api.behave = () => ({});
      await pause(LIFETIME * 1_000 - IN_SOFT_WINDOW_MS);
      assert.ok(api.minted.has((await ask("/token")).token), "once the token is over, the next caller asks at once");
      assert.equal(output(), "");
    });
  }
});
