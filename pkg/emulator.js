// Node, Deno, Bun, browsers and their bundlers: the emulator's module is inlined. No main entry imports it.
import { bytes } from "./wasm/emulator-bytes.js";
import { provide } from "./emulator/loader.js";

provide(() => new WebAssembly.Module(bytes()));

export { createEmulator } from "./emulator/api.js";
