// Nitro and Nuxt with `experimental.wasm`, for an edge: their plugin, unwasm, gives compiled modules by the suffix `?module`.
import "./edges.js";
import module from "./wasm/digitalpaye_auth_bg.wasm?module";
import { provide } from "./loader.js";
import * as glue from "./wasm/digitalpaye_auth_bg.js";

provide(glue, () => module);

export * from "./api.js";
