// For bundles that are made the same for every edge (Nitro's): which of them it is shows when the bundle runs.
import { provideEnv } from "./env.js";
import { platform } from "./platform.js";

// On workerd this needs Node.js compatibility, which Nitro sets. An import would not be found on any other edge.
const workers = globalThis.process?.getBuiltinModule?.("cloudflare:workers");
const agent = globalThis.navigator?.userAgent;

/** Whether this is workerd. */
export const isWorkerd = workers !== undefined || agent === "Cloudflare-Workers";

platform.isolate = isWorkerd || typeof EdgeRuntime === "string";
platform.waitUntil = (work) => {
  if (workers) workers.waitUntil?.(work);
  else globalThis[Symbol.for("@next/request-context")]?.get?.()?.waitUntil?.(work);
};
provideEnv((name) => workers?.env?.[name]);
