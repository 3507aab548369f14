/** The token that is handed out without asking the wasm module, which fills this (src/web/client.rs). */
export class TokenCache {
  /** The token held last. */
  token;
  // Until when it is fresh, by both clocks, in milliseconds: the monotonic one stands still while the machine sleeps.
  #monotonic = -Infinity;
  #wall = -Infinity;

  hold(token, monotonic, wall) {
    this.token = token;
    this.#monotonic = monotonic;
    this.#wall = wall;
  }

  clear() {
    this.#monotonic = -Infinity;
    this.token = undefined;
  }

  get isFresh() {
    try {
      return performance.now() < this.#monotonic && Date.now() < this.#wall;
    } catch {
      // The module goes by the clock that is left.
      return false;
    }
  }
}
