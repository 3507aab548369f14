/// <reference lib="esnext.disposable" />

// Without an export of this form every declaration here would be exported.
export {};

// The platform's own types wherever it declares them: DOM, Node, Deno, Bun, Workers. A program that has none of these
// in reach still compiles, with as much as is used here.
type Platform = typeof globalThis;
type Fetch = Platform extends { fetch: infer F extends (...args: any) => Promise<any> }
  ? F
  : (input: any, init?: any) => Promise<any>;
type PlatformURL = Platform extends { URL: { prototype: infer U } } ? U : { readonly href: string };
// By way of fetch: where AbortSignal is a class, as for Workers, no other type can reach it if it may not be there.
type Signal = Platform extends { fetch: (input: any, init?: { signal?: infer S }) => any }
  ? NonNullable<S>
  : { readonly aborted: boolean };

/** A client's configuration. Every property is read once. */
export interface AuthOptions {
  /** User-id of HTTP Basic (RFC 7617): not empty, no ":", no control characters. */
  apiKey: string;
  /** Password of HTTP Basic (RFC 7617): not empty, no control characters. */
  apiSecret: string;
  /** Value of the `X-Environment` header: visible ASCII, not empty. Default: `"Production"`. */
  environment?: "Production" | "Sandbox" | (string & {}) | undefined;
  /**
   * Address of the API: https, or http on a loopback host; no user info, query or fragment. A path is kept:
   * `"https://h/p/"` asks `https://h/p/v1/auth`. Default: `"https://api.digitalpaye.com"`.
   */
  baseUrl?: string | PlatformURL | undefined;
  /** Milliseconds for a whole call: attempts, waits and body reads. Positive and finite. Default: 30000. */
  timeout?: number | undefined;
  /** Attempts after the first, 0 to 10. Default: 2. */
  maxRetries?: number | undefined;
  /** Used for every request instead of the global `fetch`. */
  fetch?: Fetch | undefined;
}

/** What one call wants. */
export interface CallOptions {
  /** Ends this caller's wait; the call rejects with `signal.reason`. */
  signal?: Signal | undefined;
}

/** A bearer token. Frozen. */
export interface AccessToken {
  /** The token, for `Authorization: Bearer …`. */
  readonly token: string;
  /** When it ends, by the server's clock: whole **seconds**, not milliseconds, since 1970-01-01T00:00:00Z. */
  readonly exp: number;
}

/**
 * Exchanges `apiKey` and `apiSecret` for a token, once. To always have a valid one, use {@link DigitalpayeAuth}.
 *
 * Never throws: every failure is a rejection with an {@link AuthError}; an abort rejects with `signal.reason`.
 */
export function authenticate(options: AuthOptions, call?: CallOptions): Promise<AccessToken>;

/** Has a valid token whenever one is asked for. Make one per process or module and share it. */
export class DigitalpayeAuth {
  /**
   * Sends nothing and starts nothing; fit for module scope in every runtime.
   *
   * @throws {InvalidOptionsError} An option is unusable; `option` names it.
   * @throws {UnsupportedRuntimeError} This runtime does not run WebAssembly.
   */
  constructor(
    options: AuthOptions & {
      /** Shares one token among processes. */
      store?: TokenStore | undefined;
      /** Gets a promise for every refresh behind a caller's back, so that the platform lets it finish. */
      waitUntil?: ((work: Promise<unknown>) => void) | undefined;
    },
  );

  /**
   * A token that is good now. However many ask, one exchange is made; it is renewed before anyone has to wait.
   *
   * `forceRefresh` asks for a new one, past cache and store. Never throws: rejects with an {@link AuthError}, or with
   * `signal.reason`.
   */
  getToken(call?: CallOptions & { forceRefresh?: boolean | undefined }): Promise<AccessToken>;

  /**
   * The platform's `fetch`, with `Authorization` and `X-Environment` set. Relative input resolves against `baseUrl`;
   * another origin is refused. After a 401 it gets a new token and tries once more, if the body can be sent again.
   *
   * Rejects with an {@link AuthError} if there is no token to be had; all else is the platform's own.
   */
  fetch(...args: Parameters<Fetch>): ReturnType<Fetch>;

  /** Forgets the token; with an argument, only if that is the one held. */
  invalidate(token?: string): void;

  /** Forgets and overwrites the secret. Later calls reject with an {@link InvalidOptionsError}. */
  [Symbol.dispose](): void;
}

/** A token out of a store. */
export interface StoredToken extends AccessToken {
  /** Seconds of life left by the store's clock; without it, `exp` is compared with the local clock. */
  readonly ttlSeconds?: number | undefined;
}

/** One token shared by a fleet. A store that fails or hangs costs a direct exchange, never an error. */
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

/** The stable name of a failure. */
export type AuthErrorCode =
  | "invalid_options"
  | "bad_request"
  | "unauthorized"
  | "rate_limited"
  | "internal_server_error"
  | "unexpected_status"
  | "invalid_response"
  | "network"
  | "timeout"
  | "unsupported_runtime";

/** What an {@link AuthError} knows besides its message. */
export interface AuthErrorFields {
  code?: AuthErrorCode | undefined;
  status?: number | undefined;
  reason?: string | undefined;
  retryAfter?: number | undefined;
  attempts?: number | undefined;
  option?: string | undefined;
  cause?: unknown;
}

/** Every failure of this package. None holds the request, the secret, the `Authorization` value or a token. */
export class AuthError extends Error {
  constructor(message?: string, fields?: AuthErrorFields);
  /** Part of the API, unlike the message. */
  readonly code: AuthErrorCode;
  /** The HTTP status, when there was a reply. */
  readonly status?: number;
  /** The API's own words, untouched. */
  readonly reason?: string;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  /** Seconds to wait, when the API said so (`Retry-After`). */
  readonly retryAfter?: number;
  /** Requests sent. */
  readonly attempts: number;
  /** Whether a value is an error of this package, whichever copy of it. `instanceof` is as good. */
  static is(value: unknown): value is AuthError;
}

/** An option is unusable; nothing was sent. */
export class InvalidOptionsError extends AuthError {
  readonly code: "invalid_options";
  /** The option at fault. */
  readonly option: string;
}
/** Status 400. */
export class BadRequestError extends AuthError {
  readonly code: "bad_request";
}
/** Status 401: the API refused the credentials. */
export class UnauthorizedError extends AuthError {
  readonly code: "unauthorized";
}
/** Status 429. */
export class RateLimitError extends AuthError {
  readonly code: "rate_limited";
}
/** Status 5xx. */
export class InternalServerError extends AuthError {
  readonly code: "internal_server_error";
}
/** Any other status, redirects included. */
export class UnexpectedStatusError extends AuthError {
  readonly code: "unexpected_status";
}
/** A 200 that breaks the contract, or is over 64 KiB. */
export class InvalidResponseError extends AuthError {
  readonly code: "invalid_response";
}
/** `fetch` rejected, or the body broke off; `cause` is what it rejected with. */
export class NetworkError extends AuthError {
  readonly code: "network";
}
/** The deadline passed. */
export class TimeoutError extends AuthError {
  readonly code: "timeout";
}
/**
 * This runtime has no WebAssembly, or does not let the package compile it: React Native, LLRT, `node --jitless`, iOS in
 * Lockdown Mode, a page whose Content-Security-Policy lacks `'wasm-unsafe-eval'`, a page in Chromium before 114. The
 * constructor throws it, {@link authenticate} rejects with it. `cause` is the platform's error, where there is one.
 */
export class UnsupportedRuntimeError extends AuthError {
  readonly code: "unsupported_runtime";
}
