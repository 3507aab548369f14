// One client: the wasm module's, which decides everything (src/web/client.rs), with what only JavaScript can have of it.
import { TokenCache } from "./cache.js";
import { InvalidOptionsError } from "./errors.js";
import { renderingOnDemand } from "./prerender.js";
import { Client, authenticate as exchangeOnce } from "./wasm/digitalpaye_auth_bg.js";

/**
 * Throws a RangeError if the stack is about to end. Called before the wasm module is entered: a module cannot be unwound, so
 * it would not survive that.
 */
export const assertStackHeadroom = (frames = 512) => frames === 0 || assertStackHeadroom(frames - 1);

/** One exchange: a promise of a token. Never throws. */
export function authenticate(options, call) {
  try {
    assertStackHeadroom();
    return renderingOnDemand()?.then(() => exchangeOnce(options, call)) ?? exchangeOnce(options, call);
  } catch (error) {
    return Promise.reject(error);
  }
}

export class TokenClient {
  /** Where the token is found while it is fresh. */
  cache = new TokenCache();
  // What the options came to.
  baseUrl;
  environment;
  fetch;
  #client;

  /** Throws an `InvalidOptionsError`, or an `UnsupportedRuntimeError`. */
  constructor(options) {
    assertStackHeadroom();
    const client = new Client(options, this.cache);
    this.#client = client;
    this.baseUrl = client.baseUrl;
    this.environment = client.environment;
    this.fetch = client.fetch;
  }

  /** Never throws. */
  getToken(call) {
    try {
      assertStackHeadroom();
      return renderingOnDemand()?.then(() => this.#open.getToken(call)) ?? this.#open.getToken(call);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  invalidate(token) {
    assertStackHeadroom();
    if (token !== undefined && typeof token !== "string") throw new InvalidOptionsError("token is not a string", { option: "token" });
    this.#client?.invalidate(token);
  }

  /** A request with this token got a 401. Whether it is to be sent once more, with a new token. */
  unauthorized(token, isReplayable) {
    assertStackHeadroom();
    // Of a client that was disposed of, the next token says so.
    return this.#client?.unauthorized(token, isReplayable) ?? isReplayable;
  }

  /** That one got a 401, too. */
  unauthorizedAgain(token) {
    assertStackHeadroom();
    this.#client?.unauthorizedAgain(token);
  }

  /** Overwrites the secret now. The module's memory is given back in a turn of its own: this may be called from within it. */
  close() {
    assertStackHeadroom();
    const client = this.#client;
    this.#client = undefined;
    client?.close();
    if (client) Promise.resolve().then(() => client.free());
  }

  get #open() {
    if (this.#client) return this.#client;
    throw new InvalidOptionsError("apiSecret is overwritten: this client was disposed of, make a new one", { option: "apiSecret" });
  }
}
