// The API: `authenticate` and `DigitalpayeAuth`, over the wasm client.
import { Client } from "./wasm/digitalpaye_auth_bg.js";
import { InvalidOptionsError } from "./errors.js";
import { fetchWithToken } from "./fetch.js";
import { Host } from "./host.js";

/**
 * Throws a RangeError if the stack is about to end. Called before the wasm module is entered: it cannot be unwound, so
 * it would not survive what any JavaScript does.
 */
const needRoom = (frames = 512) => frames === 0 || needRoom(frames - 1);

function open(options, once) {
  needRoom();
  const host = new Host();
  const client = new Client(options, host, once);
  host.client = client;
  return { host, client };
}

/** One exchange: a token, or a rejection with an `AuthError`. Never throws. */
export function authenticate(options, call) {
  return new Promise((resolve, reject) => {
    const { host, client } = open(options, true);
    const close = (settle) => (value) => {
      host.close();
      settle(value);
    };
    client.ask(call, close(resolve), close(reject));
  });
}

export class DigitalpayeAuth {
  static {
    // By hand: a minifier changes the name that is written.
    Object.defineProperty(this, "name", { value: "DigitalpayeAuth" });
  }

  // Private, so that nothing prints them. The secret is not even here, but in the wasm module's memory.
  #host;
  #client;

  constructor(options) {
    const { host, client } = open(options, false);
    this.#host = host;
    this.#client = client;
  }

  getToken(call) {
    const host = this.#host;
    // While the token is fresh there is nothing to decide.
    if (call === undefined && performance.now() < host.freshUntil) return Promise.resolve(host.grantHeld);
    return new Promise((resolve, reject) => this.#open().ask(call, resolve, reject));
  }

  async fetch(...args) {
    return fetchWithToken(this, this.#open(), args);
  }

  invalidate(token) {
    needRoom();
    this.#client?.invalidate(token);
  }

  [Symbol.dispose ?? Symbol.for("Symbol.dispose")]() {
    needRoom();
    this.#host.close();
    this.#client = undefined;
  }

  /** The client, and room for it; disposed of, it has no secret to ask for a token with. */
  #open() {
    needRoom();
    if (this.#client) return this.#client;
    throw new InvalidOptionsError("this client was disposed of, and its apiSecret with it; make a new one", {
      option: "apiSecret",
    });
  }
}
