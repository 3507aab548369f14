// The API, in the test's own process: the test says how each request is answered, and sees what became of it.

import { startServer } from "../lib/server.mjs";
import { mint } from "../lib/tokens.mjs";

export const API_KEY = "live_key";
export const API_SECRET = "s3cr3t-of-the-api";
const BASIC = `Basic ${Buffer.from(`${API_KEY}:${API_SECRET}`).toString("base64")}`;

/**
 * Starts it. Tokens live `lifetime` whole seconds.
 *
 * `behave(n)` tells how the n-th exchange (from 1) is answered: `delay` ms before the headers, `bodyDelay` ms between them
 * and the body, `status`, `headers`, `body` instead of what the contract says, `hang` for no answer, `reset` for a
 * connection reset. `exchanges` holds, for each, `{ at, method, headers, body, token, answered, cut }`, `cut` when the
 * client closed before it had its answer. `minted` maps tokens to the instant of their making (ms).
 */
export async function startApi({ lifetime = 600 } = {}) {
  const api = {
    lifetime,
    behave: () => ({}),
    exchanges: [],
    minted: new Map(),
    revoked: new Set(),
    bearers: [],
  };

  const answerTo = async (request, response) => {
    const chunks = [];
    request.on("error", () => {});
    const read = new Promise((resolve) => request.on("data", (chunk) => chunks.push(chunk)).on("end", resolve));
    if (request.url !== "/v1/auth") {
      await read;
      return resource(request, response, Buffer.concat(chunks).toString());
    }

    const exchange = { at: Date.now(), method: request.method, headers: request.headers, answered: false, cut: false };
    api.exchanges.push(exchange);
    const { delay = 0, bodyDelay = 0, status, headers = {}, body, hang, reset } = api.behave(api.exchanges.length) ?? {};
    response.on("close", () => {
      exchange.answered = response.writableFinished;
      exchange.cut = !response.writableFinished;
    });
    await read;
    exchange.body = Buffer.concat(chunks).toString();
    if (hang) return;
    await pause(delay);
    if (reset) return request.socket.resetAndDestroy();

    const answer = status === undefined ? contract(exchange) : { status, body: errorBody(status) };
    if (body !== undefined) answer.body = body;
    response.writeHead(answer.status, { "Content-Type": "application/json", ...headers });
    const text = typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body);
    response.flushHeaders();
    await pause(bodyDelay);
    response.end(text);
  };

  const contract = (exchange) => {
    if (exchange.headers.authorization !== BASIC) return { status: 401, body: errorBody(401) };
    const { token, exp } = mint(api.lifetime);
    api.minted.set(token, Date.now());
    exchange.token = token;
    return { status: 200, body: { statusCode: 200, message: "Successful", data: { token, exp } } };
  };

  const resource = (request, response, body) => {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
    const good = api.minted.has(token) && !api.revoked.has(token);
    api.bearers.push({ url: request.url, method: request.method, token, body, headers: request.headers });
    response.writeHead(good ? 200 : 401, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ good, body }));
  };

  return Object.assign(api, await startServer(answerTo));
}

/** What the contract says is sent with an error's status, where it says so. */
function errorBody(status) {
  const known = {
    400: ["BadRequestError", "Les identifiants API (apikey et apisecret) sont requis."],
    401: ["UnauthorizedError", "Identifiants API incorrects. Veuillez vérifier votre clé API et votre secret."],
    500: ["InternalServerError", "Une erreur est survenue. Veuillez réessayer"],
  };
  const [message, reason] = known[status] ?? ["Error", `status ${status}`];
  return { statusCode: status, message, reason };
}

const pause = (ms) => (ms > 0 ? new Promise((resolve) => setTimeout(resolve, ms)) : undefined);
