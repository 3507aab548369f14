// Every exported name, in a program that may know no platform at all.
import {
  AuthError, BadRequestError, CredentialsError, DigitalpayeAuth, InternalServerError, InvalidOptionsError, InvalidResponseError, NetworkError,
  RateLimitError, TimeoutError, UnauthorizedError, UnexpectedStatusError, UnsupportedRuntimeError, authenticate,
} from "digitalpaye-auth";
import type {
  AccessToken, AuthErrorCode, AuthErrorFields, AuthEvent, AuthOptions, CallOptions, ClientOptions, StoredToken, TokenStore,
} from "digitalpaye-auth";
import { redisStore } from "digitalpaye-auth/stores/redis";
import type {
  GlideRedisClient, IoredisClient, NodeRedisClient, RedisClient, RedisEval, RedisStoreOptions, UpstashClient,
} from "digitalpaye-auth/stores/redis";
import { workersKvStore } from "digitalpaye-auth/stores/workers-kv";
import type { WorkersKvNamespace } from "digitalpaye-auth/stores/workers-kv";
import { durableObjectStore, TokenObject } from "digitalpaye-auth/stores/durable-object";
import type { TokenObjectNamespace } from "digitalpaye-auth/stores/durable-object";
import { testStore } from "digitalpaye-auth/stores/testing";
import type { TestRunner, TestStoreOptions } from "digitalpaye-auth/stores/testing";

// Tells readonly and optional properties from others, too.
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function check<T extends true>(): T;
declare function some<T>(): T;

// What the declarations are made of is not part of the API.
// @ts-expect-error
export type NoFetch = import("digitalpaye-auth").Fetch;
// @ts-expect-error
export type NoPlatform = import("digitalpaye-auth").Platform;
// @ts-expect-error
export type NoURL = import("digitalpaye-auth").PlatformURL;
// @ts-expect-error
export type NoSignal = import("digitalpaye-auth").Signal;

const credentials = { apiKey: "key", apiSecret: "secret" };

// AuthOptions
export const least: AuthOptions = credentials;
export const all: AuthOptions = {
  ...credentials, environment: "Sandbox", baseUrl: "https://h/p/", timeout: 1, maxRetries: 0,
};
export const own: AuthOptions = { ...credentials, environment: "Staging" };
export const unset: AuthOptions = {
  ...credentials, environment: undefined, baseUrl: undefined, timeout: undefined, maxRetries: undefined, fetch: undefined,
};
check<Equal<Omit<AuthOptions, "apiSecret" | "baseUrl" | "fetch">, {
  apiKey: string;
  environment?: "Production" | "Sandbox" | (string & {}) | undefined;
  timeout?: number | undefined;
  maxRetries?: number | undefined;
  onEvent?: ((event: AuthEvent) => void) | undefined;
}>>();
export const asked: AuthOptions = { apiKey: "key", apiSecret: async ({ signal }) => String(signal.aborted) };
export const askedAtOnce: AuthOptions = { apiKey: "key", apiSecret: () => "secret" };
// @ts-expect-error: a secret is text
export const number: AuthOptions = { apiKey: "key", apiSecret: () => 5 };
// @ts-expect-error: nor is a promise of one an option
export const promised: AuthOptions = { apiKey: "key", apiSecret: Promise.resolve("secret") };
// @ts-expect-error: the secret is required
export const noSecret: AuthOptions = { apiKey: "key" };
// @ts-expect-error: the key is required
export const noKey: AuthOptions = { apiSecret: "secret" };
// @ts-expect-error: only undefined means the default
export const nothing: AuthOptions = { ...credentials, timeout: null };
// @ts-expect-error: a number
export const text: AuthOptions = { ...credentials, maxRetries: "2" };
// @ts-expect-error: text, or a URL
export const port: AuthOptions = { ...credentials, baseUrl: 443 };
// @ts-expect-error: no such option
export const unknownOption: AuthOptions = { ...credentials, retries: 2 };
// @ts-expect-error: authenticate() knows no store
export const store: AuthOptions = { ...credentials, store: some<TokenStore>() };

// authenticate, AccessToken, CallOptions
check<Equal<typeof authenticate, (options: AuthOptions, call?: CallOptions) => Promise<AccessToken>>>();
check<Equal<keyof CallOptions, "signal">>();
check<Equal<AccessToken, { readonly token: string; readonly exp: number }>>();
authenticate(credentials, {});
authenticate(credentials, { signal: undefined } satisfies CallOptions);
// @ts-expect-error: options are required
authenticate();
// @ts-expect-error: a signal is not a string
authenticate(credentials, { signal: "abort" });
// @ts-expect-error: there is nothing to refresh
authenticate(credentials, { forceRefresh: true });
// @ts-expect-error: frozen
some<AccessToken>().token = "other";
// @ts-expect-error: frozen
some<AccessToken>().exp = 1;

// DigitalpayeAuth
export const auth = new DigitalpayeAuth({ ...credentials, store: some<TokenStore>(), waitUntil: (work) => void work });
check<Equal<keyof DigitalpayeAuth, "getToken" | "fetch" | "invalidate" | typeof Symbol.dispose>>();
check<Equal<ConstructorParameters<typeof DigitalpayeAuth>, [options: ClientOptions]>>();
type Client = ClientOptions;
check<Equal<Omit<Client, keyof AuthOptions>, {
  store?: TokenStore | undefined;
  waitUntil?: ((work: Promise<unknown>) => void) | undefined;
}>>();
check<Equal<Pick<Client, keyof AuthOptions>, Pick<AuthOptions, keyof AuthOptions>>>();
check<Equal<typeof auth.getToken, (this: void, call?: CallOptions & { forceRefresh?: boolean | undefined }) => Promise<AccessToken>>>();
auth.getToken();
auth.getToken({ forceRefresh: true });
check<Equal<typeof auth.invalidate, (this: void, token?: string) => void>>();
check<Equal<(typeof auth)[typeof Symbol.dispose], () => void>>();
auth.invalidate();
auth.invalidate("token");
auth[Symbol.dispose]();
export function scope() {
  using scoped = new DigitalpayeAuth(credentials);
  return scoped.getToken();
}
// Bound members are handed over as they are, and a subclass may have its own.
export const { fetch, getToken, invalidate } = auth;
export class Counted extends DigitalpayeAuth {
  override getToken(call?: CallOptions & { forceRefresh?: boolean }) {
    return super.getToken(call);
  }
}
check<Equal<typeof DigitalpayeAuth.fromEnv, (options?: Partial<ClientOptions>) => DigitalpayeAuth>>();
DigitalpayeAuth.fromEnv();
DigitalpayeAuth.fromEnv({ timeout: 5_000, store: some<TokenStore>() });
// @ts-expect-error: no such option
DigitalpayeAuth.fromEnv({ apikey: "key" });
// @ts-expect-error: options are required
new DigitalpayeAuth();
// @ts-expect-error: a store has get and set
new DigitalpayeAuth({ ...credentials, store: {} });
// @ts-expect-error: a boolean
auth.getToken({ forceRefresh: 1 });
// @ts-expect-error: a token is a string
auth.invalidate({ token: "token", exp: 1 });

// AuthEvent
interface Events {
  token: {
    readonly source: "exchange" | "store"; readonly exp: number; readonly ttlSeconds: number; readonly attempts: number;
    readonly durationMs: number; readonly background: boolean;
  };
  retry: { readonly error: AuthError; readonly attempt: number; readonly delayMs: number };
  failure: { readonly error: AuthError; readonly background: boolean; readonly ttlSeconds: number; readonly retryInMs?: number };
  store: {
    readonly operation: "get" | "set" | "delete" | "acquire" | "release"; readonly problem: "rejected" | "timeout" | "invalid";
    readonly cause?: unknown;
  };
  unauthorized: { readonly retried: boolean };
}
check<Equal<AuthEvent["type"], keyof Events>>();
check<Equal<{ [Type in keyof Events]: Omit<Extract<AuthEvent, { type: Type }>, "type"> }, {
  [Type in keyof Events]: Omit<Events[Type], never>;
}>>();
export function told(event: AuthEvent): number | undefined {
  if (event.type === "failure") return event.retryInMs ?? event.error.retryAfter;
  // @ts-expect-error: not every event has an error
  if (event.error) return 0;
  return event.type === "token" ? event.exp : undefined;
}
// @ts-expect-error: frozen
some<Extract<AuthEvent, { type: "unauthorized" }>>().retried = false;

// StoredToken, TokenStore
check<Equal<StoredToken, { readonly token: string; readonly exp: number; readonly ttlSeconds?: number | undefined }>>();
check<Equal<TokenStore, {
  get(key: string): Promise<StoredToken | null | undefined>;
  set(key: string, token: AccessToken, ttlSeconds: number): Promise<void>;
  delete?(key: string, token?: string): Promise<void>;
  acquire?(key: string, ttlSeconds: number): Promise<boolean>;
  release?(key: string): Promise<void>;
}>>();
export const leastStore: TokenStore = { get: async () => undefined, set: async () => {} };
export const allOfStore: TokenStore = {
  get: async (key: string): Promise<StoredToken | null> => (key ? { token: "t", exp: 1, ttlSeconds: 2 } : null),
  set: async (key, { token, exp }, ttlSeconds) => void [key, token, exp, ttlSeconds],
  delete: async () => {}, acquire: async () => true, release: async () => {},
};
// @ts-expect-error: the store has to say whether the lease was granted
export const vague: TokenStore = { ...leastStore, acquire: async () => {} };

// Errors
const code = {
  AuthError: some<AuthErrorCode>(), InvalidOptionsError: "invalid_options", BadRequestError: "bad_request",
  UnauthorizedError: "unauthorized", RateLimitError: "rate_limited", InternalServerError: "internal_server_error",
  UnexpectedStatusError: "unexpected_status", InvalidResponseError: "invalid_response", NetworkError: "network",
  TimeoutError: "timeout", CredentialsError: "credentials", UnsupportedRuntimeError: "unsupported_runtime",
} as const;
const classes = {
  AuthError, InvalidOptionsError, BadRequestError, UnauthorizedError, RateLimitError, InternalServerError,
  UnexpectedStatusError, InvalidResponseError, NetworkError, TimeoutError, CredentialsError,
  UnsupportedRuntimeError,
};
type Classes = typeof classes;
type Code = typeof code;
check<Equal<{ [Name in keyof Classes]: Pick<InstanceType<Classes[Name]>, "code"> }, {
  [Name in keyof Classes]: { readonly code: Code[Name] };
}>>();
check<Equal<AuthErrorCode, Code[Exclude<keyof Code, "AuthError">]>>();
type Own<Class> = Omit<Class, "code" | keyof Error>;
interface Facts {
  readonly status?: number;
  readonly reason?: string;
  readonly retryable: boolean;
  readonly retryAfter?: number;
  readonly attempts: number;
}
interface OptionFacts extends Facts {
  readonly option: string;
}
check<Equal<{ [Name in keyof Classes]: Own<InstanceType<Classes[Name]>> }, {
  [Name in keyof Classes]: Own<Name extends "InvalidOptionsError" ? OptionFacts : Facts>;
}>>();
check<Equal<{ [Name in keyof Classes]: Classes[Name]["is"] }, { [Name in keyof Classes]: (value: unknown) => value is AuthError }>>();
check<Equal<{ [Name in keyof Classes]: ConstructorParameters<Classes[Name]> }, {
  [Name in keyof Classes]: [message?: string | undefined, fields?: AuthErrorFields | undefined];
}>>();
check<Equal<AuthErrorFields, {
  code?: AuthErrorCode | undefined;
  status?: number | undefined;
  reason?: string | undefined;
  retryAfter?: number | undefined;
  attempts?: number | undefined;
  option?: string | undefined;
  cause?: unknown;
}>>();
export function read(error: unknown): string {
  if (!AuthError.is(error)) return "not ours";
  const facts: [AuthErrorCode, number | undefined, string | undefined, boolean, number | undefined, number, unknown] = [
    error.code, error.status, error.reason, error.retryable, error.retryAfter, error.attempts, error.cause,
  ];
  if (error instanceof InvalidOptionsError) return error.option;
  // @ts-expect-error: frozen in the types
  error.code = "network";
  // @ts-expect-error: no such error
  if (error.code === "forbidden") return "";
  return error.stack ?? error.name ?? facts.join();
}
export const made: Error = new RateLimitError("later", { retryAfter: 1 } satisfies AuthErrorFields);

// Stores
check<Equal<ReturnType<typeof redisStore>, TokenStore>>();
redisStore({ isOpen: true, eval: async () => null } satisfies NodeRedisClient);
redisStore({ status: "ready", eval: async () => null } satisfies IoredisClient);
redisStore({ createScript: () => null, eval: async () => null } satisfies UpstashClient);
redisStore({ customCommand: async () => null } satisfies GlideRedisClient);
redisStore((async (script, keys, args) => [script, ...keys, ...args]) satisfies RedisEval, { prefix: "shop:" } satisfies RedisStoreOptions);
redisStore(some<RedisClient>(), { prefix: undefined });
check<Equal<RedisClient, NodeRedisClient | IoredisClient | UpstashClient | GlideRedisClient | RedisEval>>();
// @ts-expect-error: a name
redisStore(some<RedisClient>(), { prefix: 5 });
// @ts-expect-error: no client
redisStore({ eval: async () => null });
// @ts-expect-error: not a client
redisStore("redis://localhost");
check<Equal<ReturnType<typeof workersKvStore>, TokenStore>>();
workersKvStore({ get: async () => null, put: async () => {}, delete: async () => {} } satisfies WorkersKvNamespace);
// @ts-expect-error: not a namespace
workersKvStore({});
check<Equal<ReturnType<typeof durableObjectStore>, TokenStore>>();
durableObjectStore({ idFromName: (name: string) => ({ name }), get: (id: { name: string }) => id } satisfies TokenObjectNamespace);
check<Equal<ReturnType<TokenObject["alarm"]>, Promise<void>>>();
// @ts-expect-error: no namespace
durableObjectStore({});
check<Equal<ReturnType<typeof testStore>, void>>();
const runner: TestRunner = { describe: (_: string, body: () => void) => body(), test: (_: string, body: () => Promise<void>) => body() };
testStore(() => some<TokenStore>(), runner);
testStore(async () => some<TokenStore>(), runner, { shortestTtlSeconds: 60 } satisfies TestStoreOptions);
// @ts-expect-error: it makes a store
testStore(() => ({}), runner);
