// Instantiates the wasm module on the first use of any of its functions. Importing does no work.
import { UnsupportedRuntimeError } from "./errors.js";

/**
 * `glue` is what a file of glue exports. `source` returns the WebAssembly.Module, or the bytes of one; every entry has its
 * own way to them. `advice(cause, source)` says why a runtime did not start it, and the way out.
 */
export function provide({ __wbg_set_wasm, instantiate }, source, advice = limit) {
  // The glue reads the module's functions off this until it gets the instance itself.
  const lazy = new Proxy(Object.create(null), {
    get: (_, name) => {
      try {
        // WebKit 2.38 (Safari 16.0) would take the module, and then free references twice; its engine of January 2023 is right
        // again. In between it learned to look behind, other engines before they could run the module. The old one throws here.
        new RegExp("(?<=a)").test("");
        return instantiate(compiled(source()))[name];
      } catch (cause) {
        // A later use tries again, by the glue's first step as by its last.
        __wbg_set_wasm(lazy);
        throw new UnsupportedRuntimeError(`${advice(cause, source)} (${cause})`, { cause });
      }
    },
  });
  __wbg_set_wasm(lazy);
}

// Not by instanceof: some runtimes hand out modules that are of another realm.
const compiled = (source) => (ArrayBuffer.isView(source) ? new WebAssembly.Module(source) : source);

function limit({ name }, source) {
  if (typeof WebAssembly === "undefined") {
    return "this runtime has no WebAssembly, like React Native, LLRT, node --jitless and iOS in Lockdown Mode: get the token on a server";
  }
  return name === "SyntaxError" || isInvalid(source)
    ? "this runtime is too old: use Node.js from 18 on, or a browser of 2023 or newer"
    : "this runtime does not start the WebAssembly module: a page needs 'wasm-unsafe-eval' in its Content-Security-Policy and "
      + "Chromium from 115 on, or a worker; an edge runtime needs the export condition \"workerd\" or \"edge-light\"";
}

/** Whether this engine takes the bytes for no module: no policy and no limit forbids to ask that. */
function isInvalid(source) {
  try {
    return !WebAssembly.validate(source());
  } catch {
    // It is a module already.
    return false;
  }
}
