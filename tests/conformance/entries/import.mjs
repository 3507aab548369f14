// Node, Deno and Bun, as an ES module.
import * as api from "digitalpaye-auth";
import { createEmulator } from "digitalpaye-auth/emulator";
import { redisStore } from "digitalpaye-auth/stores/redis";
import { workersKvStore } from "digitalpaye-auth/stores/workers-kv";
import { controlOf } from "./control.mjs";
import { conformance } from "./suite.mjs";

const baseUrl = process.env.BASE_URL;
const run = conformance({ api, subpaths: { createEmulator, redisStore, workersKvStore }, baseUrl, control: controlOf(baseUrl) });
console.log(JSON.stringify({ ...(await run()), versions: process.versions }));
