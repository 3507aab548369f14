// An API that counts its exchanges, in the test's own process, so that a test decides when each one is answered.

import { startServer } from "../lib/server.mjs";
import { granted, mint } from "../lib/tokens.mjs";

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
  };

  const { url, stop } = await startServer(async (request, response) => {
    request.resume();
    if (request.method !== "POST" || request.url !== "/v1/auth") return response.writeHead(404).end();
    count += 1;
    waiting.get(count)?.();
    await upstream.before(count);
    const grant = mint(upstream.lifetime);
    upstream.tokens.push(grant.token);
    response.writeHead(200, { "Content-Type": "application/json" });
    response.end(granted(grant));
  });
  return Object.assign(upstream, { url, stop });
}
