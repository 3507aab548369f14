// Instantiates the wasm module on the first use of any of its functions. Importing does no work.

/**
 * `glue` is what a file of glue exports. `source` returns the WebAssembly.Module, or the bytes of one; every entry has its
 * own way to them.
 */
export function provide({ __wbg_set_wasm, instantiate }, source) {
  // The glue reads the module's functions off this until it gets the instance itself.
  const lazy = new Proxy(Object.create(null), {
    get: (_, name) => instantiate(compiled(source()))[name],
  });
  __wbg_set_wasm(lazy);
}

// Not by instanceof: some runtimes hand out modules that are of another realm.
const compiled = (source) => (ArrayBuffer.isView(source) ? new WebAssembly.Module(source) : source);
