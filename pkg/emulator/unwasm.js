// Nitro and Nuxt with `experimental.wasm`: their plugin gives compiled modules by the suffix `?module`.
import module from "../wasm/digitalpaye_emulator_bg.wasm?module";
import { provide } from "../loader.js";
import * as glue from "../wasm/digitalpaye_emulator_bg.js";

provide(glue, () => module);

export { createEmulator } from "./api.js";
