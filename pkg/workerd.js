// Cloudflare Workers and everything else on workerd: it compiles modules ahead, and never from bytes.
import * as workers from "cloudflare:workers";
import module from "./wasm/digitalpaye_auth_bg.wasm";
import { provideEnv } from "./env.js";
import { platform } from "./platform.js";
import { provide } from "./loader.js";
import * as glue from "./wasm/digitalpaye_auth_bg.js";

provide(glue, () => module);
platform.isolate = true;
// Read at the time of the call, and by name: older releases of the runtime do not export it.
platform.waitUntil = (work) => workers["waitUntil"]?.(work);
// Likewise. Without it there is `process.env`, if the worker has Node.js compatibility.
provideEnv((name) => workers["env"]?.[name]);

export * from "./api.js";
