/** What differs by runtime; the entry that was imported fills it in, and the wasm module reads it (src/web/client.rs). */
export const platform = {
  /** Promises, timers and I/O belong to the request that made them, and end with it. */
  isolate: false,
  /** Keeps the current request's work going after its response. */
  waitUntil: undefined,
};
