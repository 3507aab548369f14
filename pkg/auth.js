// The API: `authenticate` and `DigitalpayeAuth`, over the wasm client.
import { Client } from "./wasm/digitalpaye_auth_bg.js";
import { Host } from "./host.js";
import { fetchWithToken } from "./fetch.js";

function open(options) {
  const host = new Host();
  host.client = new Client(options, host);
  return host;
}

/** One exchange: a token, or a rejection with an `AuthError`. Never throws. */
export function authenticate(options, call) {
  return new Promise((resolve, reject) => {
    const { client } = open(options);
    const settled = new Promise((settle) => {
      client.ask(call, (token) => settle(resolve(token)), (error) => settle(reject(error)));
    });
    // In a turn of its own: the client is not freed out of its own call.
    settled.then(() => {
      client.close();
      client.free();
    });
  });
}

export class DigitalpayeAuth {
  // Private, so that nothing prints it. The secret is not even here, but in the wasm module's memory.
  #host;

  constructor(options) {
    this.#host = open(options);
  }

  getToken(call) {
    const host = this.#host;
    // While the token is fresh there is nothing to decide.
    if (call === undefined && performance.now() < host.freshUntil) return Promise.resolve(host.grantHeld);
    return new Promise((resolve, reject) => host.client.ask(call, resolve, reject));
  }

  fetch(...args) {
    return fetchWithToken(this, this.#host.client, ...args);
  }

  invalidate(token) {
    this.#host.client.invalidate(token);
  }

  [Symbol.dispose ?? Symbol.for("Symbol.dispose")]() {
    this.#host.client.close();
  }
}
