// Instantiates the wasm module on the first use of any of its functions. Importing does no work.
import { UnsupportedRuntimeError } from "./errors.js";

/**
 * `glue` is what a file of glue exports. `source` returns the WebAssembly.Module, or the bytes of one; every entry has its
 * own way to them. `advice()` says why a runtime did not start it, and the way out.
 */
export function provide({ __wbg_set_wasm, instantiate }, source, advice = limit) {
  // The glue reads the module's functions off this until it gets the instance itself.
  const lazy = new Proxy(Object.create(null), {
    get: (_, name) => {
      try {
        return instantiate(compiled(source()))[name];
      } catch (cause) {
        // A later use tries again, by the glue's first step as by its last.
        __wbg_set_wasm(lazy);
        throw new UnsupportedRuntimeError(`${advice()} (${cause})`, { cause });
      }
    },
  });
  __wbg_set_wasm(lazy);
}

// Not by instanceof: some runtimes hand out modules that are of another realm.
const compiled = (source) => (ArrayBuffer.isView(source) ? new WebAssembly.Module(source) : source);

const limit = () => typeof WebAssembly === "undefined"
  ? "this runtime has no WebAssembly, like React Native, LLRT, node --jitless and iOS in Lockdown Mode: get the token on a server"
  : "this runtime does not start the WebAssembly module: a page needs 'wasm-unsafe-eval' in its Content-Security-Policy and "
    + "Chromium from 114 on, or a worker; an edge runtime needs the export condition \"workerd\" or \"edge-light\"";
