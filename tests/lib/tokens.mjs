// An API in the test's own process: the test decides when and how each exchange is answered, and sees who hangs up.
import { startServer } from "./server.mjs";

let minted = 0;

/** A token like no other with its `exp`: a JWT of the API's form, or an opaque one. `now` is the server's clock in ms. */
export function mint(lifetime, { opaque = false, now = Date.now() } = {}) {
  minted += 1;
  const iat = Math.floor(now / 1_000);
  const exp = iat + lifetime;
  if (opaque) return { token: `opaque-${process.pid}-${minted}`, exp };
  const encode = (part) => Buffer.from(JSON.stringify(part)).toString("base64url");
  const token = `${encode({ alg: "HS256", typ: "JWT" })}.${encode({ companyId: `${process.pid}-${minted}`, iat, exp })}.c2ln`;
  return { token, exp };
}

/** The body of a 200. */
export const granted = ({ token, exp }) => JSON.stringify({ statusCode: 200, message: "Successful", data: { token, exp } });

/** The body of a failure. */
export const refused = (status) => JSON.stringify({ statusCode: status, message: "Error", reason: `raison ${status}` });

/** One request for a token, open until the test answers it. */
class Exchange {
  /** The client hung up before it had its answer. */
  hungUp = false;
  #api;
  #response;

  constructor(api, n, request, response) {
    this.#api = api;
    this.#response = response;
    this.n = n;
    this.headers = request.headers;
    this.closed = new Promise((resolve) => {
      response.on("close", () => {
        this.hungUp = !response.writableFinished;
        resolve(this.hungUp);
      });
    });
  }

  /** Answers with a new token. */
  token({ lifetime = this.#api.lifetime, opaque = this.#api.opaque, ...headers } = {}) {
    const grant = mint(lifetime, { opaque });
    this.#api.tokens.push(grant.token);
    this.reply(200, granted(grant), headers);
    return grant.token;
  }

  /** Answers with a failure. */
  fail(status = 503, headers = {}) {
    this.reply(status, refused(status), headers);
  }

  reply(status, body, headers = {}) {
    this.#response.writeHead(status, { "Content-Type": "application/json", ...headers });
    this.#response.end(body);
  }

  /** Answers with the head and a part of the body, and no more. */
  begin(status = 200) {
    this.#response.writeHead(status, { "Content-Type": "application/json", "Content-Length": 400 });
    this.#response.write("{");
  }

  /** Breaks the connection. */
  reset() {
    this.#response.destroy();
  }
}

/**
 * Starts it.
 *
 * `answer(exchange)` is called for every exchange and answers it, at once, later or never; by default it gives a token of
 * `lifetime` seconds. `exchanges` are those that came in, `tokens` those that were handed out. Every other request is
 * for the resource: `resource(request, response)` gets it with `request.text`; by default it answers 401 unless it
 * comes with a token that was handed out and not `revoked`, else 200 with what it received, as JSON.
 */
export async function startTokens({ lifetime = 600, opaque = false } = {}) {
  const arrivals = [];
  const api = {
    lifetime,
    opaque,
    exchanges: [],
    requests: [],
    tokens: [],
    revoked: new Set(),
    answer: (exchange) => exchange.token(),
    resource: (request, response) => api.echo(request, response),
    get count() {
      return api.exchanges.length;
    },
    /** The n-th exchange (from 1), as soon as it has come in; an error if it does not. */
    async exchange(n) {
      const late = AbortSignal.timeout(10_000);
      while (api.exchanges.length < n) {
        await new Promise((resolve, reject) => {
          arrivals.push(resolve);
          late.onabort = () => reject(new Error(`exchange ${n} did not come; ${api.exchanges.length} did`));
        });
      }
      late.onabort = null;
      return api.exchanges[n - 1];
    },
    echo(request, response) {
      const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
      const known = api.tokens.includes(token) && !api.revoked.has(token);
      response.writeHead(known ? 200 : 401, { "Content-Type": "application/json" });
      response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers, text: request.text }));
    },
  };

  const { url, stop } = await startServer(async (request, response) => {
    if (request.method === "POST" && request.url.endsWith("/v1/auth")) {
      request.resume();
      const exchange = new Exchange(api, api.exchanges.length + 1, request, response);
      api.exchanges.push(exchange);
      for (const arrived of arrivals.splice(0)) arrived();
      api.answer(exchange);
      return;
    }
    const chunks = [];
    try {
      for await (const chunk of request) chunks.push(chunk);
    } catch {
      return; // The client hung up.
    }
    request.text = Buffer.concat(chunks).toString();
    api.requests.push(request);
    api.resource(request, response);
  });
  return Object.assign(api, { url, stop });
}

export const credentials = { apiKey: "merchant-key", apiSecret: "merchant-secret" };

// Taken now: a test may put another clock or timer in their place.
const { setTimeout: later } = globalThis;

export const sleep = (milliseconds) => new Promise((resolve) => later(resolve, milliseconds));

/** Waits until something is so (`what`, in words); fails after `milliseconds`. */
export async function until(condition, milliseconds = 5_000, what = condition) {
  for (let waited = 0; !(await condition()); waited += 5) {
    if (waited > milliseconds) throw new Error(`it did not come true in ${milliseconds} ms: ${what}`);
    await sleep(5);
  }
}

/** A promise's state, to be looked at without waiting for it. */
export function track(promise) {
  const call = { state: "pending", value: undefined, error: undefined };
  call.settled = promise.then(
    (value) => Object.assign(call, { state: "resolved", value }),
    (error) => Object.assign(call, { state: "rejected", error }),
  );
  return call;
}

/** Notes every rejection that nobody handled; `check` fails the test if there was one. */
export function watchRejections() {
  const seen = [];
  const note = (reason) => seen.push(reason);
  process.on("unhandledRejection", note);
  return {
    async check(assert) {
      // They are reported once the microtasks have run.
      for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      process.off("unhandledRejection", note);
      assert.deepEqual(seen, []);
    },
  };
}
