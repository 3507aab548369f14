// workerd compiles modules ahead, and never from bytes.
import module from "../wasm/digitalpaye_emulator_bg.wasm";
import { provide } from "../loader.js";
import * as glue from "../wasm/digitalpaye_emulator_bg.js";

provide(glue, () => module);

export { createEmulator } from "./api.js";
