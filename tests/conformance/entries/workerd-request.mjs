// Cloudflare Workers: nothing is used before a request is being served, when bytes can no longer be compiled.
import * as api from "digitalpaye-auth";
import { createEmulator } from "digitalpaye-auth/emulator";
import { redisStore } from "digitalpaye-auth/stores/redis";
import { workersKvStore } from "digitalpaye-auth/stores/workers-kv";
import { controlOf } from "./control.mjs";
import { conformance } from "./suite.mjs";

export default {
  async fetch(request, { BASE_URL: baseUrl }) {
    const run = conformance({ api, subpaths: { createEmulator, redisStore, workersKvStore }, baseUrl, control: controlOf(baseUrl) });
    return Response.json({ ...(await run()), versions: { workerd: navigator.userAgent } });
  },
};
