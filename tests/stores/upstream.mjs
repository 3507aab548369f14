// An API that counts its exchanges, in the test's own process, so that a test decides when each one is answered.

import { createServer } from "node:http";

/**
 * Starts it.
 *
 * `exchanges()` counts the requests that came in. `lifetime` (s) is that of the tokens to come. `before(n)` is awaited
 * before the n-th is answered; by default nothing is waited for. `exchange(n)` resolves when the n-th has come in.
 * `tokens` are those that were handed out.
 */
export async function startUpstream() {
  const waiting = new Map();
  let count = 0;

  const upstream = {
    lifetime: 600,
    before: async () => {},
    tokens: [],
    exchanges: () => count,
    exchange: (n) => new Promise((resolve) => (count >= n ? resolve() : waiting.set(n, resolve))),
    reset() {
      count = 0;
      waiting.clear();
      upstream.lifetime = 600;
      upstream.before = async () => {};
      upstream.tokens.length = 0;
    },
    stop() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };

  const server = createServer(async (request, response) => {
    request.resume();
    if (request.method !== "POST" || request.url !== "/v1/auth") return response.writeHead(404).end();
    count += 1;
    waiting.get(count)?.();
    await upstream.before(count);
    const { token, exp } = mint(upstream.lifetime);
    upstream.tokens.push(token);
    response.writeHead(200, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ statusCode: 200, message: "Successful", data: { token, exp } }));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  upstream.url = `http://127.0.0.1:${server.address().port}`;
  return upstream;
}

let minted = 0;

/** A JWT of the API's form, like no other. Nobody verifies it. */
export function mint(lifetime, now = Math.floor(Date.now() / 1_000)) {
  minted += 1;
  const encode = (part) => Buffer.from(JSON.stringify(part)).toString("base64url");
  const claims = { companyId: `${process.pid}-${minted}`, iat: now, exp: now + lifetime };
  const token = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(claims)}.c2lnbmF0dXJl`;
  return { token, exp: claims.exp };
}
