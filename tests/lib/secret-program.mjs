// What `apiSecret` may do as a function, for any runtime: nothing in here is Node.js's own.

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
// Put together at each call: what finds it in the heap does not find this text.
const secret = (end = "") => ["secret", "of", "the", "function"].join("-") + end;

/** What callers got of each kind of function; and which errors, events and clients, all of which `kept` gets, hold the secret. */
export async function tellSecrets({ DigitalpayeAuth, authenticate }, kept = []) {
  const exp = Math.floor(Date.now() / 1_000) + 600;
  const good = () => new Response(JSON.stringify({ statusCode: 200, message: "Successful", data: { token: "opaque", exp } }));
  const refused = () => new Response(JSON.stringify({ statusCode: 401, reason: "non" }), { status: 401 });
  const cause = new Error("the vault is closed");

  /** Runs `use(auth)` with a client whose function gives these, the last one again and again. */
  async function tell(secrets, answers, use = (auth) => auth.getToken(), more) {
    let asked = 0;
    let requests = 0;
    let signal;
    const events = [];
    const auth = new DigitalpayeAuth({
      apiKey: "k", baseUrl: "http://127.0.0.1:9", maxRetries: 0, ...more,
      // Not async: what rejects is the package's to handle.
      apiSecret: (call) => {
        signal = call.signal;
        asked += 1;
        const given = secrets[Math.min(asked, secrets.length) - 1];
        return typeof given === "function" ? given() : given;
      },
      fetch: async () => answers[Math.min(requests++, answers.length - 1)](),
      onEvent: (event) => {
        kept.push(event, event.error);
        events.push(event.type);
      },
    });
    let outcome;
    try {
      outcome = await use(auth);
      outcome = outcome.token ?? outcome;
    } catch (error) {
      kept.push(error);
      outcome = error.name;
      if (error.code === "credentials") outcome += error.cause === cause ? " with its cause" : "";
    }
    await pause(20);
    kept.push(auth);
    return { outcome, asked, requests, aborted: signal.aborted, events };
  }

  const told = {
    thousand: await tell([() => pause(20).then(() => secret())], [good], async (auth) => {
      const grants = await Promise.all(Array.from({ length: 1_000 }, () => auth.getToken()));
      return `${new Set(grants.map(({ token }) => token)).size} token`;
    }),
    hangs: await tell([() => new Promise(() => {})], [good], undefined, { timeout: 80 }),
    rejects: await tell([() => Promise.reject(cause)], [good]),
    number: await tell([4711], [good]),
    same: await tell([() => secret()], [refused]),
    another: await tell([() => secret("-1"), () => secret("-2")], [refused, good]),
    once: { outcome: (await authenticate({ apiKey: "k", apiSecret: () => secret(), baseUrl: "http://127.0.0.1:9", fetch: async () => good() })).token },
  };
  const texts = kept.map((value) => `${String(value)} ${JSON.stringify(value)} ${value?.message} ${value?.stack} ${String(value?.cause)}`).join("\n");
  return { told, shown: [secret(), btoa(`k:${secret()}`), "4711"].filter((text) => texts.includes(text)) };
}
