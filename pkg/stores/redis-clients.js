// How each client of Redis sends one EVAL. They are told apart by what they have, never by their package or class, of
// which there may be several copies.

import { ANSWER_MS } from "./remote.js";

/** What sends `(script, keys, args)` by `client`. Throws a TypeError for what is no client. */
export function evaluator(client) {
  if (typeof client === "function" && !["eval", "customCommand"].some((name) => client.prototype && name in client.prototype)) {
    return async (script, keys, args) => client(script, keys, args);
  }
  if (client !== null && typeof client === "object") {
    if (typeof client.customCommand === "function") return glide(client);
    if (typeof client.eval === "function") {
      if (typeof client.isOpen === "boolean") return nodeRedis(client);
      if (typeof client.status === "string") return ioredis(client);
      if (typeof client.createScript === "function") return upstash(client);
    }
  }
  throw new TypeError(
    "redisStore(client): client must be a client of `redis` (4 or later), `ioredis` (5 or later), `iovalkey`, " +
    "`@upstash/redis`, `@vercel/kv` or `@valkey/valkey-glide`, or a function (script, keys, args) => Promise",
  );
}

function nodeRedis(client) {
  // With `legacyMode` of release 4, `client.eval` takes a callback; what returns a promise is on `client.v4`.
  const promising = client.options?.legacyMode === true ? client.v4 : client;
  return async (script, keys, args) => {
    // Clusters and pools have no `isReady`.
    await connected(client, () => client.isReady !== false, () => client.isOpen, ["reconnecting", "end"]);
    return promising.eval(script, { keys, arguments: args });
  };
}

function ioredis(client) {
  return async (script, keys, args) => {
    // With `lazyConnect` it connects at the first command, which is this one. A failure is told by "close".
    if (client.status === "wait") client.connect().catch(() => {});
    await connected(client, () => client.status === "ready", () => /^connect/.test(client.status), ["close", "end"]);
    return client.eval(script, keys.length, ...keys, ...args);
  };
}

function upstash(client) {
  return async (script, keys, args) => client.eval(script, keys, args);
}

function glide(client) {
  return async (script, keys, args) => client.customCommand(["EVAL", script, String(keys.length), ...keys, ...args]);
}

/** Per client, the outcome of its first connection. */
const firstConnections = new WeakMap();

/**
 * Waits for the first connection of a client; once that is over, rejects whenever it is not connected.
 *
 * A client that is not connected queues what it is asked to send. A caller here has an exchange to fall back on, and
 * what is queued now would be carried out when nobody wants it any more. Only the first connection is worth waiting for:
 * else every process of a fleet that starts would exchange on its own.
 */
async function connected(client, isReady, isConnecting, failures) {
  if (isReady()) {
    if (!firstConnections.has(client)) firstConnections.set(client, Promise.resolve());
    return;
  }
  const asked = performance.now();
  if (isConnecting()) {
    if (!firstConnections.has(client)) firstConnections.set(client, firstOf(client, ["ready", ...failures]));
    await firstConnections.get(client);
  }
  if (!isReady()) throw new Error("the Redis client is not connected");
  if (performance.now() - asked > ANSWER_MS) throw new Error("the Redis client took too long to connect");
}

/** Resolves at the first of these events. Needs no timer: its caller stops waiting by itself. */
function firstOf(client, events) {
  if (typeof client.once !== "function" || typeof client.removeListener !== "function") return Promise.resolve();
  return new Promise((resolve) => {
    const settle = () => {
      for (const event of events) client.removeListener(event, settle);
      resolve();
    };
    for (const event of events) client.once(event, settle);
  });
}
