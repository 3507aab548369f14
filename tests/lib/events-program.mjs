// A client's life in which each kind of event comes, for any runtime: nothing in here is Node.js's own.

/** What `onEvent` was told, in order, as JSON can carry it; and whether any of it holds what must not be there. */
export async function tellAll({ DigitalpayeAuth, authenticate }) {
  const exp = Math.floor(Date.now() / 1_000) + 600;
  const secret = "secret-of-the-program";
  const token = "opaque-token-of-the-program";
  const good = () => new Response(JSON.stringify({ statusCode: 200, message: "Successful", data: { token, exp } }));
  const failing = (status, headers) => () => new Response(JSON.stringify({ statusCode: status, reason: "non" }), { status, headers });
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const told = [];
  const kept = [];
  const onEvent = (event) => {
    kept.push(event, event.error, event.cause);
    const { error, ...rest } = event;
    const shape = { ...rest, frozen: Object.isFrozen(event), hasCause: Object.hasOwn(event, "cause"), ...(error && { error: { name: error.name, code: error.code, attempts: error.attempts } }) };
    for (const name of ["ttlSeconds", "durationMs", "delayMs", "retryInMs"]) if (name in shape) shape[name] = typeof shape[name] === "number" && shape[name] >= 0;
    if ("exp" in shape) shape.exp = shape.exp === exp;
    told.push(shape);
    // Neither of these harms anybody.
    if (told.length % 2 === 0) return Promise.reject(new Error("the handler's"));
    throw new Error("the handler's");
  };
  const answering = (...answers) => async (url) => (String(url).endsWith("/v1/auth") ? answers.shift()() : new Response("{}", { status: 401 }));
  const options = { apiKey: "k", apiSecret: secret, baseUrl: "http://127.0.0.1:9", onEvent };
  const store = {
    get: async () => null,
    set: async (key, entry) => { throw new Error(`ERR failed, command was: ["set","${key}","${entry.token}"]`); },
  };

  const auth = new DigitalpayeAuth({ ...options, maxRetries: 1, store, fetch: answering(failing(503), good, failing(401)) });
  await auth.getToken();
  await auth.getToken();
  await pause(20);
  await auth.fetch("/v1/balance").catch(() => {});
  await pause(20);
  const served = new DigitalpayeAuth({ ...options, store: { get: async () => ({ token, exp }), set: async () => {} } });
  await served.getToken();
  await authenticate({ ...options, maxRetries: 0, fetch: answering(failing(429, { "Retry-After": "60" })) }).catch(() => {});
  const controller = new AbortController();
  const aborted = authenticate({ ...options, fetch: () => new Promise(() => {}) }, { signal: controller.signal }).catch(() => {});
  await pause(5);
  controller.abort();
  await aborted;
  await pause(20);

  const texts = kept.map((value) => `${String(value)} ${JSON.stringify(value)} ${value?.message} ${value?.stack}`).join("\n");
  const shown = [secret, btoa(`k:${secret}`), token].filter((text) => texts.includes(text));
  return { told, shown };
}
