import type { TokenStore } from "../index.js";

/**
 * What the store uses of a client of the npm package [`redis`](https://www.npmjs.com/package/redis). A client, a
 * cluster, a sentinel and a pool all have it, from release 4 on.
 */
export interface RedisClient {
  readonly isOpen: boolean;
  readonly isReady?: boolean;
  eval(script: string, options?: { keys?: string[]; arguments?: string[] }): Promise<unknown>;
}

/**
 * Shares one token among all processes that use the same Redis (5 or later): one of them exchanges, the others read.
 *
 * The client is yours: connect it before, close it after, and give it an `"error"` listener. Without one, Node ends the
 * process when the connection to Redis is lost; with one, tokens then come from the API directly until it is back.
 *
 * Redis holds the token and its `exp` for as long as the token lives, by Redis' own clock, under
 * `digitalpaye-auth:{<key>}`, and, while an exchange is under way, a lease under `digitalpaye-auth:{<key>}:lease`. The
 * key is a hash; neither the API key nor the secret is ever sent to Redis. Whoever can read this Redis can use the token.
 *
 * One lease is held per key and store object. Clients in one process that use the same key should share one
 * `DigitalpayeAuth` rather than one store.
 *
 * @throws TypeError when `client` is not a client of the `redis` package.
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
 */
export function redisStore(client: RedisClient): TokenStore;
