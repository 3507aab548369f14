// The API: `authenticate` and `DigitalpayeAuth`, over one client.
import { Client } from "./adapter.js";
import { fetchWithToken } from "./fetch.js";
import { needRoom } from "./host.js";

/** One exchange: a token, or a rejection with an `AuthError`. Never throws. */
export async function authenticate(options, call) {
  const client = new Client(options, true);
  try {
    return await client.getToken(call);
  } finally {
    client.close();
  }
}

const DISPOSE = Symbol.dispose ?? Symbol.for("Symbol.dispose");
/** Leads from what stands for an instance (a Proxy, an object that inherits from it) to the instance itself. */
const SELF = Symbol("self");

export class DigitalpayeAuth {
  static {
    // By hand: a minifier changes the name that is written.
    Object.defineProperty(this, "name", { value: "DigitalpayeAuth" });
  }

  // Private, so that nothing prints it. The secret is not even here, but in the wasm module's memory.
  #client;

  constructor(options) {
    this.#client = new Client(options, false);
    const { prototype } = DigitalpayeAuth;
    define(this, SELF, () => this);
    // So that they can be handed over as they are. By way of the prototype: that is where tests put their mocks.
    for (const name of ["fetch", "getToken", "invalidate", DISPOSE]) {
      if (this[name] === prototype[name]) define(this, name, (...args) => prototype[name].apply(this, args));
    }
  }

  static #clientOf(auth) {
    return (#client in auth ? auth : auth[SELF]()).#client;
  }

  getToken(call) {
    try {
      const client = DigitalpayeAuth.#clientOf(this);
      // While the token is fresh there is nothing to decide.
      if (call === undefined && performance.now() < client.freshUntil) return Promise.resolve(client.held);
      return client.getToken(call);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async fetch(...args) {
    needRoom();
    return fetchWithToken(DigitalpayeAuth.#clientOf(this), args);
  }

  invalidate(token) {
    DigitalpayeAuth.#clientOf(this).invalidate(token);
  }

  [DISPOSE]() {
    needRoom();
    DigitalpayeAuth.#clientOf(this).close();
  }
}

function define(object, name, value) {
  Object.defineProperty(object, name, { value, writable: true, configurable: true });
}
