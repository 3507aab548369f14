/**
 * A token that is always valid, and a `fetch` that sends it.
 *
 * @module digitalpaye-auth
 */
import type { AuthError } from "./errors.js";

export * from "./errors.js";
// Without an export of this form every declaration here would be exported.
export {};

// Not by `lib="esnext.disposable"`, which TypeScript has from 5.2 on: it is an error before.
declare global {
  interface SymbolConstructor {
    readonly dispose: unique symbol;
  }
  interface Disposable {
    [Symbol.dispose](): void;
  }
}

// The platform's own types wherever it declares them: DOM, Node, Deno, Bun, Workers. A program that has none of these
// in reach still compiles, with as much as is used here.
type Platform = typeof globalThis;
type PlatformFetch = Platform extends { fetch: infer F extends (...args: any) => Promise<any> }
  ? F
  : (input: any, init?: any) => Promise<any>;
// By how it is called: Bun's fetch has members besides (`preconnect`), which a function of one's own need not have.
type Fetch = (...args: Parameters<PlatformFetch>) => ReturnType<PlatformFetch>;
type PlatformURL = Platform extends { URL: { prototype: infer U } } ? U : { readonly href: string };
// By way of fetch: where AbortSignal is a class, as for Workers, no other type can reach it if it may not be there.
type Signal = Platform extends { fetch: (input: any, init?: { signal?: infer S }) => any }
  ? NonNullable<S>
  : { readonly aborted: boolean };

/**
 * The configuration of one exchange. Every property is read once; `undefined` means the default, `null` is an error.
 *
 * @group Options
 * @example
 * ```js
 * const options = { apiKey: process.env.DIGITALPAYE_API_KEY, apiSecret: process.env.DIGITALPAYE_API_SECRET, timeout: 10_000 };
 * ```
 * @see [Options](docs/options.md)
 */
export interface AuthOptions {
  /**
   * The API key, user-id of HTTP Basic: not empty, no ":", no control characters.
   *
   * @see RFC 7617, section 2
   */
  apiKey: string;
  /**
   * The API secret, password of HTTP Basic: not empty, no control characters.
   *
   * A function is asked before each attempt, within `timeout`; `signal` aborts when nobody waits for its answer any more.
   * After a 401 it is asked once more, and the exchange is tried again if its answer is another one. The module's copy of an
   * answer is overwritten after each exchange. A function that rejects is a {@link CredentialsError}.
   *
   * @example A file that is replaced while the process runs
   * ```js
   * apiSecret: async ({ signal }) => (await readFile("/run/secrets/digitalpaye", { encoding: "utf8", signal })).trim()
   * ```
   * @see RFC 7617, section 2, and [Credentials that change](docs/credentials.md)
   */
  apiSecret: string | ((call: { signal: Signal }) => string | Promise<string>);
  /**
   * The value of the `X-Environment` header: visible ASCII (0x21 to 0x7E), not empty.
   *
   * @default "Production"
   */
  environment?: "Production" | "Sandbox" | (string & {}) | undefined;
  /**
   * The address of the API: https, or http on a loopback host; no user info, query or fragment. A path is kept:
   * `"https://h/p/"` asks `https://h/p/v1/auth`.
   *
   * @default "https://api.digitalpaye.com"
   */
  baseUrl?: string | PlatformURL | undefined;
  /**
   * Milliseconds for a whole call: attempts, waits and body reads. Positive and finite.
   *
   * @default 30000
   */
  timeout?: number | undefined;
  /**
   * Attempts after the first, 0 to 10. Only errors that are `retryable` are tried again.
   *
   * @default 2
   */
  maxRetries?: number | undefined;
  /**
   * Used for every request, those of {@link DigitalpayeAuth.fetch} too.
   *
   * @default globalThis.fetch, as it is at the time of each request
   * @see https://fetch.spec.whatwg.org/#fetch-method
   */
  fetch?: Fetch | undefined;
  /**
   * Told what happens: tokens, retries, failures, faults of the store, 401s. Called in a microtask of its own with a frozen
   * object that holds no secret. What it throws or rejects with is ignored.
   *
   * @default none: nothing is logged
   * @example The one line to alarm on
   * ```js
   * onEvent: (event) => event.type === "failure" && console.error(event.error.code, event.ttlSeconds)
   * ```
   * @see [Events](docs/events.md)
   */
  onEvent?: ((event: AuthEvent) => void) | undefined;
}

/**
 * The configuration of a {@link DigitalpayeAuth}.
 *
 * @group Options
 * @example
 * ```js
 * const auth = new DigitalpayeAuth({ apiKey, apiSecret, store: redisStore(redis) });
 * ```
 * @see [Options](docs/options.md)
 */
export interface ClientOptions extends AuthOptions {
  /**
   * Shares one token among processes.
   *
   * @default none: each client exchanges for itself
   * @see [Stores](docs/stores.md)
   */
  store?: TokenStore | undefined;
  /**
   * Gets a promise for every flight (one way to a token, whoever waits for it), from its start to the end of its work in the
   * store, so that the platform lets it finish.
   *
   * @default the platform's own on Cloudflare Workers and on Next.js edge, else none
   */
  waitUntil?: ((work: Promise<unknown>) => void) | undefined;
}

/**
 * What one call wants.
 *
 * @group Options
 * @example
 * ```js
 * await auth.getToken({ signal: AbortSignal.timeout(5_000) });
 * ```
 */
export interface CallOptions {
  /**
   * Ends this caller's wait and nobody else's; the call rejects with `signal.reason`.
   *
   * @default none
   * @see https://dom.spec.whatwg.org/#interface-AbortSignal
   */
  signal?: Signal | undefined;
}

/**
 * A bearer token. Frozen.
 *
 * @group Tokens
 * @example
 * ```js
 * const { token, exp } = await auth.getToken();
 * const secondsLeft = exp - Date.now() / 1000;
 * ```
 * @see RFC 6750, section 1.2
 */
export interface AccessToken {
  /**
   * The token, for `Authorization: Bearer …`.
   *
   * @see RFC 6750, section 2.1
   */
  readonly token: string;
  /**
   * When it ends, by the server's clock: whole **seconds**, not milliseconds, since 1970-01-01T00:00:00Z.
   *
   * @example
   * ```js
   * new Date(exp * 1000)
   * ```
   * @see RFC 7519, section 4.1.4 (`exp`) and section 2 (NumericDate)
   */
  readonly exp: number;
}

/**
 * Exchanges `apiKey` and `apiSecret` for a token, once, and keeps nothing: for scripts. To always have a valid one, use
 * {@link DigitalpayeAuth}.
 *
 * @throws Never. Every failure is a rejection with an {@link AuthError}; an abort rejects with `signal.reason`.
 * @example
 * ```js
 * const { token, exp } = await authenticate({ apiKey, apiSecret });
 * ```
 * @group Tokens
 * @see RFC 7617, section 2 (Basic), and RFC 6750, section 2.1 (Bearer)
 */
export function authenticate(options: AuthOptions, call?: CallOptions): Promise<AccessToken>;

/**
 * Has a valid token whenever one is asked for. Make one per process or module, and share it.
 *
 * `fetch`, `getToken` and `invalidate` are bound: they can be handed over as they are.
 *
 * @example
 * ```js
 * const auth = new DigitalpayeAuth({ apiKey, apiSecret });
 * const response = await auth.fetch("v1/balance");
 * ```
 * @group Tokens
 * @see [How it works](docs/how-it-works.md)
 */
export class DigitalpayeAuth {
  /**
   * Sends nothing and starts nothing; fit for module scope in every runtime.
   *
   * @throws {InvalidOptionsError} An option is unusable; `option` names it.
   * @throws {UnsupportedRuntimeError} This runtime does not run WebAssembly.
   * @example
   * ```js
   * const auth = new DigitalpayeAuth({ apiKey, apiSecret, timeout: 10_000 });
   * ```
   */
  constructor(options: ClientOptions);

  /**
   * A client from the environment variables `DIGITALPAYE_API_KEY`, `DIGITALPAYE_API_SECRET`, `DIGITALPAYE_ENVIRONMENT` and
   * `DIGITALPAYE_BASE_URL`, in Node, Deno, Bun and workerd. `options` come before variables; an empty variable counts as none.
   *
   * @throws {InvalidOptionsError} Key or secret is nowhere, a variable may not be read, or `options` has a name that is no
   *   option or a value that is `undefined`: a mistake must not charge another account.
   * @throws {UnsupportedRuntimeError} This runtime does not run WebAssembly.
   * @example
   * ```js
   * const auth = DigitalpayeAuth.fromEnv({ timeout: 10_000 });
   * ```
   */
  static fromEnv(options?: Partial<ClientOptions>): DigitalpayeAuth;

  // `this: void`: a method that is bound, which a subclass can still override by a method of its own.

  /**
   * A token that is good now. However many ask, one exchange is made; it is renewed before anyone has to wait.
   *
   * `forceRefresh` (default `false`) asks for a new one, past memory and store.
   *
   * @throws Never. Rejects with an {@link AuthError}, or with `signal.reason`.
   * @example
   * ```js
   * const { token } = await auth.getToken({ signal: AbortSignal.timeout(5_000) });
   * ```
   * @see RFC 6750, section 2.1
   */
  getToken(this: void, call?: CallOptions & { forceRefresh?: boolean | undefined }): Promise<AccessToken>;

  /**
   * The platform's `fetch`, with `Authorization` and `X-Environment` set. Relative input resolves against `baseUrl`;
   * another origin is refused. After a 401 it gets a new token and tries once more, if the body can be sent again.
   *
   * @throws Never. Rejects with an {@link AuthError} if there is no token to be had, with an {@link InvalidOptionsError} for
   *   another origin; all else is the platform's own.
   * @example
   * ```js
   * const response = await auth.fetch("v1/balance");
   * ```
   * @see https://fetch.spec.whatwg.org/#fetch-method, and RFC 6750, section 2.1
   */
  fetch(this: void, ...args: Parameters<Fetch>): ReturnType<Fetch>;

  /**
   * Forgets the token; with an argument, only if that is the one held. Callers that wait get the token of a new exchange.
   *
   * @throws {InvalidOptionsError} The argument is no string.
   * @example
   * ```js
   * auth.invalidate(token); // a 401 that some other client met
   * ```
   * @see RFC 6750, section 3.1 (`invalid_token`)
   */
  invalidate(this: void, token?: string): void;

  /**
   * Forgets and overwrites the secret. Later calls reject with an {@link InvalidOptionsError}.
   *
   * @example
   * ```ts
   * using auth = new DigitalpayeAuth({ apiKey, apiSecret });
   * ```
   * @see https://github.com/tc39/proposal-explicit-resource-management
   */
  [Symbol.dispose](): void;
}

/**
 * What `onEvent` is told. Frozen; none holds a token, key, secret, header or store key.
 *
 * - `token`: there is one, from the API or a store (`attempts` 0). `durationMs` counts from the start of the flight.
 * - `retry`: attempt number `attempt` (from 1) failed, the next begins in `delayMs`.
 * - `failure`: an exchange failed for good. `ttlSeconds` is the life left of the token still held, 0 if there is none;
 *   `retryInMs` is there when a cooldown or `Retry-After` says so. An abort is none.
 * - `store`: a store threw, hung or answered nonsense; `cause` is there with `rejected`, and not enumerable.
 * - `unauthorized`: {@link DigitalpayeAuth.fetch} met a 401.
 *
 * `background` is false where callers wait.
 *
 * @example
 * ```js
 * onEvent: (event) => console.log(event)
 * ```
 * @group Options
 * @see [Events](docs/events.md)
 */
export type AuthEvent =
  | {
      readonly type: "token";
      readonly source: "exchange" | "store";
      readonly exp: number;
      readonly ttlSeconds: number;
      readonly attempts: number;
      readonly durationMs: number;
      readonly background: boolean;
    }
  | { readonly type: "retry"; readonly error: AuthError; readonly attempt: number; readonly delayMs: number }
  | {
      readonly type: "failure";
      readonly error: AuthError;
      readonly background: boolean;
      readonly ttlSeconds: number;
      readonly retryInMs?: number;
    }
  | {
      readonly type: "store";
      readonly operation: "get" | "set" | "delete" | "acquire" | "release";
      readonly problem: "rejected" | "timeout" | "invalid";
      readonly cause?: unknown;
    }
  | { readonly type: "unauthorized"; readonly retried: boolean };

/**
 * A token out of a store.
 *
 * @group Stores
 * @example
 * ```js
 * return { token, exp, ttlSeconds: 480 };
 * ```
 */
export interface StoredToken extends AccessToken {
  /**
   * Seconds of life left by the store's clock: above 0, at most 86,400.
   *
   * @default `exp` minus the local clock
   */
  readonly ttlSeconds?: number | undefined;
}

/**
 * One token shared by a fleet. A store that fails or hangs costs a direct exchange, never an error. `key` is a hash that
 * shows neither API key nor secret.
 *
 * @example
 * ```js
 * const store = { get: async (key) => cache.get(key), set: async (key, token, ttl) => cache.set(key, token, { ttl }) };
 * ```
 * @group Stores
 * @see [Stores](docs/stores.md), and `digitalpaye-auth/stores/testing` for its rules as tests
 */
export interface TokenStore {
  /** The entry, if there is one. */
  get(key: string): Promise<StoredToken | null | undefined>;
  /** Writes an entry that is gone after `ttlSeconds`, the life that the token has left. */
  set(key: string, token: AccessToken, ttlSeconds: number): Promise<void>;
  /** Deletes the entry; with a token, only if that is the one stored, atomically. */
  delete?(key: string, token?: string): Promise<void>;
  /** Takes the lease of a key for `ttlSeconds`: true for the one that may exchange. Its holder renews it by this too. */
  acquire?(key: string, ttlSeconds: number): Promise<boolean>;
  /** Gives the lease back. */
  release?(key: string): Promise<void>;
}
