// The callers of a soak, in a process of their own: they do at random what can be done with clients, and check what comes
// of each call.
import "../lib/memories.mjs";
import { setTimeout as sleep } from "node:timers/promises";
import { writeHeapSnapshot } from "node:v8";
import { dice } from "../lib/dice.mjs";
import { credentialForms, leak } from "../lib/leaks.mjs";
import { pages, remembered } from "../lib/memories.mjs";

const LANES = 24;
const CLIENTS = 8;
/** What a busy machine may add to a call's own time. */
const BUSY_MS = 2_000;
/** The API's times are whole seconds: a token may be taken for as much younger than it is. */
const ROUNDING_MS = 1_000;

const dispose = Symbol.dispose ?? Symbol.for("Symbol.dispose");

/**
 * Goes on for `seconds`. `reversed` is the secret backwards, so that no copy of it is here before a client is made.
 * `snapshot` names the file to write the heap to in the end.
 */
export async function soak({ AuthError, DigitalpayeAuth }, { seconds, seed, baseUrl, apiKey, reversed, snapshot }) {
  const { chance, below, pick } = dice(seed);
  const secret = () => [...reversed].reverse().join("");
  const counts = { calls: 0, tokens: 0, errors: 0, aborts: 0, forced: 0, invalidated: 0, clients: 0, fetches: 0 };
  const codes = {};
  const wrong = [];
  let oldest = -Infinity;
  let latest = -Infinity;
  const unhandled = (error) => wrong.push(`nobody handled ${String(error?.stack ?? error)}`);
  process.on("unhandledRejection", unhandled);

  const shared = new Map();
  const store = {
    get: async (key) => shared.get(key),
    set: async (key, token) => void shared.set(key, token),
    delete: async (key) => void shared.delete(key),
  };

  function make() {
    counts.clients += 1;
    const timeout = 500 + below(2_000);
    const client = new DigitalpayeAuth({
      apiKey, apiSecret: secret(), baseUrl, timeout, maxRetries: below(3), ...(chance(0.3) && { store }),
    });
    return { client, timeout, disposed: false };
  }
  const clients = Array.from({ length: CLIENTS }, make);

  function check(error, { disposed }, reason) {
    counts.errors += 1;
    if (reason !== undefined && error === reason) return void (counts.aborts += 1);
    const code = AuthError.is(error) ? error.code : "not ours";
    codes[code] = (codes[code] ?? 0) + 1;
    if (code === "not ours" || (code === "invalid_options" && !disposed)) wrong.push(`a call ended with ${String(error?.stack ?? error)}`);
    // A look at everything takes a while.
    const forms = [...credentialForms({ apiKey, apiSecret: secret() }), "eyJ"];
    const seen = chance(0.05) ? leak(error, forms) : forms.find((form) => `${error?.stack}${error?.reason}`.includes(form));
    if (seen) wrong.push(`${code}: ${seen}`);
  }

  /** Waits for a call for as long as it may take. */
  async function settled(holder, what, promise, reason) {
    counts.calls += 1;
    const begun = performance.now();
    const late = new AbortController();
    const patience = sleep(holder.timeout + BUSY_MS, "no answer", { signal: late.signal, ref: true }).catch(() => {});
    try {
      return await Promise.race([promise.then((value) => ({ value }), (error) => ({ error })), patience]);
    } finally {
      late.abort();
      latest = Math.max(latest, performance.now() - begun - holder.timeout);
    }
  }

  async function getToken(holder, { forceRefresh = false, abortAfter } = {}) {
    const controller = new AbortController();
    const reason = abortAfter === undefined ? undefined : new Error("enough");
    const timer = reason && setTimeout(() => controller.abort(reason), abortAfter);
    const call = forceRefresh || reason ? { forceRefresh, signal: controller.signal } : undefined;
    const end = await settled(holder, "getToken", holder.client.getToken(call));
    clearTimeout(timer);
    if (end === "no answer") return void wrong.push(`getToken gave no answer for ${holder.timeout + BUSY_MS} ms`);
    if ("error" in end) return check(end.error, holder, reason);
    counts.tokens += 1;
    const { token, exp } = end.value;
    const past = Date.now() - exp * 1_000;
    oldest = Math.max(oldest, past);
    if (typeof token !== "string" || past > ROUNDING_MS + 250) wrong.push(`a token ${past} ms past its life`);
    return undefined;
  }

  const steps = [
    [60, (holder) => getToken(holder)],
    [6, (holder) => ((counts.forced += 1), getToken(holder, { forceRefresh: true }))],
    [10, (holder) => getToken(holder, { abortAfter: below(300), forceRefresh: chance(0.3) })],
    [4, ({ client }) => ((counts.invalidated += 1), client.invalidate())],
    [10, async (holder) => {
      counts.fetches += 1;
      const end = await settled({ ...holder, timeout: holder.timeout * 2 + 5_000 }, "fetch", holder.client.fetch("/v1/balance"));
      if (end === "no answer") wrong.push("fetch gave no answer");
      // What is the platform's own: a connection that a fault has left may end as it is used again.
      else if (end.error instanceof TypeError) codes.platform = (codes.platform ?? 0) + 1;
      else if ("error" in end) check(end.error, holder);
      else {
        await end.value.arrayBuffer();
        if (![200, 401].includes(end.value.status)) wrong.push(`fetch: ${end.value.status}`);
      }
    }],
    [1, (holder) => {
      clients[clients.indexOf(holder)] = make();
      holder.disposed = true;
      holder.client[dispose]();
      return getToken(holder);
    }],
  ];
  const total = steps.reduce((sum, [weight]) => sum + weight, 0);
  const begun = performance.now();
  const running = () => performance.now() - begun < seconds * 1_000 && wrong.length < 10;
  const lane = async () => {
    while (running()) {
      let place = below(total);
      const [, act] = steps.find(([weight]) => (place -= weight) < 0);
      await act(pick(clients));
      await sleep(below(80));
    }
  };

  async function size() {
    for (let round = 0; round < 6; round += 1) {
      globalThis.gc();
      await sleep(10);
    }
    return { pages: pages(), heap: process.memoryUsage().heapUsed };
  }
  // What is made once is made by then: compiled code, the platform's own pools.
  const warm = sleep(seconds * 250).then(size);
  await Promise.all(Array.from({ length: LANES }, lane));
  // Of the last exchanges, and of the pages' connections.
  await sleep(3_000);
  const end = await size();
  for (const holder of clients) holder.client[dispose]();
  const { pages: pagesThen, heap: heapThen } = await warm;
  const found = remembered(credentialForms({ apiKey, apiSecret: secret() }));
  if (found) wrong.push(`after dispose, the module's memory holds ${JSON.stringify(found)}`);
  clients.length = 0;
  await size();
  // Engines keep the text that a pattern was last looked for in: not one of our own forms.
  /./.exec("nothing");
  if (snapshot) writeHeapSnapshot(snapshot);
  process.off("unhandledRejection", unhandled);
  return {
    wrong: wrong.slice(0, 10),
    figures: {
      seconds: Math.round((performance.now() - begun) / 1_000), ...counts, codes,
      "ms past exp at most": oldest, "ms past timeout at most": Math.round(latest),
      pages: `${pagesThen} to ${end.pages}`, heapGrowth: end.heap - heapThen, pageGrowth: end.pages - pagesThen,
    },
  };
}
