/**
 * The API for tests, without a socket.
 *
 * @module digitalpaye-auth/emulator
 */
// Without an export of this form every declaration here would be exported.
export {};

// The platform's own fetch wherever it declares one; a program that has none in reach still compiles.
type Platform = typeof globalThis;
type Fetch = Platform extends { fetch: infer F extends (...args: any) => Promise<any> }
  ? F
  : (input: any, init?: any) => Promise<any>;

/** What an emulator takes for right, and how long its tokens live. */
export interface EmulatorConfig {
  /**
   * The API key that is right: not empty, no ":", no control characters.
   * @default "emulator_key"
   */
  apiKey?: string | undefined;
  /**
   * The API secret that is right: not empty, no control characters.
   * @default "emulator_secret"
   */
  apiSecret?: string | undefined;
  /**
   * A token's life in seconds, a whole number from 1 to 1,000,000,000.
   * @default 600
   */
  lifeSeconds?: number | undefined;
  /**
   * The `companyId` of the tokens: not empty.
   * @default "00000000-0000-4000-8000-000000000000"
   */
  companyId?: string | undefined;
}

/** What happens to the next requests of one path. A field that is left out leaves the answer as it is. */
export interface Behaviour {
  /**
   * The path of the requests, without a query.
   * @default "/v1/auth"
   */
  path?: string | undefined;
  /**
   * For how many requests: a whole number, at least 1.
   * @default 1
   */
  times?: number | undefined;
  /**
   * The status, a whole number from 200 to 599, with the API's own body for it unless `body` is given.
   * @default 429 with `retryAfter`, else what the API answers
   */
  status?: number | undefined;
  /**
   * Milliseconds before the answer, from 0 to 2,147,483,647. It is the `setTimeout` of the moment that waits: under fake
   * timers the answer comes when the test moves them.
   * @default 0
   */
  delayMs?: number | undefined;
  /**
   * The `Retry-After` header: whole seconds, or any text such as a date.
   * @default none
   * @see RFC 9110, section 10.2.3
   */
  retryAfter?: number | string | undefined;
  /**
   * Headers of the answer, over all others. A value is Latin-1 without line breaks.
   * @default none
   */
  headers?: Record<string, string> | undefined;
  /**
   * The body: a string as it is, any other value as JSON. Statuses 204, 205 and 304 have none.
   * @default the API's own for the status
   */
  body?: unknown;
  /**
   * No answer until the request is aborted. Not with `status`, `retryAfter`, `headers` or `body`.
   * @default none: there is an answer
   */
  hang?: true | undefined;
  /**
   * `fetch` rejects with a TypeError, as when the connection breaks. Not with an answer, either.
   * @default none: there is an answer
   */
  reject?: true | undefined;
}

/** A request that came. */
export interface RecordedRequest {
  method: string;
  /** Path and query. */
  path: string;
  /** By lower-case name. Of credentials only the scheme is shown: `Basic ***`, `Bearer ***`. */
  headers: Record<string, string>;
  /** The status of the answer; absent while there is none. */
  status?: number;
}

/** The API of one test. Shares nothing with other emulators. Its functions can be taken off it. */
export interface Emulator {
  /** The credentials that are right, to be spread into the options of a client. */
  readonly credentials: { readonly apiKey: string; readonly apiSecret: string };
  /**
   * The API as a function from a request to a response, without a socket. Any origin will do.
   *
   * `POST /v1/auth` gives tokens, `GET /v1/balance` takes them, anything else is a 404. Rejects as the platform's `fetch`
   * does: with a TypeError, or with `signal.reason`. Redirects are not followed.
   */
  readonly fetch: Fetch;
  /**
   * Says what happens to the next requests, in place of what is left of the last script. Each request takes the first
   * step for its path.
   *
   * @example
   * ```js
   * emulator.script([{ status: 503, times: 2 }, { path: "/v1/balance", status: 401 }]);
   * ```
   * @throws {TypeError} A step is unusable; the message names its field. Nothing of the script holds then.
   */
  script(steps: readonly Behaviour[]): void;
  /**
   * Moves the API's clock forward: tokens end without waiting. The clock begins as the wall clock and runs by itself.
   *
   * @param seconds From 0 to 1,000,000,000.
   * @example
   * ```js
   * emulator.advance(600); // a token of 600 s has ended
   * ```
   * @throws {TypeError} That is no such number.
   */
  advance(seconds: number): void;
  /**
   * Takes a token back, or all so far: requests with it get a 401 from here on.
   *
   * @example
   * ```js
   * emulator.revoke();
   * ```
   * @throws {TypeError} `token` is no string.
   */
  revoke(token?: string): void;
  /**
   * Copies of the requests that came, oldest first; the last 10,000 of them.
   *
   * @example
   * ```js
   * assert.equal(emulator.requests().filter(({ path }) => path === "/v1/auth").length, 1);
   * ```
   */
  requests(): RecordedRequest[];
  /**
   * Clock, script, tokens and records as at first.
   *
   * @example
   * ```js
   * beforeEach(() => emulator.reset());
   * ```
   */
  reset(): void;
}

/**
 * The API of Digitalpaye for tests: the same replies, no network, no real credentials.
 *
 * @example
 * ```js
 * const emulator = createEmulator();
 * const auth = new DigitalpayeAuth({ ...emulator.credentials, fetch: emulator.fetch });
 * emulator.script([{ status: 503 }]);
 * await auth.getToken(); // after one retry
 * ```
 * @throws {TypeError} A setting is unusable; the message names it.
 * @see [The emulator](docs/emulator.md)
 */
export function createEmulator(config?: EmulatorConfig): Emulator;
