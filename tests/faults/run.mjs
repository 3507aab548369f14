// One run: every fault in one runtime, and what came of it.
import { credentialForms } from "../lib/leaks.mjs";
import { startRaw } from "../lib/raw.mjs";
import { startSandbox } from "../lib/sandbox.mjs";
import { startServer } from "../lib/server.mjs";
import { authority } from "./authority.mjs";
import { faults } from "./faults.mjs";
import { startProxy } from "./proxy.mjs";
import { runtimes } from "./runtimes.mjs";

export const names = Object.keys(runtimes);

/** What a fault ends with there, all releases of Node alike; undefined where it cannot be made. */
export const expected = ({ ends }, runtime) => ends[runtime.split(" ")[0]];

/** What a call is given: where the fault has no end of its own, and where it has one long before. */
export const SLOW_MS = 1_500;
export const PATIENCE_MS = 10_000;

let certificates;

/**
 * Meets all faults that `runtime` has. Resolves to `{ results, output, unhandled, remembered, strangers }`; a result is
 * `{ fault, ends, status, attempts, message, leak, ms, next, exchanges, quiet, exposed }`.
 */
export async function run(runtime) {
  certificates ??= authority();
  const ours = await certificates;
  const standIn = await startSandbox();
  const elsewhere = await startRaw("");
  const places = new Map();
  const credentials = { apiKey: standIn.apiKey, apiSecret: standIn.apiSecret };
  const texts = credentialForms(credentials);
  for (const fault of faults.filter((fault) => expected(fault, runtime))) {
    places.set(fault.id, { fault, ...await startPlace(fault, standIn, { certificate: ours[fault.certificate], elsewhere: elsewhere.url }) });
  }

  const routes = {
    faults: () => ({
      atOnce: 6,
      texts,
      faults: [...places.values()].map(({ fault, url }) => ({
        id: fault.id,
        options: { ...credentials, baseUrl: url, timeout: fault.slow ? SLOW_MS : PATIENCE_MS, maxRetries: 0 },
      })),
    }),
    heal: (id) => {
      const { proxy, url } = places.get(Number(id));
      proxy?.heal();
      return { baseUrl: proxy && !url.startsWith("https:") ? url : standIn.url };
    },
  };
  const control = await startServer((request, response) => {
    const [, route, id] = request.url.split("/");
    response.writeHead(200, { "Access-Control-Allow-Origin": "*", "Content-Type": "application/json" });
    response.end(JSON.stringify(routes[route](id)));
  });

  try {
    const { cases, ...report } = await runtimes[runtime](control.url, ours);
    const results = [];
    for (const { fault, proxy } of places.values()) {
      const met = cases.find(({ id }) => id === fault.id);
      const received = proxy?.received().toString("latin1") ?? "";
      results.push({ fault, ...met, exchanges: proxy?.exchanges(), quiet: await proxy?.quiet(2_000) ?? true, exposed: received.includes("Authorization") });
    }
    return { ...report, results, strangers: elsewhere.connections };
  } finally {
    await Promise.all([control.stop(), standIn.stop(), elsewhere.stop(), ...[...places.values()].map(({ proxy }) => proxy?.stop())]);
  }
}

/** Where a fault is met. */
async function startPlace(fault, standIn, options) {
  if (fault.address === "unknown") return { url: "https://api.digitalpaye.invalid" };
  // Below what systems hand out: nobody gets it meanwhile.
  if (fault.address === "closed") return { url: "http://127.0.0.1:4" };
  const proxy = await startProxy(fault, standIn, options);
  return { proxy, url: proxy.url };
}
