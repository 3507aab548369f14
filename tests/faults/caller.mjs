// What each runtime does with a fault: a call that meets it, and one once it is gone.
import { pages, remembered } from "../lib/memories.mjs";
import { leak } from "../lib/leaks.mjs";

/** Meets every fault that `control` has, a few at once. The report is plain data. */
export async function meetAll(api, control) {
  const ask = async (path) => (await fetch(`${control}${path}`)).json();
  const { faults, atOnce, texts } = await ask("/faults");
  const results = [];
  const left = [...faults];
  const lane = async () => {
    for (let fault = left.shift(); fault; fault = left.shift()) results.push(await meet(api, fault, texts, ask));
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return { cases: results, pages: pages(), remembered: remembered(texts) };
}

async function meet({ AuthError, DigitalpayeAuth }, { id, options }, texts, ask) {
  const clients = [];
  async function call(settings) {
    const begun = Date.now();
    const end = { id };
    try {
      if (settings) clients.push(new DigitalpayeAuth(settings));
      const { token } = await clients.at(-1).getToken();
      end.ends = typeof token === "string" ? "token" : typeof token;
    } catch (error) {
      const { name, status, attempts, message } = error ?? {};
      Object.assign(end, { ends: AuthError.is(error) ? name : `not ours: ${String(error)}`, status, attempts, message });
      // It may hold the other's promise of a token, but neither credentials nor a token.
      end.leak = leak(error, [...texts, "eyJ"]);
    }
    return { ...end, ms: Date.now() - begun };
  }

  const first = await call(options);
  const { baseUrl } = await ask(`/heal/${id}`);
  let next = await call(baseUrl === options.baseUrl ? undefined : { ...options, baseUrl });
  // Where the fault had no end, the client has little time; a browser that unpacks a bomb meanwhile may take it all.
  for (let more = 3; next.ends === "TimeoutError" && more > 0; more -= 1) next = await call();
  for (const client of clients) client[Symbol.dispose ?? Symbol.for("Symbol.dispose")]();
  return { ...first, next: next.ends };
}
