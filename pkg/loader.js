// Instantiates the wasm module on the first call of any of its functions. Importing does no work.
import { __wbg_set_wasm, imports, start } from "./wasm/digitalpaye_auth_bg.js";

/** `compile` returns the WebAssembly.Module; every entry has its own way to one. */
export function provide(compile) {
  __wbg_set_wasm(
    new Proxy(Object.create(null), {
      get: (_, name) => {
        const { exports } = new WebAssembly.Instance(compile(), imports);
        // From here on the glue calls the instance itself.
        __wbg_set_wasm(exports);
        start();
        return exports[name];
      },
    }),
  );
}
