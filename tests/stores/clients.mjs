// Every client that the Redis store is made for, connected to a server of the tests.
//
// Each entry makes a client: `make({ socket, port, password, upstash })` → `{ client, close }`. `client` is what
// `redisStore` gets; without `socket` it is by `port`. `upstash`, `{ url, token }`, is a REST server that is there already.

// A process that uses one client loads that one alone.
import { startUpstash } from "./upstash.mjs";

const address = ({ socket, port }) => (socket === undefined ? { host: "127.0.0.1", port } : { path: socket });
const quiet = (client) => client.on("error", () => {});

function nodeRedis(load, options = {}) {
  return async ({ password, wait = true, ...server }) => {
    const { createClient } = await load();
    const client = quiet(createClient({ socket: address(server), ...(password && { password }), ...options }));
    const connecting = client.connect();
    if (wait) await connecting;
    else connecting.catch(() => {});
    return { client, close: () => (client.isOpen ? (client.destroy ?? client.disconnect).call(client) : undefined) };
  };
}

function nodeRedisPool(load) {
  return async ({ password, ...server }) => {
    const { createClientPool } = await load();
    const client = quiet(createClientPool({ socket: address(server), ...(password && { password }) }, { minimum: 1, maximum: 2 }));
    await client.connect();
    return { client, close: () => client.destroy() };
  };
}

function ioredis(load, options = {}) {
  return async ({ password, ...server }) => {
    const { Redis } = await load();
    const client = quiet(new Redis({ ...address(server), ...(password && { password }), ...options }));
    return { client, close: () => client.disconnect() };
  };
}

/** Over a REST server of the tests, in front of the real one. `make` gets its address and options. */
function rest(make) {
  return async (server) => {
    const upstash = server.upstash ?? await startUpstash(server);
    const client = await make({ url: upstash.url, token: upstash.token });
    return { client, close: () => (server.upstash ? undefined : upstash.stop()) };
  };
}

async function glide({ port, password }) {
  const { GlideClient } = await import("@valkey/valkey-glide");
  const client = await GlideClient.createClient({
    addresses: [{ host: "127.0.0.1", port }], requestTimeout: 1_000, ...(password && { credentials: { password } }),
  });
  return { client, close: () => client.close() };
}

const redis4 = () => import("redis4");
const redis5 = () => import("redis");
const redis6 = () => import("redis6");
const ioredis5 = () => import("ioredis5");
const ioredis6 = () => import("ioredis");
const iovalkey = () => import("iovalkey");
const upstash = (options) => rest(async (where) => new (await import("@upstash/redis")).Redis({ ...where, ...options }));

export const CLIENTS = {
  "redis 4": nodeRedis(redis4),
  "redis 5": nodeRedis(redis5),
  "redis 6": nodeRedis(redis6),
  "redis 6, pool": nodeRedisPool(redis6),
  "ioredis 5": ioredis(ioredis5),
  "ioredis 6": ioredis(ioredis6),
  "iovalkey": ioredis(iovalkey),
  "@upstash/redis": upstash(),
  "@vercel/kv": rest(async (where) => (await import("@vercel/kv")).createClient(where)),
  "@valkey/valkey-glide": glide,
  "a function": async (server) => {
    const { client, close } = await ioredis(ioredis6)(server);
    return { client: (script, keys, args) => client.call("EVAL", script, keys.length, ...keys, ...args), close };
  },
};

/** The same clients with options that change what they answer, or when they connect. */
export const OPTIONS = {
  "redis 4, legacyMode": nodeRedis(redis4, { legacyMode: true }),
  "redis 5, RESP 3": nodeRedis(redis5, { RESP: 3 }),
  "redis 5, connecting": (server) => nodeRedis(redis5)({ ...server, wait: false }),
  "ioredis 5, lazyConnect": ioredis(ioredis5, { lazyConnect: true }),
  "ioredis 6, without the offline queue": ioredis(ioredis6, { enableOfflineQueue: false }),
  "ioredis 6, stringNumbers": ioredis(ioredis6, { stringNumbers: true }),
  "ioredis 6, keyPrefix": ioredis(ioredis6, { keyPrefix: "shop:" }),
  "iovalkey, lazyConnect": ioredis(iovalkey, { lazyConnect: true }),
  "@upstash/redis, without automaticDeserialization": upstash({ automaticDeserialization: false }),
  "@upstash/redis, without base64": upstash({ responseEncoding: false }),
  "@upstash/redis, neither": upstash({ automaticDeserialization: false, responseEncoding: false }),
  "@upstash/redis, without pipelining": upstash({ enableAutoPipelining: false }),
};
