// The API as these apps need it: no two tokens are equal, and each tells that it is one.
import { setTimeout as sleep } from "node:timers/promises";
import { startServer } from "../../lib/server.mjs";

/** What is in every token, and in nothing else: a file that a build wrote may not have it. */
export const MARK = "canary-of-the-api-";

/** Listens on a free port. `calls` are what came: "POST /v1/auth". */
export async function startApi() {
  const calls = [];
  const address = await startServer(async (request, response) => {
    request.resume();
    calls.push(`${request.method} ${request.url}`);
    const number = calls.length;
    await sleep(20);
    const answer = (status, body) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    const authorization = request.headers.authorization ?? "";
    if (request.method === "POST" && request.url === "/v1/auth" && authorization.startsWith("Basic ")) {
      return answer(200, { statusCode: 200, data: { token: `${MARK}${number}`, exp: Math.floor(Date.now() / 1_000) + 600 } });
    }
    if (request.url === "/v1/balance" && authorization.startsWith(`Bearer ${MARK}`)) return answer(200, { balance: `${MARK}balance-${number}` });
    answer(401, { statusCode: 401, reason: "Unauthorized" });
  });
  return { ...address, calls };
}
