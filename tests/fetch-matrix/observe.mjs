// Runs in the runtime that is looked at: calls fetch in every form, and tells what the caller sees.
import { forms } from "./forms.mjs";

/** How long the caller waits before what it does "later", in milliseconds. */
const LATER_MS = 40;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const words = (error) => `${error?.name}: ${error?.message}`.replaceAll(/https?:\/\/[^\s"')]+/g, "URL");

async function call(fetch, { make }, url) {
  let made;
  try {
    made = make(url);
  } catch (error) {
    return { impossible: words(error) };
  }
  const { args, change, later, look = () => undefined, reason } = made;
  let promise;
  try {
    promise = fetch(...args);
  } catch (error) {
    return { thrown: words(error) };
  }
  const outcome = promise.then(
    async ({ status, type, redirected, body }) => {
      await body?.cancel();
      return { status, type, redirected };
    },
    (error) => ({ rejected: error === reason ? "the caller's reason" : words(error) }),
  );
  const atOnce = String(look());
  change?.();
  const changed = String(look());
  if (later) {
    await sleep(LATER_MS);
    later();
  }
  const seen = await Promise.race([outcome, sleep(5_000).then(() => ({ hangs: true }))]);
  await sleep(0);
  return { ...seen, atOnce, changed, atLast: String(look()) };
}

/** What the caller sees, by form, first answer and fetch. `baseUrl` is the matrix's server. */
export async function observe({ DigitalpayeAuth }, baseUrl, only) {
  const cases = [];
  const all = Object.entries(forms).filter(([name]) => !only || name === only);
  const one = async ([name, form]) => {
    for (const first of [200, 401]) {
      const at = (who) => `${baseUrl}/${encodeURIComponent(name)}/${first}/${who}`;
      const auth = new DigitalpayeAuth({ apiKey: "key", apiSecret: "secret", baseUrl: at("ours"), maxRetries: 0 });
      const [plain, ours] = [await call((...args) => fetch(...args), form, `${at("plain")}/x`), await call((...args) => auth.fetch(...args), form, `${at("ours")}/x`)];
      const { replays = true, gainsLength = false, isAborted = false, isLate = false } = form;
      cases.push({ name, first, replays, gainsLength, isAborted, isLate, plain, ours });
    }
  };
  // Several at a time: some wait.
  const queue = [...all];
  await Promise.all(Array.from({ length: 4 }, async () => {
    while (queue.length > 0) await one(queue.shift());
  }));
  return { cases };
}
