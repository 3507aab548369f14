/**
 * One exchange for all isolates of a Worker, by a Durable Object.
 *
 * @module digitalpaye-auth/stores/durable-object
 */
import type { TokenStore } from "../index.js";

/** What the store uses of a Durable Object namespace; every `DurableObjectNamespace` has it, one with a jurisdiction too. */
export interface TokenObjectNamespace {
  idFromName(name: string): unknown;
  get(id: never): unknown;
}

/**
 * Shares one token among all isolates of a Worker, everywhere: one of them exchanges, the others read.
 *
 * There is one {@link TokenObject} per API key, environment and base URL, named by a hash of them. It holds the token and
 * its `exp` until the token ends, and a lease while an exchange is under way, by its own clock. It keeps both when it is
 * evicted or restarted, and clears what has ended by an alarm. Neither the API key nor the secret is ever sent to it.
 *
 * Needs the compatibility date 2024-04-03 or later, or the flag `rpc`; else each call rejects and tokens come from the API
 * directly. Requests from far away wait for the object's location; `locationHint` has no say here, the first request does.
 *
 * @throws {TypeError} when `namespace` is not a Durable Object namespace.
 *
 * @example
 * ```js
 * import { env } from "cloudflare:workers";
 * import { DigitalpayeAuth } from "digitalpaye-auth";
 * import { durableObjectStore, TokenObject } from "digitalpaye-auth/stores/durable-object";
 *
 * export { TokenObject };
 * const auth = new DigitalpayeAuth({
 *   apiKey: env.DIGITALPAYE_API_KEY,
 *   apiSecret: env.DIGITALPAYE_API_SECRET,
 *   store: durableObjectStore(env.TOKENS),
 * });
 * ```
 *
 * `wrangler.jsonc` declares the class:
 *
 * ```json
 * "durable_objects": { "bindings": [{ "name": "TOKENS", "class_name": "TokenObject" }] },
 * "migrations": [{ "tag": "v1", "new_sqlite_classes": ["TokenObject"] }]
 * ```
 * @see [Stores](../docs/stores.md#cloudflare-a-durable-object)
 */
export function durableObjectStore(namespace: TokenObjectNamespace): TokenStore;

/**
 * The Durable Object behind {@link durableObjectStore}. Export it from the Worker's main module; nothing else calls it.
 *
 * It extends `DurableObject` of `cloudflare:workers`.
 *
 * @example
 * ```js
 * export { TokenObject } from "digitalpaye-auth/stores/durable-object";
 * ```
 * @see [Stores](../docs/stores.md#cloudflare-a-durable-object)
 */
export class TokenObject {
  /** What makes it a Durable Object for Cloudflare's types. */
  readonly __DURABLE_OBJECT_BRAND: never;
  /** Called by the platform. */
  constructor(ctx: unknown, env: unknown);
  /** Clears what has ended. Called by the platform. */
  alarm(): Promise<void>;
}
