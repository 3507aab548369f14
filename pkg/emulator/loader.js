// Instantiates the emulator's wasm module on the first call of any of its functions. Importing does no work.
import * as glue from "../wasm/digitalpaye_emulator_bg.js";

/** `compile` returns the WebAssembly.Module; every entry has its own way to one. */
export function provide(compile) {
  glue.__wbg_set_wasm(
    new Proxy(Object.create(null), {
      get: (_, name) => {
        const { exports } = new WebAssembly.Instance(compile(), { "./digitalpaye_emulator_bg.js": glue });
        // From here on the glue calls the instance itself.
        glue.__wbg_set_wasm(exports);
        exports.__wbindgen_start();
        return exports[name];
      },
    }),
  );
}
