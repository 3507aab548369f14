/**
 * One token for the isolates of a Worker, in Workers KV.
 *
 * @module digitalpaye-auth/stores/workers-kv
 */
import type { TokenStore } from "../index.js";

/** What the store uses of a [KV namespace](https://developers.cloudflare.com/kv/api/); every `KVNamespace` has it. */
export interface WorkersKvNamespace {
  get(key: string): Promise<string | null>;
  put(key: string, value: string, options?: { expirationTtl?: number }): Promise<void>;
  delete(key: string): Promise<void>;
}

/**
 * Shares one token among the isolates of a Worker, through Workers KV.
 *
 * KV is eventually consistent: what one location writes or deletes, the others see up to a minute later, sometimes more.
 * So this store saves most exchanges, not all of them: isolates that start together each make their own, and a location
 * may be handed a token that another has already replaced. Such a token is good until it expires; one that the API no
 * longer takes is put right by `fetch()`, which asks for another on a 401. There is no `acquire`, because KV cannot write
 * on condition: no isolate could be sure to be the only one. For the same reason `delete` of one token is not atomic: a
 * token that another isolate writes at that moment may be deleted with it, which costs one exchange. Where one exchange
 * for all isolates matters, use `durableObjectStore` of `digitalpaye-auth/stores/durable-object`.
 *
 * KV keeps no entry for less than 60 seconds, so the entry itself says when its token ends, by the platform's clock, and
 * is not used beyond that. It is stored under `digitalpaye-auth:<key>`; the key is a hash that shows neither API key nor
 * secret. Whoever can read the namespace can use the token.
 *
 * @throws {TypeError} when `namespace` is not a KV namespace.
 *
 * @example
 * ```js
 * import { env } from "cloudflare:workers";
 * import { DigitalpayeAuth } from "digitalpaye-auth";
 * import { workersKvStore } from "digitalpaye-auth/stores/workers-kv";
 *
 * const auth = new DigitalpayeAuth({
 *   apiKey: env.DIGITALPAYE_API_KEY,
 *   apiSecret: env.DIGITALPAYE_API_SECRET,
 *   store: workersKvStore(env.TOKENS),
 * });
 * ```
 * @see [Stores](../docs/stores.md#cloudflare-workers-kv)
 */
export function workersKvStore(namespace: WorkersKvNamespace): TokenStore;
