// Vercel's edge runtime and Next.js on it: modules come compiled, by the suffix `?module`.
import module from "./wasm/digitalpaye_auth_bg.wasm?module";
import { platform } from "./platform.js";
import { provide } from "./loader.js";
import * as glue from "./wasm/digitalpaye_auth_bg.js";

provide(glue, () => module);
platform.isolate = true;
platform.waitUntil = (work) => globalThis[Symbol.for("@next/request-context")]?.get?.()?.waitUntil?.(work);

export * from "./api.js";
