// Node, Deno, Bun, browsers and their bundlers: the module's bytes are inlined.
import { bytes } from "./wasm/bytes.js";
import { provide } from "./loader.js";

provide(() => new WebAssembly.Module(bytes()));

export * from "./api.js";
