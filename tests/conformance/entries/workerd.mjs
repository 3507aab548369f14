// Cloudflare Workers: a client at module scope, where no request is being served yet.
import * as api from "digitalpaye-auth";
import { createEmulator } from "digitalpaye-auth/emulator";
import { redisStore } from "digitalpaye-auth/stores/redis";
import { workersKvStore } from "digitalpaye-auth/stores/workers-kv";
import { env } from "cloudflare:workers";
import { controlOf } from "./control.mjs";
import { conformance } from "./suite.mjs";

const baseUrl = env.BASE_URL;
const run = conformance({ api, subpaths: { createEmulator, redisStore, workersKvStore }, baseUrl, control: controlOf(baseUrl) });

export default {
  async fetch() {
    return Response.json({ ...(await run()), versions: { workerd: navigator.userAgent } });
  },
};
