// The client as auth.js and fetch.js see it, over the present host. It goes when the wasm module has a client of its own.
import { Host } from "./host.js";

/** How long the 401s of a token are believed after a renewal did not help, in milliseconds. */
const BELIEVED_MS = 30_000;

export class Client {
  #host;
  /** The token whose 401s are not its fault, and until when that is believed. */
  #believed = { until: -Infinity };
  /** The token that was last given up without a second try. */
  #givenUp = { until: -Infinity };

  constructor(options, once) {
    this.#host = new Host(options, once);
  }

  get baseUrl() {
    return this.#host.base;
  }

  get environment() {
    return this.#host.environment;
  }

  get fetch() {
    return this.#host.fetch;
  }

  get held() {
    return this.#host.held;
  }

  get freshUntil() {
    return this.#host.freshUntil;
  }

  getToken(call) {
    return new Promise((resolve, reject) => this.#host.ask(call, resolve, reject));
  }

  invalidate(token) {
    this.#host.invalidate(token);
  }

  /** Whether to try once more, with a new token, after a 401 with this one. */
  unauthorized(token, replayable) {
    const now = performance.now();
    if (token === this.#believed.token && now < this.#believed.until) return false;
    // Nobody tried the new token in the place of the one that was given up: this 401 is that second try.
    if (!replayable && token !== this.#givenUp.token && now < this.#givenUp.until) {
      this.unauthorizedAgain(token);
      return false;
    }
    if (!replayable) this.#givenUp = { token, until: now + BELIEVED_MS };
    this.#host.invalidate(token);
    return replayable;
  }

  unauthorizedAgain(token) {
    this.#believed = { token, until: performance.now() + BELIEVED_MS };
  }

  close() {
    this.#host.close();
  }
}
