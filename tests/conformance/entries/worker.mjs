// A dedicated worker and a service worker.
import * as api from "digitalpaye-auth";
import { createEmulator } from "digitalpaye-auth/emulator";
import { redisStore } from "digitalpaye-auth/stores/redis";
import { workersKvStore } from "digitalpaye-auth/stores/workers-kv";
import { controlOf } from "./control.mjs";
import { conformance } from "./suite.mjs";

const baseUrl = new URL(location.href).searchParams.get("api");
// The Fetch standard: a redirect that is not followed shows no status, and a reply from another origin few headers.
const hides = ["redirects", "headers"];
const run = conformance({ api, subpaths: { createEmulator, redisStore, workersKvStore }, baseUrl, control: controlOf(baseUrl), hides });
const finished = run();
// A dedicated worker is asked by its page, a service worker by its client: whoever asks gets the report.
self.addEventListener("message", (event) => {
  const { data: port } = event;
  const told = finished.then((report) => port.postMessage({ ...report, versions: { userAgent: navigator.userAgent } }));
  event.waitUntil?.(told);
});
