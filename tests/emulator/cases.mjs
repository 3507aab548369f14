// What the API answers, as data. Every program that plays the API runs this one list: the HTTP server of this repository
// and, in each runtime, the emulator of the package (see run.mjs for what a step may say).
const page = (status, message, reason) => JSON.stringify({ statusCode: status, message, reason });

/** The page's replies, to the byte. */
export const BAD_REQUEST = page(400, "BadRequestError", "Les identifiants API (apikey et apisecret) sont requis.");
export const UNAUTHORIZED = page(401, "UnauthorizedError", "Identifiants API incorrects. Veuillez vérifier votre clé API et votre secret.");
export const INTERNAL_SERVER_ERROR = page(500, "InternalServerError", "Une erreur est survenue. Veuillez réessayer");
const BALANCE = '{"statusCode":200,"message":"Successful","data":{"balance":125000,"currency":"XOF"}}';
const NOT_FOUND = page(404, "NotFoundError", "Not Found");

const encoded = (text) => `Basic ${btoa(text)}`;
const GOOD = encoded("clé-1:a:b".normalize("NFC").replace("é", "\u00c3\u00a9"));
const config = { apiKey: "clé-1", apiSecret: "a:b", companyId: "company-1" };
const auth = (authorization, more) => ({ method: "POST", path: "/v1/auth", headers: { authorization, ...more } });
const token = (name) => ({ ask: auth(GOOD), status: 200, token: name });
const balance = (name, status) => ({
  ask: { method: "GET", path: "/v1/balance", headers: { authorization: `Bearer {${name}}` } },
  status, body: status === 200 ? BALANCE : UNAUTHORIZED,
});
const refused = (authorization, status) => ({ ask: auth(authorization), status, body: status === 400 ? BAD_REQUEST : UNAUTHORIZED });

export const cases = [
  { name: "the 200 of the page, with a JWT of the page's form", config, steps: [
    { ask: auth(GOOD, { "x-environment": "Production" }), status: 200, token: "a", life: 600, company: "company-1",
      headers: { "content-type": "application/json; charset=utf-8" } },
    balance("a", 200),
  ] },
  { name: "the 400 of the page", config, steps: [
    { ask: { method: "POST", path: "/v1/auth", headers: {} }, status: 400, body: BAD_REQUEST, headers: { "content-type": "application/json; charset=utf-8" } },
    ...["Basic", "Bearer abc", "Basically", encoded(":secret"), encoded("key:"), encoded(":")].map((value) => refused(value, 400)),
  ] },
  { name: "the 401 of the page", config, steps: [
    encoded("another:a:b"), encoded("clé-1:a:b"), encoded("no colon"), "Basic not base64!", `${GOOD}=`,
  ].map((value) => refused(value, 401)) },
  { name: "the 500 of the page", config, steps: [
    { script: [{ status: 500 }] },
    { ask: auth(GOOD), status: 500, body: INTERNAL_SERVER_ERROR },
    token("a"),
  ] },
  { name: "the scheme has any case", config, steps: [
    { ask: auth(GOOD.replace("Basic", "bASIC")), status: 200, token: "a" },
    { ask: { method: "GET", path: "/v1/balance", headers: { authorization: "bearer {a}" } }, status: 200, body: BALANCE },
  ] },
  { name: "the resource wants a good token", config, steps: [
    token("a"),
    ...[undefined, "Bearer", "Bearer x", "Basic {a}", "Bearer {a}x", GOOD].map((authorization) => ({
      ask: { method: "GET", path: "/v1/balance", headers: authorization === undefined ? {} : { authorization } }, status: 401, body: UNAUTHORIZED,
    })),
    balance("a", 200),
    { ask: { method: "HEAD", path: "/v1/balance", headers: { authorization: "Bearer {a}" } }, status: 200, body: "" },
  ] },
  { name: "anything else is a 404", config, steps: [
    ["GET", "/v1/auth"], ["PUT", "/v1/auth"], ["OPTIONS", "/v1/auth"], ["DELETE", "/v1/balance"], ["POST", "/v1/auth/"],
    ["POST", "/v1/auth/token"], ["GET", "/"], ["GET", "/v1/balances"],
  ].map(([method, path]) => ({ ask: { method, path, headers: { authorization: GOOD } }, status: 404, body: NOT_FOUND })) },
  { name: "a query does not matter", config, steps: [
    { script: [{ status: 503 }] },
    { ask: { ...auth(GOOD), path: "/v1/auth?x=1" }, status: 503 },
    { ask: { ...auth(GOOD), path: "/v1/auth?x=1" }, status: 200, token: "a" },
  ] },
  { name: "a token is good until its exp", config: { ...config, lifeSeconds: 100 }, steps: [
    { ask: auth(GOOD), status: 200, token: "a", life: 100 },
    { advance: 98 }, balance("a", 200),
    { advance: 3 }, balance("a", 401),
    token("b"), balance("b", 200), balance("a", 401),
  ] },
  { name: "Date goes by the clock of the tokens", config, steps: [
    { ask: auth(GOOD), status: 200, token: "a", dated: true },
    { advance: 86_400 },
    { ask: auth(GOOD), status: 200, token: "b", dated: true },
  ] },
  { name: "no two tokens are equal", config, steps: [
    ...["a", "b", "c", "d"].map(token), { different: ["a", "b", "c", "d"] }, ...["a", "b", "c", "d"].map((name) => balance(name, 200)),
  ] },
  { name: "one token is revoked, or all", config, steps: [
    token("a"), token("b"), { revoke: "a" }, balance("a", 401), balance("b", 200),
    token("c"), { revoke: "*" }, balance("b", 401), balance("c", 401), token("d"), balance("d", 200),
  ] },
  { name: "each request takes the first step of its path", config, steps: [
    { script: [{ status: 503, times: 2 }, { path: "/v1/balance", status: 429 }, { status: 418 }] },
    { ask: auth(GOOD), status: 503, body: page(503, "ServiceUnavailableError", "Service Unavailable") },
    { ask: { method: "GET", path: "/v1/balance", headers: {} }, status: 429 },
    { ask: { method: "GET", path: "/v1/balance", headers: {} }, status: 401 },
    { ask: auth(GOOD), status: 503 }, { ask: auth(GOOD), status: 418 }, token("a"),
  ] },
  { name: "a script takes the place of what is left of the last", config, steps: [
    { script: [{ status: 503, times: 9 }] }, { ask: auth(GOOD), status: 503 }, { script: [] }, token("a"),
  ] },
  { name: "Retry-After brings a 429", config, steps: [
    { script: [{ retryAfter: 7 }, { retryAfter: "Wed, 21 Oct 2026 07:28:00 GMT", status: 503 }] },
    { ask: auth(GOOD), status: 429, headers: { "retry-after": "7" } },
    { ask: auth(GOOD), status: 503, headers: { "retry-after": "Wed, 21 Oct 2026 07:28:00 GMT" } },
  ] },
  { name: "headers and bodies are as scripted", config, steps: [
    { script: [
      { headers: { "X-A": "caf\u00e9", "Content-Type": "text/plain", Date: "none" } },
      { status: 502, body: "<html>é</html>", headers: { "content-type": "text/html" } },
      { body: { statusCode: 401 } }, { body: [1, "x"], status: 500 }, { status: 204 },
    ] },
    { ask: auth(GOOD), status: 200, token: "a", headers: { "x-a": "caf\u00e9", "content-type": "text/plain", date: "none" } },
    { ask: auth(GOOD), status: 502, body: "<html>é</html>", headers: { "content-type": "text/html" } },
    { ask: auth(GOOD), status: 200, body: '{"statusCode":401}', headers: { "content-type": "application/json; charset=utf-8" } },
    { ask: auth(GOOD), status: 500, body: '[1,"x"]' },
    { ask: auth(GOOD), status: 204, body: "", headers: { "content-type": null } },
  ] },
  { name: "a delay comes first", config, steps: [
    { script: [{ delayMs: 60, status: 503 }] }, { ask: auth(GOOD), status: 503, least: 55 },
  ] },
  { name: "a scripted connection breaks, and the next one does not", config, steps: [
    { script: [{ reject: true }, { reject: true, delayMs: 20 }] },
    { ask: auth(GOOD), rejects: "TypeError" }, { ask: auth(GOOD), rejects: "TypeError" }, token("a"),
  ] },
  { name: "a hanging request ends when it is aborted", config, steps: [
    { script: [{ hang: true }] }, { ask: auth(GOOD), rejects: "aborted" }, token("a"),
  ] },
  { name: "a body is read and makes no difference", config, steps: [
    { ask: { ...auth(GOOD, { "content-type": "text/plain" }), body: "x".repeat(100_000) }, status: 200, token: "a" },
  ] },
  // A page cannot send these by itself; who can is asked (`headers: "any"`).
  { name: "a browser is told what it may send and read", headers: "any", config, steps: [
    { script: [{ status: 503 }] },
    { ask: { method: "OPTIONS", path: "/v1/auth", headers: { origin: "https://shop.example", "access-control-request-method": "POST" } },
      status: 204, body: "", headers: {
        "access-control-allow-origin": "https://shop.example", "access-control-allow-methods": "POST",
        "access-control-allow-headers": "Authorization, X-Environment", vary: "Origin",
      } },
    { ask: { method: "OPTIONS", path: "/v1/balance", headers: { origin: "null", "access-control-request-method": "GET" } },
      status: 204, headers: { "access-control-allow-origin": "null", "access-control-allow-headers": "Authorization, X-Environment, Content-Type" } },
    { ask: auth(GOOD, { origin: "https://shop.example" }), status: 503, headers: {
      "access-control-allow-origin": "https://shop.example", "access-control-expose-headers": "Date, Retry-After", vary: "Origin",
    } },
  ] },
];
