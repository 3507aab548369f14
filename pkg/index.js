// Node, Deno, Bun, browsers and their bundlers: the module's bytes are inlined.
import { bytes } from "./wasm/bytes.js";
import { provide } from "./loader.js";
import * as glue from "./wasm/digitalpaye_auth_bg.js";

provide(glue, bytes);

export * from "./api.js";
