// Minutes of random faults and random callers. Beside them, sequences whose every exchange a model predicts.
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../../scripts/lib/temporary.mjs";
import { faults } from "../faults/faults.mjs";
import { startProxy } from "../faults/proxy.mjs";
import { inChild } from "../lib/child.mjs";
import { dice } from "../lib/dice.mjs";
import { credentialForms } from "../lib/leaks.mjs";
import { startSandbox } from "../lib/sandbox.mjs";
import { heldBy } from "../lib/snapshot.mjs";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const apiKey = "soak_key";
const apiSecret = "s0ak-secret-that-nobody-may-see";
const reversed = [...apiSecret].reverse().join("");

/** How much the heap may grow: what the collector has left, and what the platform keeps. */
const HEAP = 3_000_000;

/** Soaks for `seconds`; throws what it found wrong. Resolves to its figures. */
export async function soak({ seconds, seed }) {
  const [random, exact] = await Promise.all([randomly({ seconds, seed }), exactly({ seconds, seed })]);
  return { seed, random, exact };
}

/** Real time, real sockets, tokens that live for seconds. */
async function randomly({ seconds, seed }) {
  const { chance, pick } = dice(seed + 1);
  const standIn = await startSandbox({ apiKey, apiSecret, lifetime: 3, distinctTokens: true });
  const usable = faults.filter(({ deliver, certificate, refused }) => deliver && !certificate && !refused);
  const harmful = { count: 0 };
  const proxy = await startProxy({
    deliver(exchange, reply) {
      if (chance(0.6)) return exchange.end(Buffer.concat([reply.head, reply.body]));
      harmful.count += 1;
      return pick(usable).deliver(exchange, { ...reply, elsewhere: "http://127.0.0.1:9" });
    },
  }, standIn);
  const snapshot = join(temporaryFolder("soak"), "end.heapsnapshot");
  try {
    const { result, stdout, stderr } = await inChild(
      async ({ callers, ...input }) => (await import(callers)).soak(await import("digitalpaye-auth"), input),
      { callers: here("callers.mjs"), seconds, seed, baseUrl: proxy.url, apiKey, reversed, snapshot },
      { flags: ["--expose-gc"], timeout: (seconds + 60) * 1_000 },
    );
    assert.ok(result, `the callers ended early: ${stdout}${stderr}`);
    const { wrong, figures } = result;
    assert.deepEqual(wrong, [], `${JSON.stringify(figures)}`);
    assert.ok(figures.pageGrowth <= 2, `wasm memory grew by ${figures.pageGrowth} pages`);
    assert.ok(figures.heapGrowth < HEAP, `the heap grew by ${figures.heapGrowth} bytes`);
    const exchanges = proxy.exchanges();
    // Each asked for three times at most, by retries; a client renews every 2 s or so, as long as somebody asks.
    const asked = figures.forced + figures.invalidated + figures.clients + figures.aborts + figures.fetches + 8 * (figures.seconds / 2);
    const failed = Object.values(figures.codes).reduce((sum, count) => sum + count, 0);
    assert.ok(exchanges <= 3 * (asked + failed), `${exchanges} exchanges for ${asked} that were asked for and ${failed} that failed`);
    const forms = credentialForms({ apiKey, apiSecret });
    for (const [name, text] of Object.entries({ stdout, stderr })) {
      assert.equal([...forms, "eyJ"].find((form) => text.includes(form)), undefined, `in ${name}`);
    }
    const shown = await heldBy(snapshot, [...forms, reversed]);
    assert.deepEqual(shown, [reversed], "in the heap's snapshot; what is searched for backwards is found");
    return { ...figures, exchanges, faults: harmful.count };
  } finally {
    await proxy.stop();
    await standIn.stop();
  }
}

/** Virtual time: hours of it, one sequence after the other. */
async function exactly({ seconds, seed }) {
  const { result, stdout, stderr } = await inChild(async ({ model, virtual, seconds, seed }) => {
    const { performance } = globalThis;
    const now = performance.now.bind(performance);
    const { virtualTime } = await import(virtual);
    const time = virtualTime();
    const { DigitalpayeAuth } = await import("digitalpaye-auth");
    const { sequence } = await import(model);
    Math.random = () => 0;
    const sum = { sequences: 0, calls: 0, exchanges: 0 };
    const begun = now();
    try {
      while (now() - begun < seconds * 1_000) {
        sum.sequences += 1;
        const { calls, exchanges } = await sequence(DigitalpayeAuth, time, seed + sum.sequences);
        sum.calls += calls;
        sum.exchanges += exchanges;
      }
    } catch (error) {
      return { error: error.stack };
    }
    return { ...sum, hours: Math.round(time.now() / 3_600_000) };
  }, { model: here("../lib/model.mjs"), virtual: here("../lib/virtual.mjs"), seconds, seed }, { timeout: (seconds + 60) * 1_000 });
  assert.ok(result, `${stdout}${stderr}`);
  assert.equal(result.error, undefined);
  return result;
}
