// The API: `authenticate` and `DigitalpayeAuth`, over one client.
import { TokenClient } from "./client.js";
import { optionsFromEnv } from "./env.js";
import { fetchWithToken } from "./fetch.js";
import { isInNext } from "./prerender.js";

export { authenticate } from "./client.js";

const DISPOSE = Symbol.dispose ?? Symbol.for("Symbol.dispose");
/** Leads from what stands for an instance (a Proxy, an object that inherits from it) to the instance itself. */
const SELF = Symbol("self");

export class DigitalpayeAuth {
  // Private, so that nothing prints it. The secret is not even here, but in the wasm module's memory.
  #client;

  constructor(options) {
    this.#client = new TokenClient(options);
    const { prototype } = DigitalpayeAuth;
    define(this, SELF, () => this);
    // So that they can be handed over as they are. By way of the prototype: that is where tests put their mocks.
    for (const name of ["fetch", "invalidate", DISPOSE]) {
      if (this[name] === prototype[name]) define(this, name, (...args) => prototype[name].apply(this, args));
    }
    // With its one argument: a list of them costs a quarter of the time that a held token takes.
    if (this.getToken === prototype.getToken) define(this, "getToken", (call) => prototype.getToken.call(this, call));
  }

  static #clientOf(auth) {
    return auth[SELF]().#client;
  }

  static fromEnv(options) {
    return new this(optionsFromEnv(options));
  }

  getToken(call) {
    try {
      const client = DigitalpayeAuth.#clientOf(this);
      // While the token is fresh there is nothing to decide, but for Next.js.
      if (call === undefined && !isInNext() && client.cache.isFresh) return Promise.resolve(client.cache.token);
      return client.getToken(call);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async fetch(...args) {
    return fetchWithToken(DigitalpayeAuth.#clientOf(this), args);
  }

  invalidate(token) {
    DigitalpayeAuth.#clientOf(this).invalidate(token);
  }

  [DISPOSE]() {
    DigitalpayeAuth.#clientOf(this).close();
  }
}

// By hand: a minifier changes the name that is written. Not in a static block, which older engines cannot parse.
Object.defineProperty(DigitalpayeAuth, "name", { __proto__: null, value: "DigitalpayeAuth" });

function define(object, name, value) {
  Object.defineProperty(object, name, { __proto__: null, value, writable: true, configurable: true });
}
