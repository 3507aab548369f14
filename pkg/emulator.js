// Node, Deno, Bun, browsers and their bundlers: the emulator's module is inlined. No main entry imports it.
import { bytes } from "./wasm/emulator-bytes.js";
import { provide } from "./loader.js";
import * as glue from "./wasm/digitalpaye_emulator_bg.js";

provide(glue, bytes);

export { createEmulator } from "./emulator/api.js";
