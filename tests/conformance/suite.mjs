// What the package does, written once for every engine: nothing is imported or used that is not in all of them.
import { check, describe, equal, failure, isError, pause, rejection, until, within } from "./expect.mjs";

const KEY = "sandbox_key";
const SECRET = "sandbox_secret";
const PATIENCE_MS = 5_000;

/**
 * Prepares a run. It is to be called at module scope, before anything else: the first thing that it does is to make a
 * client and an emulator, which has to work there.
 *
 * `api` is what the package exports, `subpaths` what its subpaths do. `control` tells the stand-in at `baseUrl` what to do
 * (see control.mjs). `hides` names what the engine keeps from every script: "redirects" (status and headers of a
 * redirect), "headers" (those of a reply from another origin, such as `Date`).
 *
 * The run resolves to `{ cases: [{ name, passed, error?, limit?, ms }], hides }`, plain JSON.
 */
export function conformance({ api, subpaths, baseUrl, control, hides = [] }) {
  const first = new api.DigitalpayeAuth({ apiKey: KEY, apiSecret: SECRET, baseUrl });
  const emulator = subpaths.createEmulator();
  const context = { ...api, ...subpaths, first, emulator, baseUrl, control, hidden: (what) => hides.includes(what) };

  return async function run() {
    const cases = [];
    for (const [title, body] of Object.entries(CASES)) {
      const entry = { name: title, passed: true };
      const begun = Date.now();
      try {
        // What was sent by importing and constructing is for the first case to see.
        if (cases.length > 0) await control.reset();
        entry.limit = await within(title === Object.keys(CASES)[0] ? PATIENCE_MS * 2 : PATIENCE_MS, body(context));
      } catch (error) {
        entry.passed = false;
        entry.error = describe(error);
      }
      entry.ms = Date.now() - begun;
      cases.push(entry);
    }
    return { cases, hides };
  };
}

// Each returns nothing, or says what of it the engine cannot do; then it has checked what happens instead.
const CASES = {
  async "a client made at module scope has sent nothing, and gets a token"({ first, control }) {
    equal((await control.requests()).length, 0, "requests before the first call");
    const grant = await first.getToken();
    equal(Object.keys(grant).sort().join(), "exp,token", "properties");
    equal(Object.isFrozen(grant), true, "frozen");
    equal(grant.token.split(".").length, 3, "parts of the token");
    const life = grant.exp - Date.now() / 1_000;
    check(life > 590 && life < 610, `a life of 600 s, not ${life}`);
    equal((await first.getToken()).token, grant.token, "the token of the second call");
    equal((await control.requests()).length, 1, "requests");
  },

  async "authenticate: one exchange a call, the request as documented"(context) {
    const { authenticate, control } = context;
    await authenticate(options(context, { environment: "Sandbox" }));
    const grant = await authenticate(options(context));
    equal(typeof grant.token, "string", "token");
    const requests = await control.requests();
    equal(requests.length, 2, "requests");
    equal(requests[0].method, "POST", "method");
    equal(requests[0].bodyLength, 0, "body");
    equal(header(requests[0], "X-Environment"), "Sandbox", "X-Environment");
    equal(header(requests[1], "X-Environment"), "Production", "X-Environment");
    equal(header(requests[0], "Authorization"), "Basic c2FuZGJveF9rZXk6c2FuZGJveF9zZWNyZXQ=", "Authorization");
    equal(header(requests[0], "Content-Type"), undefined, "Content-Type");
  },

  async "credentials are UTF-8 on the wire"(context) {
    const { authenticate, control } = context;
    // The second example of RFC 7617, and four bytes a character.
    for (const [apiKey, apiSecret, basic] of [
      ["test", "123\u00a3", "Basic dGVzdDoxMjPCow=="],
      ["cl\u00e9", "\u{1f511}\u043a\u043b\u044e\u0447", "Basic Y2zDqTrwn5SR0LrQu9GO0Yc="],
    ]) {
      await control.reset();
      await control.config({ apiKey, apiSecret });
      const grant = await authenticate(options(context, { apiKey, apiSecret }));
      equal(typeof grant.token, "string", "token");
      equal(header((await control.requests())[0], "Authorization"), basic, "Authorization");
    }
  },

  async "InvalidOptionsError: names the option, and nothing is sent"(context) {
    const { DigitalpayeAuth, InvalidOptionsError, authenticate, control } = context;
    const wrong = {
      apiKey: "a:b", apiSecret: "", environment: "é", baseUrl: "ftp://127.0.0.1", timeout: -1, maxRetries: 11, fetch: null,
    };
    for (const [option, value] of Object.entries(wrong)) {
      const expected = { code: "invalid_options", option, retryable: false, attempts: 0 };
      await rejection(authenticate(options(context, { [option]: value })), InvalidOptionsError, expected);
      let thrown;
      try {
        new DigitalpayeAuth(options(context, { [option]: value }));
      } catch (error) {
        thrown = error;
      }
      isError(thrown, InvalidOptionsError, expected);
    }
    equal((await control.requests()).length, 0, "requests");
  },

  async "BadRequestError"(context) {
    await context.control.script({ status: 400 });
    await rejection(context.authenticate(options(context)), context.BadRequestError, {
      code: "bad_request", status: 400, retryable: false, attempts: 1,
    });
  },

  async "UnauthorizedError: the API's own words, and no second request"(context) {
    const error = await rejection(context.authenticate(options(context, { apiSecret: "wrong" })), context.UnauthorizedError, {
      code: "unauthorized", status: 401, retryable: false, attempts: 1,
    });
    check(error.reason.length > 0 && !error.reason.includes("\ufffd"), `a reason, not ${error.reason}`);
    equal((await context.control.requests()).length, 1, "requests");
  },

  async "RateLimitError: Retry-After"(context) {
    await context.control.script({ retryAfter: 7 });
    const error = await rejection(context.authenticate(options(context, { maxRetries: 0 })), context.RateLimitError, {
      code: "rate_limited", status: 429, retryable: true, attempts: 1,
    });
    const hidden = context.hidden("headers");
    equal(error.retryAfter, hidden ? undefined : 7, "retryAfter");
    return hidden ? "`Retry-After` hidden" : undefined;
  },

  async "InternalServerError: whatever the body is"(context) {
    await context.control.script({ status: 503 }, { html: true });
    for (const status of [503, 502]) {
      await rejection(context.authenticate(options(context, { maxRetries: 0 })), context.InternalServerError, {
        code: "internal_server_error", status, retryable: true, attempts: 1,
      });
    }
  },

  async "UnexpectedStatusError"(context) {
    await context.control.script({ status: 404 });
    await rejection(context.authenticate(options(context)), context.UnexpectedStatusError, {
      code: "unexpected_status", status: 404, retryable: false, attempts: 1,
    });
  },

  async "UnexpectedStatusError: a redirect is not followed"(context) {
    await context.control.script({ redirect: `${context.baseUrl}/elsewhere` });
    const hidden = context.hidden("redirects");
    await rejection(context.authenticate(options(context)), context.UnexpectedStatusError, {
      code: "unexpected_status", status: hidden ? undefined : 302, retryable: false, attempts: 1,
    });
    equal((await context.control.requests("/elsewhere")).length, 0, "requests to where it leads");
    return hidden ? "status of a redirect hidden" : undefined;
  },

  async "InvalidResponseError: half a body, a body without end"(context) {
    await context.control.script({ brokenJson: true }, { oversized: 50_000_000 });
    for (let kind = 0; kind < 2; kind += 1) {
      await rejection(context.authenticate(options(context)), context.InvalidResponseError, {
        code: "invalid_response", status: 200, retryable: false, attempts: 1,
      });
    }
  },

  async "NetworkError: refused, reset, broken off"(context) {
    const expected = { code: "network", retryable: true, attempts: 1 };
    const once = { maxRetries: 0 };
    const nowhere = context.authenticate(options(context, { ...once, baseUrl: "http://127.0.0.1:9" }));
    check("cause" in (await rejection(nowhere, context.NetworkError, expected)), "a cause");
    // More than one: browsers send again by themselves what a connection that was kept alive has lost.
    for (const fault of ["reset", "resetMidBody"]) {
      await context.control.script({ [fault]: true, times: 10 });
      const error = await rejection(context.authenticate(options(context, once)), context.NetworkError, expected);
      check("cause" in error, `a cause for ${fault}`);
    }
  },

  async "TimeoutError"(context) {
    await context.control.script({ hang: true });
    const begun = Date.now();
    await rejection(context.authenticate(options(context, { timeout: 200 })), context.TimeoutError, {
      code: "timeout", retryable: true, attempts: 1,
    });
    const took = Date.now() - begun;
    check(took >= 190 && took < 2_000, `an end after 200 ms, not after ${took}`);
  },

  async "abort: the caller's own reason, and the exchange is cancelled"(context) {
    const { control } = context;
    await control.script({ hang: true });
    const controller = new AbortController();
    const call = context.authenticate(options(context), { signal: controller.signal });
    await until(control, ([request]) => request?.outcome === "pending");
    const reason = { own: "reason" };
    controller.abort(reason);
    equal(await failure(call), reason, "the rejection");
    await until(control, ([request]) => request.outcome === "client-closed");
  },

  async "abort: before the call nothing is sent, and by one waiter it ends that one alone"(context) {
    const { DigitalpayeAuth, authenticate, control } = context;
    const aborted = new AbortController();
    aborted.abort();
    equal((await failure(authenticate(options(context), { signal: aborted.signal })))?.name, "AbortError", "name");
    equal((await control.requests()).length, 0, "requests");

    await control.script({ latencyMs: 300 });
    const auth = new DigitalpayeAuth(options(context));
    const controller = new AbortController();
    const others = [auth.getToken(), auth.getToken()];
    const one = auth.getToken({ signal: controller.signal });
    controller.abort("enough");
    equal(await failure(one), "enough", "the rejection");
    const [a, b] = await Promise.all(others);
    equal(a.token, b.token, "token");
    equal((await control.requests()).length, 1, "requests");
  },

  async "a failed attempt is repeated"(context) {
    const { authenticate, control } = context;
    await control.script({ status: 503 });
    const grant = await authenticate(options(context));
    equal(typeof grant.token, "string", "token");
    equal((await control.requests()).length, 2, "requests");
  },

  async "herd: a thousand callers, one request"(context) {
    const { DigitalpayeAuth, control } = context;
    const auth = new DigitalpayeAuth(options(context));
    const grants = await Promise.all(Array.from({ length: 1_000 }, () => auth.getToken()));
    equal(new Set(grants.map(({ token }) => token)).size, 1, "different tokens");
    await Promise.all([auth.getToken({ forceRefresh: true }), auth.getToken({ forceRefresh: true })]);
    equal((await control.requests()).length, 2, "requests, the last of them forced");
  },

  async "lifetime: right for a server whose clock is two hours behind"(context) {
    const { DigitalpayeAuth, control } = context;
    await control.config({ clockOffset: -7_200 });
    const jwt = new DigitalpayeAuth(options(context));
    await jwt.getToken();
    await jwt.getToken();
    equal((await control.requests()).length, 1, "requests for a JWT");

    await control.config({ opaque: true });
    const opaque = new DigitalpayeAuth(options(context, { maxRetries: 0 }));
    if (context.hidden("headers")) {
      await rejection(opaque.getToken(), context.InvalidResponseError, { code: "invalid_response", status: 200 });
      return "`Date` hidden: opaque tokens need a local clock that is right";
    }
    await opaque.getToken();
    await opaque.getToken();
    equal((await control.requests()).length, 2, "requests, one of them for an opaque token");
    return undefined;
  },

  async "invalidate: the next call gets another token"(context) {
    const { DigitalpayeAuth, control } = context;
    await control.config({ distinctTokens: true });
    const auth = new DigitalpayeAuth(options(context));
    const old = await auth.getToken();
    auth.invalidate("another");
    equal((await auth.getToken()).token, old.token, "token");
    auth.invalidate(old.token);
    check((await auth.getToken()).token !== old.token, "another token");
  },

  async "fetch: token, environment, relative and absolute input"(context) {
    const { DigitalpayeAuth, InvalidOptionsError, baseUrl, control } = context;
    const auth = new DigitalpayeAuth(options(context, { environment: "Sandbox" }));
    for (const input of ["v1/balance", `${baseUrl}/v1/balance`, new URL("/v1/balance", baseUrl), new Request(`${baseUrl}/v1/balance`)]) {
      const response = await auth.fetch(input);
      equal(response.status, 200, "status");
      equal(typeof (await response.json()).data, "object", "body");
    }
    const requests = await control.requests("/v1/balance");
    equal(requests.length, 4, "requests");
    for (const request of requests) {
      equal(header(request, "X-Environment"), "Sandbox", "X-Environment");
      equal(header(request, "Authorization"), `Bearer ${(await auth.getToken()).token}`, "Authorization");
    }
    await rejection(auth.fetch("https://elsewhere.invalid/"), InvalidOptionsError, { code: "invalid_options" });
    equal((await control.requests()).length, 1, "exchanges");
  },

  async "fetch: a 401 is answered with another token, once, and the body is sent again"(context) {
    const { DigitalpayeAuth, control } = context;
    await control.config({ distinctTokens: true });
    const auth = new DigitalpayeAuth(options(context));
    await auth.getToken();
    await control.revoke();
    const response = await auth.fetch("v1/balance", { method: "POST", body: "caf\u00e9" });
    equal(response.status, 200, "status");
    equal((await response.json()).data.received, "caf\u00e9", "the body that came");
    equal((await control.requests("/v1/balance")).length, 2, "requests");
    equal((await control.requests()).length, 2, "exchanges");
  },

  async "options.fetch is used for every request"(context) {
    const { DigitalpayeAuth, baseUrl } = context;
    const seen = [];
    const auth = new DigitalpayeAuth(options(context, {
      fetch: (input, init) => {
        seen.push(new URL(input instanceof Request ? input.url : input).pathname);
        return fetch(input, init);
      },
    }));
    await auth.fetch(`${baseUrl}/v1/balance`);
    equal(seen.join(), "/v1/auth,/v1/balance", "requests");
  },

  async "stores: one token for two clients"(context) {
    const { DigitalpayeAuth, control, redisStore, workersKvStore } = context;
    const entries = new Map();
    const namespace = {
      get: async (key) => entries.get(key) ?? null,
      put: async (key, value) => void entries.set(key, value),
      delete: async (key) => void entries.delete(key),
    };
    const store = workersKvStore(namespace);
    const clients = [0, 1].map(() => new DigitalpayeAuth(options(context, { store })));
    const { token } = await clients[0].getToken();
    // What is written is not waited for by the caller.
    for (let wait = 0; entries.size === 0 && wait < 100; wait += 1) await pause(10);
    equal((await clients[1].getToken()).token, token, "token");
    equal((await control.requests()).length, 1, "requests");
    let thrown;
    try {
      redisStore({});
    } catch (error) {
      thrown = error;
    }
    equal(thrown?.name, "TypeError", "redisStore without a client");
  },

  async "emulator: the API without a request, one that shares nothing with another"(context) {
    const { DigitalpayeAuth, NetworkError, TimeoutError, UnauthorizedError, control, createEmulator, emulator } = context;
    const client = ({ credentials, fetch }, more) => new DigitalpayeAuth({ ...credentials, fetch, ...more });
    const auth = client(emulator);
    const { token } = await auth.getToken();
    // A token's end without waiting, and a renewal that fails once.
    emulator.advance(600);
    emulator.script([{ status: 503 }]);
    equal((await auth.fetch("v1/balance")).status, 200, "status");
    check((await auth.getToken()).token !== token, "another token");
    const records = emulator.requests().map(({ method, path, status }) => `${method} ${path} ${status}`);
    equal(records.join(), "POST /v1/auth 200,GET /v1/balance 401,POST /v1/auth 503,POST /v1/auth 200,GET /v1/balance 200", "records");

    const other = createEmulator({ apiSecret: "another" });
    equal(other.requests().length, 0, "requests to the other one");
    const { credentials } = emulator;
    await rejection(client(other, credentials).getToken(), UnauthorizedError, {
      code: "unauthorized", status: 401, reason: "Identifiants API incorrects. Veuillez vérifier votre clé API et votre secret.",
    });
    other.script([{ hang: true }, { reject: true }]);
    await rejection(client(other, { timeout: 50 }).getToken(), TimeoutError, { code: "timeout" });
    await rejection(client(other, { maxRetries: 0 }).getToken(), NetworkError, { code: "network" });
    let thrown;
    try {
      other.script([{ status: "503" }]);
    } catch (error) {
      thrown = error;
    }
    isError(thrown, TypeError, { message: "script[0].status must be a number, not a string" });
    equal(emulator.requests().length, records.length, "requests to the first one");
    for (const path of ["/v1/auth", "/v1/balance"]) equal((await control.requests(path)).length, 0, `requests to ${path}`);
  },

  async "dispose: later calls are refused"(context) {
    const { AuthError, DigitalpayeAuth, control } = context;
    const auth = new DigitalpayeAuth(options(context));
    await auth.getToken();
    auth[Symbol.dispose ?? Symbol.for("Symbol.dispose")]();
    await rejection(auth.getToken(), AuthError, { attempts: 0 });
    equal((await control.requests()).length, 1, "requests");
  },

  async "errors: names after bundling, instanceof, nothing of the secret"(context) {
    const { AuthError, DigitalpayeAuth, UnauthorizedError, authenticate } = context;
    for (const name of ["AuthError", "InvalidOptionsError", "BadRequestError", "UnauthorizedError", "RateLimitError",
      "InternalServerError", "UnexpectedStatusError", "InvalidResponseError", "NetworkError", "TimeoutError",
      "CredentialsError", "UnsupportedRuntimeError"]) {
      equal(context[name].name, name, "name of the class");
    }
    equal(DigitalpayeAuth.name, "DigitalpayeAuth", "name of the class");
    const apiSecret = "wrong-and-secret";
    const error = await failure(authenticate(options(context, { apiSecret })));
    equal(error.name, "UnauthorizedError", "name");
    equal(error instanceof AuthError && error instanceof UnauthorizedError && !(error instanceof context.NetworkError), true, "instanceof");
    equal(AuthError.is(error) && !AuthError.is(new Error()), true, "AuthError.is");
    const text = `${error.stack}${error}${JSON.stringify(error)}${JSON.stringify(Object.getOwnPropertyDescriptors(error))}`;
    check(!text.includes(apiSecret) && !text.includes("Basic "), "no secret in the error");
    check(!JSON.stringify(new DigitalpayeAuth(options(context, { apiSecret }))).includes(apiSecret), "no secret in the client");
  },
};

const options = ({ baseUrl }, more) => ({ apiKey: KEY, apiSecret: SECRET, baseUrl, ...more });

const header = (request, name) => request.headers.find(([given]) => given.toLowerCase() === name.toLowerCase())?.[1];
