// The edge runtime of Vercel and Next.js. What the launcher puts on the global object: where the stand-in is, and whom
// to tell.
import * as api from "digitalpaye-auth";
import { createEmulator } from "digitalpaye-auth/emulator";
import { redisStore } from "digitalpaye-auth/stores/redis";
import { workersKvStore } from "digitalpaye-auth/stores/workers-kv";
import { controlOf } from "./control.mjs";
import { conformance } from "./suite.mjs";

const { BASE_URL: baseUrl, report } = globalThis;
const run = conformance({ api, subpaths: { createEmulator, redisStore, workersKvStore }, baseUrl, control: controlOf(baseUrl) });
run().then((result) => report(JSON.stringify({ ...result, versions: { "edge-runtime": EdgeRuntime } })));
