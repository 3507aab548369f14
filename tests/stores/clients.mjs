// Every client that the Redis store is made for, connected to a server of the tests.
//
// Each entry makes a client: `make({ socket, port, password, upstash })` → `{ client, close }`. `client` is what
// `redisStore` gets; without `socket` it is by `port`. `upstash`, `{ url, token }`, is a REST server that is there already.

import { GlideClient } from "@valkey/valkey-glide";
import { Redis as Upstash } from "@upstash/redis";
import { createClient as createVercelKv } from "@vercel/kv";
import { Redis as Ioredis6 } from "ioredis";
import { Redis as Ioredis5 } from "ioredis5";
import { Redis as Iovalkey } from "iovalkey";
import * as redis5 from "redis";
import * as redis4 from "redis4";
import * as redis6 from "redis6";
import { startUpstash } from "./upstash.mjs";

const address = ({ socket, port }) => (socket === undefined ? { host: "127.0.0.1", port } : { path: socket });
const quiet = (client) => client.on("error", () => {});

function nodeRedis({ createClient }, options = {}) {
  return async ({ password, wait = true, ...server }) => {
    const client = quiet(createClient({ socket: address(server), ...(password && { password }), ...options }));
    const connecting = client.connect();
    if (wait) await connecting;
    else connecting.catch(() => {});
    return { client, close: () => (client.isOpen ? (client.destroy ?? client.disconnect).call(client) : undefined) };
  };
}

function nodeRedisPool({ createClientPool }) {
  return async ({ password, ...server }) => {
    const client = quiet(createClientPool({ socket: address(server), ...(password && { password }) }, { minimum: 1, maximum: 2 }));
    await client.connect();
    return { client, close: () => client.destroy() };
  };
}

function ioredis(Redis, options = {}) {
  return async ({ password, ...server }) => {
    const client = quiet(new Redis({ ...address(server), ...(password && { password }), ...options }));
    return { client, close: () => client.disconnect() };
  };
}

/** Over a REST server of the tests, in front of the real one. `make` gets its address and options. */
function rest(make) {
  return async (server) => {
    const upstash = server.upstash ?? await startUpstash(server);
    const client = make({ url: upstash.url, token: upstash.token });
    return { client, close: () => (server.upstash ? undefined : upstash.stop()) };
  };
}

async function glide({ port, password }) {
  const client = await GlideClient.createClient({
    addresses: [{ host: "127.0.0.1", port }], requestTimeout: 1_000, ...(password && { credentials: { password } }),
  });
  return { client, close: () => client.close() };
}

export const CLIENTS = {
  "redis 4": nodeRedis(redis4),
  "redis 5": nodeRedis(redis5),
  "redis 6": nodeRedis(redis6),
  "redis 6, pool": nodeRedisPool(redis6),
  "ioredis 5": ioredis(Ioredis5),
  "ioredis 6": ioredis(Ioredis6),
  "iovalkey": ioredis(Iovalkey),
  "@upstash/redis": rest((options) => new Upstash(options)),
  "@vercel/kv": rest((options) => createVercelKv(options)),
  "@valkey/valkey-glide": glide,
  "a function": async (server) => {
    const { client, close } = await ioredis(Ioredis6)(server);
    return { client: (script, keys, args) => client.call("EVAL", script, keys.length, ...keys, ...args), close };
  },
};

/** The same clients with options that change what they answer, or when they connect. */
export const OPTIONS = {
  "redis 4, legacyMode": nodeRedis(redis4, { legacyMode: true }),
  "redis 5, RESP 3": nodeRedis(redis5, { RESP: 3 }),
  "redis 5, connecting": (server) => nodeRedis(redis5)({ ...server, wait: false }),
  "ioredis 5, lazyConnect": ioredis(Ioredis5, { lazyConnect: true }),
  "ioredis 6, without the offline queue": ioredis(Ioredis6, { enableOfflineQueue: false }),
  "ioredis 6, stringNumbers": ioredis(Ioredis6, { stringNumbers: true }),
  "ioredis 6, keyPrefix": ioredis(Ioredis6, { keyPrefix: "shop:" }),
  "iovalkey, lazyConnect": ioredis(Iovalkey, { lazyConnect: true }),
  "@upstash/redis, without automaticDeserialization": rest((options) => new Upstash({ ...options, automaticDeserialization: false })),
  "@upstash/redis, without base64": rest((options) => new Upstash({ ...options, responseEncoding: false })),
  "@upstash/redis, neither": rest((options) => new Upstash({ ...options, automaticDeserialization: false, responseEncoding: false })),
  "@upstash/redis, without pipelining": rest((options) => new Upstash({ ...options, enableAutoPipelining: false })),
};
