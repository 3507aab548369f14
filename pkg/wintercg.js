// Nitro and Nuxt without `experimental.wasm`, for an edge: they can import no module, so its bytes are inlined.
import { isWorkerd } from "./edges.js";
import { bytes } from "./wasm/bytes.js";
import { provide } from "./loader.js";
import * as glue from "./wasm/digitalpaye_auth_bg.js";

provide(glue, isWorkerd ? atStart(bytes) : bytes, () => "this runtime does not compile WebAssembly while it serves a request: "
  + "on Cloudflare, Nitro needs `experimental: { wasm: true }` in its configuration, Nuxt the same under `nitro`; on Vercel, use the preset `vercel`");

export * from "./api.js";

// workerd compiles bytes only while a worker starts, and not at all before the compatibility date 2025-06-01.
function atStart(source) {
  try {
    const module = new WebAssembly.Module(source());
    return () => module;
  } catch {
    // The first use tries again, and says what is missing.
    return source;
  }
}
