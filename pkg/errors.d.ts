/**
 * The stable name of a failure. Part of the API, unlike messages.
 *
 * @group Errors
 * @example
 * ```js
 * switch (error.code) {
 *   case "rate_limited": return later(error.retryAfter ?? 30);
 *   case "unauthorized": return alarm(error.reason);
 * }
 * ```
 * @see [Errors](docs/errors.md)
 */
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
  | "credentials"
  | "unsupported_runtime";

/**
 * What an {@link AuthError} knows besides its message: for tests that make one.
 *
 * @group Errors
 */
export interface AuthErrorFields {
  /** Of an {@link AuthError} itself; the classes below it have one of their own. */
  code?: AuthErrorCode | undefined;
  /** The HTTP status. */
  status?: number | undefined;
  /** The API's own words. */
  reason?: string | undefined;
  /** Seconds. */
  retryAfter?: number | undefined;
  /**
   * Requests sent.
   *
   * @default 0
   */
  attempts?: number | undefined;
  /** Of an {@link InvalidOptionsError}: the option at fault. */
  option?: string | undefined;
  /** What the platform or a function of yours failed with. */
  cause?: unknown;
}

/**
 * Every failure of this package. None holds the request, the secret, the `Authorization` value or a token.
 *
 * @example
 * ```js
 * if (AuthError.is(error) && error.retryable) response.status(503);
 * ```
 * @group Errors
 * @see [Errors](docs/errors.md)
 */
export class AuthError extends Error {
  /**
   * For tests and mocks: errors come out of calls otherwise.
   *
   * @example
   * ```js
   * const getToken = () => Promise.reject(new NetworkError("no network", { attempts: 3 }));
   * ```
   */
  constructor(message?: string, fields?: AuthErrorFields);
  /** Part of the API, unlike the message. */
  readonly code: AuthErrorCode;
  /** The HTTP status, when there was a reply. */
  readonly status?: number;
  /** The API's own words, untouched; left out if they repeat the secret. */
  readonly reason?: string;
  /** Whether the same call may succeed later. It has been tried again already, `maxRetries` times. */
  readonly retryable: boolean;
  /**
   * Seconds to wait, when the API said so (`Retry-After`).
   *
   * @see RFC 9110, section 10.2.3
   */
  readonly retryAfter?: number;
  /** Requests sent. */
  readonly attempts: number;
  /**
   * Whether a value is an error of this package, whichever copy of it. `instanceof` is as good.
   *
   * @throws Never.
   * @example
   * ```js
   * catch (error) {
   *   if (!AuthError.is(error)) throw error; // an abort, or a bug
   * }
   * ```
   */
  static is(value: unknown): value is AuthError;
}

/**
 * An option is unusable; nothing was sent. `option` names it.
 *
 * @example
 * ```js
 * if (error instanceof InvalidOptionsError) console.error(error.option, error.message);
 * ```
 * @group Errors
 * @see [What to do](docs/errors.md#invalid_options)
 */
export class InvalidOptionsError extends AuthError {
  readonly code: "invalid_options";
  /** The option at fault. */
  readonly option: string;
}

/**
 * Status 400: the API could not read the credentials.
 *
 * @example
 * ```js
 * if (error instanceof BadRequestError) console.error(error.reason);
 * ```
 * @group Errors
 * @see [What to do](docs/errors.md#bad_request)
 * @see RFC 9110, section 15.5.1
 */
export class BadRequestError extends AuthError {
  readonly code: "bad_request";
}

/**
 * Status 401: the API refused the credentials.
 *
 * @example
 * ```js
 * if (error instanceof UnauthorizedError) console.error("check key, secret and environment:", error.reason);
 * ```
 * @group Errors
 * @see [What to do](docs/errors.md#unauthorized)
 * @see RFC 9110, section 15.5.2
 */
export class UnauthorizedError extends AuthError {
  readonly code: "unauthorized";
}

/**
 * Status 429: too many requests.
 *
 * @example
 * ```js
 * if (error instanceof RateLimitError) response.set("Retry-After", String(error.retryAfter ?? 30));
 * ```
 * @group Errors
 * @see [What to do](docs/errors.md#rate_limited)
 * @see RFC 6585, section 4, and RFC 9110, section 10.2.3 (`Retry-After`)
 */
export class RateLimitError extends AuthError {
  readonly code: "rate_limited";
}

/**
 * Status 5xx: the API failed.
 *
 * @example
 * ```js
 * if (error instanceof InternalServerError) response.status(503);
 * ```
 * @group Errors
 * @see [What to do](docs/errors.md#internal_server_error)
 * @see RFC 9110, section 15.6
 */
export class InternalServerError extends AuthError {
  readonly code: "internal_server_error";
}

/**
 * Any other status, redirects included. `retryable` for 408 only.
 *
 * @example
 * ```js
 * if (error instanceof UnexpectedStatusError) console.error("baseUrl, or a proxy on the way:", error.status);
 * ```
 * @group Errors
 * @see [What to do](docs/errors.md#unexpected_status)
 * @see RFC 9110, section 15
 */
export class UnexpectedStatusError extends AuthError {
  readonly code: "unexpected_status";
}

/**
 * A 200 that breaks the contract, or is over 64 KiB.
 *
 * @example
 * ```js
 * if (error instanceof InvalidResponseError) console.error("baseUrl, or a login page on the way:", error.message);
 * ```
 * @group Errors
 * @see [What to do](docs/errors.md#invalid_response)
 * @see RFC 6750, section 2.1 (`b64token`), and RFC 7519, section 2 (NumericDate)
 */
export class InvalidResponseError extends AuthError {
  readonly code: "invalid_response";
}

/**
 * `fetch` rejected, or the body broke off. `cause` is what it rejected with.
 *
 * @example
 * ```js
 * if (error instanceof NetworkError) console.error(error.cause);
 * ```
 * @group Errors
 * @see [What to do](docs/errors.md#network)
 * @see https://fetch.spec.whatwg.org/#concept-network-error
 */
export class NetworkError extends AuthError {
  readonly code: "network";
}

/**
 * The `timeout` of the call passed.
 *
 * @example
 * ```js
 * if (error instanceof TimeoutError) response.status(504);
 * ```
 * @group Errors
 * @see [What to do](docs/errors.md#timeout)
 */
export class TimeoutError extends AuthError {
  readonly code: "timeout";
}

/**
 * The `apiSecret` function rejected, or gave what is no secret; nothing was sent. `cause` is what it rejected with.
 *
 * @example
 * ```js
 * if (error instanceof CredentialsError) console.error("secret manager:", error.cause);
 * ```
 * @group Errors
 * @see [What to do](docs/errors.md#credentials)
 * @see [Credentials that change](docs/credentials.md)
 */
export class CredentialsError extends AuthError {
  readonly code: "credentials";
}

/**
 * This runtime has no WebAssembly, or does not let the package compile it: React Native, LLRT, `node --jitless`, iOS in
 * Lockdown Mode, a page whose Content-Security-Policy lacks `'wasm-unsafe-eval'`, a page in Chromium before 115. Or it is too old:
 * Node.js before 18, Safari before 16.4. Constructors throw it, `authenticate` rejects with it, and so do calls where there is no
 * `fetch`, or for `auth.fetch` no `Request`. `cause` is the platform's error, where there is one.
 *
 * @example
 * ```js
 * if (error instanceof UnsupportedRuntimeError) return askOwnServer();
 * ```
 * @group Errors
 * @see [What to do](docs/errors.md#unsupported_runtime)
 * @see https://www.w3.org/TR/CSP3/#directive-script-src (`'wasm-unsafe-eval'`)
 */
export class UnsupportedRuntimeError extends AuthError {
  readonly code: "unsupported_runtime";
}
