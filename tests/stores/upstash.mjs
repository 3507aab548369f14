// The REST protocol of Upstash, in front of a real Redis: a command as a JSON list at `/`, several at `/pipeline`, and
// replies in base64 when the client asks for that.

import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { startServer, textOf } from "../lib/server.mjs";

/**
 * Starts it in front of `{ socket, port, password }`. `answer(command)`, if it is set, may answer in Redis' place: with
 * `{ error }`, `{ status, body }`, or undefined. `requests` counts. A bad token gets a 401, as there.
 */
export async function startUpstash({ socket, port, password }) {
  const redis = new Redis({ ...(socket === undefined ? { host: "127.0.0.1", port } : { path: socket }), ...(password && { password }), enableOfflineQueue: false, retryStrategy: () => 50 });
  redis.on("error", () => {});
  await new Promise((resolve) => redis.once("ready", resolve));
  const upstash = { token: randomUUID(), answer: () => undefined, requests: 0 };

  const run = async (command, base64) => {
    const own = upstash.answer(command);
    if (own) return own;
    try {
      const [name, ...args] = command;
      const result = await redis.call(name, ...args.map(String));
      return { result: base64 ? encode(result) : result };
    } catch (error) {
      return { error: error.message };
    }
  };

  const { url, stop } = await startServer(async (request, response) => {
    upstash.requests += 1;
    const reply = (status, body) => {
      response.writeHead(status, { "Content-Type": "application/json" });
      response.end(typeof body === "string" ? body : JSON.stringify(body));
    };
    const text = await textOf(request);
    if (request.headers.authorization !== `Bearer ${upstash.token}`) return reply(401, { error: "WRONGPASS invalid or missing auth token" });
    const base64 = request.headers["upstash-encoding"] === "base64";
    const body = JSON.parse(text);
    if (request.url === "/pipeline") return reply(200, await Promise.all(body.map((command) => run(command, base64))));
    if (request.url !== "/") return reply(404, { error: "not found" });
    const { status, body: own, ...answer } = await run(body, base64);
    return reply(status ?? ("error" in answer ? 400 : 200), own ?? answer);
  });
  return Object.assign(upstash, {
    url,
    stop() {
      redis.disconnect();
      return stop();
    },
  });
}

function encode(reply) {
  if (typeof reply === "string") return reply === "OK" ? reply : Buffer.from(reply).toString("base64");
  return Array.isArray(reply) ? reply.map(encode) : reply;
}
