// React Native gets this in place of the package: Hermes has no WebAssembly, and a secret has no place in an app.
import { UnsupportedRuntimeError } from "./errors.js";

export * from "./errors.js";

const refusal = () => new UnsupportedRuntimeError("digitalpaye-auth does not run in React Native: whoever has the app can "
  + "read the apiSecret in it. Get the token on a server, and have the app ask that server");

export const authenticate = () => Promise.reject(refusal());

export class DigitalpayeAuth {
  static fromEnv() {
    throw refusal();
  }

  constructor() {
    throw refusal();
  }
}

// By hand: a minifier changes the name that is written.
Object.defineProperty(DigitalpayeAuth, "name", { __proto__: null, value: "DigitalpayeAuth" });
