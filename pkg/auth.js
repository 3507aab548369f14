// The API: `authenticate` and `DigitalpayeAuth`, over one client's host.
import { optionsFromEnv } from "./env.js";
import { fetchWithToken } from "./fetch.js";
import { Host, needRoom } from "./host.js";

/** One exchange: a token, or a rejection with an `AuthError`. Never throws. */
export function authenticate(options, call) {
  return new Promise((resolve, reject) => {
    const host = new Host(options, true);
    const close = (settle) => (value) => {
      host.close();
      settle(value);
    };
    try {
      host.ask(call, close(resolve), close(reject));
    } catch (error) {
      close(reject)(error);
    }
  });
}

export class DigitalpayeAuth {
  static {
    // By hand: a minifier changes the name that is written.
    Object.defineProperty(this, "name", { value: "DigitalpayeAuth" });
  }

  // Private, so that nothing prints it. The secret is not even here, but in the wasm module's memory.
  #host;

  constructor(options) {
    this.#host = new Host(options, false);
  }

  static fromEnv(options) {
    return new this(optionsFromEnv(options));
  }

  getToken(call) {
    const host = this.#host;
    // While the token is fresh there is nothing to decide.
    if (call === undefined && performance.now() < host.freshUntil) return Promise.resolve(host.held);
    return new Promise((resolve, reject) => host.ask(call, resolve, reject));
  }

  async fetch(...args) {
    needRoom();
    this.#host.needOpen();
    return fetchWithToken(this, this.#host, args);
  }

  invalidate(token) {
    this.#host.invalidate(token);
  }

  [Symbol.dispose ?? Symbol.for("Symbol.dispose")]() {
    needRoom();
    this.#host.close();
  }
}
