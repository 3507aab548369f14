// Instantiates the wasm module on the first use of any of its functions. Importing does no work.
import { UnsupportedRuntimeError } from "./errors.js";

/**
 * `glue` is what a file of glue exports. `source` returns the WebAssembly.Module, or the bytes of one; every entry has its
 * own way to them. `advice(source)` says why a runtime did not start it, and the way out.
 */
export function provide({ __wbg_set_wasm, instantiate }, source, advice = limit) {
  // The glue reads the module's functions off this until it gets the instance itself.
  const lazy = new Proxy(Object.create(null), {
    get: (_, name) => {
      try {
        if (isOldWebKit()) throw new TypeError("this WebKit frees references twice");
        return instantiate(compiled(source()))[name];
      } catch (cause) {
        // A later use tries again, by the glue's first step as by its last.
        __wbg_set_wasm(lazy);
        throw new UnsupportedRuntimeError(`${advice(source)} (${cause})`, { cause });
      }
    },
  });
  __wbg_set_wasm(lazy);
}

// Not by instanceof: some runtimes hand out modules that are of another realm.
const compiled = (source) => (ArrayBuffer.isView(source) ? new WebAssembly.Module(source) : source);

/**
 * WebKit 2.38 (Safari 16.0) takes the module, and then frees references twice; its engine of January 2023 is right again. It
 * learned to look behind in regular expressions between these two, other engines before they could run the module.
 */
function isOldWebKit() {
  try {
    return !new RegExp("(?<=a)b").test("ab");
  } catch {
    return true;
  }
}

function limit(source) {
  if (typeof WebAssembly === "undefined") {
    return "this runtime has no WebAssembly, like React Native, LLRT, node --jitless and iOS in Lockdown Mode: get the token on a server";
  }
  return isTooOld(source)
    ? "this runtime is too old for the WebAssembly module and its reference types: use Node.js from 18 on, or a browser of 2023 or newer"
    : "this runtime does not start the WebAssembly module: a page needs 'wasm-unsafe-eval' in its Content-Security-Policy and "
      + "Chromium from 115 on, or a worker; an edge runtime needs the export condition \"workerd\" or \"edge-light\"";
}

/** Whether this engine takes the module for an invalid one: no policy and no limit forbids to ask that. */
function isTooOld(source) {
  try {
    const module = source();
    return isOldWebKit() || (ArrayBuffer.isView(module) && !WebAssembly.validate(module));
  } catch {
    return false;
  }
}
