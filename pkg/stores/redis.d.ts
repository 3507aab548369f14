/**
 * One token for a fleet, in Redis or Valkey, by the client that you have.
 *
 * @module digitalpaye-auth/stores/redis
 */
import type { TokenStore } from "../index.js";

/** A client of the npm package [`redis`](https://www.npmjs.com/package/redis), 4 or later: a client, cluster, sentinel or pool. */
export interface NodeRedisClient {
  readonly isOpen: boolean;
  eval(script: string, options?: { keys?: string[]; arguments?: string[] }): Promise<unknown>;
}

/** A client of [`ioredis`](https://www.npmjs.com/package/ioredis), 5 or later, or `iovalkey`: `Redis` (by a sentinel too) or `Cluster`. */
export interface IoredisClient {
  readonly status: string;
  eval(script: string, numkeys: number, ...keysAndArgs: string[]): Promise<unknown>;
}

/** A client of [`@upstash/redis`](https://www.npmjs.com/package/@upstash/redis), or of `@vercel/kv`, which wraps it. */
export interface UpstashClient {
  createScript(script: string): unknown;
  eval(script: string, keys: string[], args: string[]): Promise<unknown>;
}

/** A client of [`@valkey/valkey-glide`](https://www.npmjs.com/package/@valkey/valkey-glide): `GlideClient` or `GlideClusterClient`. */
export interface GlideRedisClient {
  customCommand(args: string[]): Promise<unknown>;
}

/** Sends `EVAL script keys.length …keys …args` and resolves to the reply: strings or bytes, numbers, lists and null. */
export type RedisEval = (script: string, keys: string[], args: string[]) => Promise<unknown>;

/** What {@link redisStore} takes. Clients are told apart by what they have. */
export type RedisClient = NodeRedisClient | IoredisClient | UpstashClient | GlideRedisClient | RedisEval;

/** Options of {@link redisStore}. */
export interface RedisStoreOptions {
  /**
   * What the names of its keys begin with. Processes share a token only under the same prefix; `keyPrefix` of ioredis
   * comes before it.
   *
   * @default "digitalpaye-auth:"
   */
  prefix?: string | undefined;
}

/**
 * Shares one token among all processes that use the same Redis (5 or later) or Valkey: one of them exchanges, the others
 * read. Processes may use different clients.
 *
 * The client is yours: connect it before, close it after, and give it an `"error"` listener where it has such an event.
 * Without one, Node ends the process when the connection of `redis` is lost; with one, tokens then come from the API
 * directly until it is back. A first connection that is under way is waited for. `@upstash/redis` needs no connection.
 *
 * The server holds the token and its `exp` for as long as the token lives, by its own clock, under
 * `digitalpaye-auth:{<key>}`, and, while an exchange is under way, a lease under `digitalpaye-auth:{<key>}:lease`. The
 * key is a hash; neither the API key nor the secret is ever sent there. Whoever can read this Redis can use the token.
 * Its user needs the commands EVAL, GET, SET, DEL, PTTL and PEXPIRE on these keys, and TIME, without which it still works.
 *
 * Each store object is one holder of leases. Clients in one process that use the same key should share one
 * `DigitalpayeAuth` rather than one store.
 *
 * A method rejects when the server or the client fails. The error has the name, the code and the first words of the
 * client's own, never what was sent.
 *
 * @throws {TypeError} when `client` is none of these clients, or `prefix` not a string.
 *
 * @example
 * ```js
 * import { createClient } from "redis";
 * import { DigitalpayeAuth } from "digitalpaye-auth";
 * import { redisStore } from "digitalpaye-auth/stores/redis";
 *
 * const redis = createClient({ url: process.env.REDIS_URL });
 * redis.on("error", (error) => console.error("redis:", error.message));
 * await redis.connect();
 * const auth = new DigitalpayeAuth({ apiKey, apiSecret, store: redisStore(redis) });
 * ```
 *
 * @example Another client, by a function that sends one EVAL:
 * ```js
 * const store = redisStore((script, keys, args) => client.call("EVAL", script, keys.length, ...keys, ...args));
 * ```
 * @see [Stores](../docs/stores.md#redis-and-valkey)
 */
export function redisStore(client: RedisClient, options?: RedisStoreOptions): TokenStore;
