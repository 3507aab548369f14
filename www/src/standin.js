// The control API of the local stand-in (tests/sandbox/README.md): how it answers, and how long its tokens live.
import { settings } from "./settings.js";

const PATIENCE_MS = 2_000;
const ALWAYS = 1_000_000;

/** The ways in which the stand-in can be told to answer, each a script of its control API. */
export const behaviours = {
  normal: [],
  twice503: [{ status: 503, times: 2 }],
  slow: [{ latencyMs: 1_500, times: ALWAYS }],
  status401: [{ status: 401, times: ALWAYS }],
  status429: [{ retryAfter: 1, times: ALWAYS }],
  status503: [{ status: 503, times: ALWAYS }],
  html: [{ html: true, times: ALWAYS }],
  broken: [{ brokenJson: true, times: ALWAYS }],
  redirect: [{ redirect: "/elsewhere", times: ALWAYS }],
  reset: [{ reset: true, times: ALWAYS }],
  silent: [{ hang: true, times: ALWAYS }],
};

export const lifetimes = [10, 20, 60, 600];

/** `state` is "unknown", "present" or "absent"; `onchange` is told when it changes. */
export const standIn = { state: "unknown", onchange: () => {} };

/** The origin that was looked at last; null before the first time. */
let asked = null;

/** Looks whether the form's address is a stand-in. Only this machine is asked: it takes orders from nowhere else. */
export async function detect() {
  const base = loopback(settings.baseUrl);
  if (base === asked) return;
  asked = base;
  const state = base && await call("config").then(() => "present", () => "absent");
  if (base !== asked) return;
  standIn.state = state ?? "absent";
  standIn.onchange();
}

/** Tells it how to answer from now on. Quietly does nothing when there is none. */
export async function apply({ behaviour, lifetime, distinct = false }) {
  if (standIn.state !== "present") return;
  try {
    await call("config", { lifetime, distinctTokens: distinct, exposeHeaders: ["Retry-After"] });
    await call("script", behaviours[behaviour]);
  } catch {
    // It has gone away.
    asked = null;
    standIn.state = "absent";
    standIn.onchange();
  }
}

/** The origin of an address of this machine, else undefined. */
function loopback(address) {
  try {
    const { protocol, hostname, origin } = new URL(address);
    return protocol === "http:" && ["127.0.0.1", "localhost"].includes(hostname) ? origin : undefined;
  } catch {
    return undefined;
  }
}

async function call(path, body) {
  const response = await fetch(`${asked}/_sandbox/${path}`, {
    signal: AbortSignal.timeout(PATIENCE_MS),
    // A string has a type that needs no preflight.
    ...(body && { method: "POST", body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`The stand-in refused ${path}.`);
  const value = await response.json();
  if (path === "config" && typeof value?.lifetime !== "number") throw new Error("This is another server.");
}
