// When each event comes, and when none does, for any runtime: nothing in here is Node.js's own.

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const base64url = (value) => btoa(JSON.stringify(value)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const options = { apiKey: "k", apiSecret: "s", baseUrl: "http://127.0.0.1:9", maxRetries: 0 };

/** A reply with a JWT of that life. */
function good(life = 600) {
  const iat = Math.floor(Date.now() / 1_000);
  const token = [{ alg: "HS256" }, { iat, exp: iat + life }, { n: Math.random() }].map(base64url).join(".");
  return new Response(JSON.stringify({ statusCode: 200, message: "Successful", data: { token, exp: iat + life } }));
}
const failing = () => new Response(JSON.stringify({ statusCode: 503, reason: "non" }), { status: 503 });
const inOrder = (...answers) => async () => answers.shift()();

/** What tells events of one type apart: numbers that differ from run to run are left out. */
function outline(event) {
  const { type, source, background, attempts, attempt, operation, problem, retried, error, ...rest } = event;
  const parts = [type, source ?? operation ?? error?.code, problem, background && "background", attempts ?? attempt, "retryInMs" in rest && "retryInMs"];
  if (type === "failure") parts.push(rest.ttlSeconds > 0 ? "held" : "nothing held");
  if (type === "retry") parts.push(rest.delayMs === 0 && "at once");
  if (type === "unauthorized") parts.push(retried ? "retried" : "returned");
  if (Object.hasOwn(event, "cause")) parts.push("with its cause");
  return parts.filter((part) => part !== undefined && part !== false).join(" ");
}

/** Resolves to what came to pass, each kind of moment by its name. */
export async function tellMoments(api) {
  const moments = { background, renewed, order, endedOnArrival, silence, handlers, ...stores() };
  return Object.fromEntries(await Promise.all(Object.entries(moments).map(async ([name, moment]) => [name, await moment(api)])));
}

function listened({ DigitalpayeAuth }, more) {
  const told = [];
  const auth = new DigitalpayeAuth({ ...options, onEvent: (event) => told.push(outline(event)), ...more });
  return { auth, told };
}

// A token of 4 s is renewed behind its callers from 3.2 s to 3.8 s, or up to 0.08 s earlier.
async function background(api) {
  const { auth, told } = listened(api, { fetch: inOrder(() => good(4), failing, () => good()) });
  await auth.getToken();
  await pause(3_400);
  await auth.getToken();
  await pause(1_000);
  await auth.getToken();
  await pause(20);
  return told;
}

async function renewed(api) {
  const { auth, told } = listened(api, { fetch: inOrder(() => good(4), () => good()) });
  await auth.getToken();
  await pause(3_400);
  await auth.getToken();
  await pause(100);
  return told;
}

/** Among the requests: a retry is told before its wait. */
async function order({ DigitalpayeAuth }) {
  const told = [];
  const answer = inOrder(failing, failing, good);
  let waited = true;
  let due;
  const auth = new DigitalpayeAuth({
    ...options, maxRetries: 2,
    fetch: () => {
      waited &&= due === undefined || performance.now() >= due - 5;
      told.push("request");
      return answer();
    },
    onEvent: ({ type, delayMs }) => {
      due = performance.now() + (delayMs ?? 0);
      told.push(type);
    },
  });
  await auth.getToken();
  await pause(20);
  return [...told, waited];
}

async function endedOnArrival(api) {
  const slow = () => {
    const reply = good(1);
    return new Response(new ReadableStream({
      async start(controller) {
        const bytes = new Uint8Array(await reply.arrayBuffer());
        controller.enqueue(bytes.subarray(0, 20));
        await pause(1_300);
        controller.enqueue(bytes.subarray(20));
        controller.close();
      },
    }));
  };
  const { auth, told } = listened(api, { maxRetries: 1, fetch: inOrder(slow, good) });
  await auth.getToken();
  await pause(20);
  return told;
}

/** Nothing happens but one exchange. */
async function silence(api) {
  const { auth, told } = listened(api, {
    store: memoryStore({}), fetch: async (url) => (String(url).endsWith("/v1/auth") ? good() : new Response(null, { status: 403 })),
  });
  await auth.getToken({ signal: AbortSignal.abort() }).catch(() => {});
  await Promise.all([auth.getToken(), auth.getToken(), auth.getToken()]);
  await auth.getToken();
  auth.invalidate("another");
  await auth.fetch("/v1/balance");
  await pause(50);
  return told;
}

/** Each handler by what its client's callers get. */
async function handlers({ DigitalpayeAuth }) {
  const outcomes = {};
  const hows = {
    throws: () => { throw new Error("the handler's"); },
    rejects: async () => { throw new Error("the handler's"); },
    calls: (auth) => {
      auth.invalidate("another");
      return Promise.all([auth.getToken(), auth.fetch("/v1/balance"), auth.getToken({ forceRefresh: true })]);
    },
    disposes: (auth) => auth[Symbol.dispose ?? Symbol.for("Symbol.dispose")](),
  };
  for (const [name, how] of Object.entries(hows)) {
    let calls = 0;
    const answers = [failing, good];
    const auth = new DigitalpayeAuth({
      ...options, maxRetries: 1,
      fetch: async (url) => (String(url).endsWith("/v1/auth") ? (answers.shift() ?? good)() : new Response(null, { status: 200 })),
      onEvent: () => {
        calls += 1;
        return calls < 10 ? how(auth) : undefined;
      },
    });
    const outcome = (call) => call.then(({ token }) => typeof token, ({ code }) => code);
    outcomes[name] = [await outcome(auth.getToken())];
    await pause(50);
    outcomes[name].push(await outcome(auth.getToken()), calls > 0);
  }
  return outcomes;
}

function memoryStore(methods) {
  const entries = new Map();
  return {
    get: async (key) => entries.get(key) ?? null, set: async (key, token) => void entries.set(key, token),
    delete: async (key) => void entries.delete(key), acquire: async () => true, release: async () => {}, ...methods,
  };
}

/** A store that fails in each way, by each of its operations. */
function stores() {
  const ways = { rejects: () => Promise.reject(new Error("the connection is closed")), hangs: () => new Promise(() => {}), nonsense: async () => "text" };
  const moments = {};
  for (const operation of ["get", "set", "delete", "acquire", "release"]) {
    for (const [way, method] of Object.entries(ways)) {
      // What the others give is nothing to look at.
      if (way === "nonsense" && !["get", "acquire"].includes(operation)) continue;
      moments[`${operation} ${way}`] = async (api) => {
        const { auth, told } = listened(api, { store: memoryStore({ [operation]: method }), fetch: async () => good() });
        await auth.getToken();
        if (operation === "delete") auth.invalidate();
        const ofStore = () => told.filter((text) => text.startsWith("store"));
        for (let wait = 0; ofStore().length === 0 && wait < 100; wait += 1) await pause(50);
        await pause(50);
        // A store may be asked again under the lease.
        return [...new Set(ofStore())];
      };
    }
  }
  return moments;
}
