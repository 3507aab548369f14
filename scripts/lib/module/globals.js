// What generated glue gets in place of globals of the same names. Importing the glue does no work with these, and works where
// a global is missing or faked.

import { outsideOfContexts } from "../context.js";

/**
 * Not the global one: test runners that fake timers fake that too, and then no future of the module would go on. The module's
 * futures are many callers' work, so they run in the async context of none.
 */
export const queueMicrotask = (callback) => outsideOfContexts(() => void Promise.resolve().then(callback));

// In a compartment of Hardened JavaScript clocks and dice throw, and no exception may come up under a frame of the module. A clock
// then stands still, and the other one is what counts; the dice show their middle.
// Each by its own name: an exchange asks them ten times.
export const Math = {
  random() {
    try {
      return globalThis.Math.random();
    } catch {
      return 0.5;
    }
  },
};
export const Date = {
  now() {
    try {
      return globalThis.Date.now();
    } catch {
      return 0;
    }
  },
};
export const performance = {
  now() {
    try {
      return globalThis.performance.now();
    } catch {
      return Date.now();
    }
  },
};

// jest's jsdom has neither coder. Node.js has both in a module, too.
const platformClass = (name) => {
  const found = globalThis[name] ?? globalThis.process?.getBuiltinModule?.("node:util")?.[name];
  if (typeof found !== "function") throw new TypeError(`${name} is not defined`);
  return found;
};

/** Throws if this runtime has no such classes. Called ahead: an exception must not come up under a frame of the module. */
export function findTextCoders() {
  platformClass("TextDecoder");
  platformClass("TextEncoder");
}

/** Makes the platform's decoder when there is something to decode. */
export class TextDecoder {
  #arguments;
  #decoder;

  constructor(...args) {
    this.#arguments = args;
  }

  decode(bytes) {
    // Glue calls it so to warm it up.
    if (bytes === undefined) return "";
    this.#decoder = this.#decoder ?? new (platformClass("TextDecoder"))(...this.#arguments);
    return this.#decoder.decode(bytes);
  }
}

/** Makes the platform's encoder when there is something to encode. */
export class TextEncoder {
  #encoder;

  encode(text) {
    return this.#platform.encode(text);
  }

  encodeInto(text, bytes) {
    return this.#platform.encodeInto(text, bytes);
  }

  get #platform() {
    return (this.#encoder = this.#encoder ?? new (platformClass("TextEncoder"))());
  }
}
