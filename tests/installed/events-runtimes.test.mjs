// The same events, in the same moments, and the same of an apiSecret that is a function, in Node.js, workerd and Chromium.
import assert from "node:assert/strict";
import { build } from "esbuild";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { temporaryFolder } from "../../scripts/lib/temporary.mjs";
import { browser } from "../conformance/lib/browsers.mjs";
import { inChild } from "../lib/child.mjs";
import { installed } from "../lib/install.mjs";
import { heldBy } from "../lib/snapshot.mjs";
import { DATES, askWorker } from "../lib/workerd.mjs";

const here = (name) => fileURLToPath(new URL(`../lib/${name}`, import.meta.url));

const store = { type: "store", operation: "set", problem: "rejected", frozen: true, hasCause: true };
const plain = { frozen: true, hasCause: false };
const expected = [
  { type: "retry", attempt: 1, delayMs: true, ...plain, error: { name: "InternalServerError", code: "internal_server_error", attempts: 1 } },
  store,
  { type: "token", source: "exchange", exp: true, ttlSeconds: true, attempts: 2, durationMs: true, background: false, ...plain },
  { type: "unauthorized", retried: true, ...plain },
  { type: "failure", background: false, ttlSeconds: true, ...plain, error: { name: "UnauthorizedError", code: "unauthorized", attempts: 1 } },
  { type: "token", source: "store", exp: true, ttlSeconds: true, attempts: 0, durationMs: true, background: false, ...plain },
  { type: "failure", background: false, ttlSeconds: true, retryInMs: true, ...plain, error: { name: "RateLimitError", code: "rate_limited", attempts: 1 } },
];

const exchange = "token exchange 1";
const moments = {
  background: [exchange, "failure internal_server_error background retryInMs held", exchange],
  renewed: [exchange, "token exchange background 1"],
  order: ["request", "retry", "request", "retry", "request", "token", true],
  endedOnArrival: ["retry invalid_response 1 at once", "token exchange 2"],
  silence: [exchange],
  handlers: {
    throws: ["string", "string", true], rejects: ["string", "string", true], calls: ["string", "string", true],
    disposes: ["invalid_options", "invalid_options", true],
  },
  ...Object.fromEntries(["get", "set", "delete", "acquire", "release"].flatMap((operation) => [
    [`${operation} rejects`, [`store ${operation} rejected with its cause`]], [`${operation} hangs`, [`store ${operation} timeout`]],
  ])),
  "get nonsense": ["store get invalid"],
  "acquire nonsense": ["store acquire invalid"],
};

const secrets = {
  thousand: { outcome: "1 token", asked: 1, requests: 1, aborted: false, events: ["token"] },
  hangs: { outcome: "TimeoutError", asked: 1, requests: 0, aborted: true, events: ["failure"] },
  rejects: { outcome: "CredentialsError with its cause", asked: 1, requests: 0, aborted: false, events: ["failure"] },
  number: { outcome: "CredentialsError", asked: 1, requests: 0, aborted: false, events: ["failure"] },
  same: { outcome: "UnauthorizedError", asked: 2, requests: 1, aborted: false, events: ["failure"] },
  another: { outcome: "opaque", asked: 2, requests: 2, aborted: false, events: ["retry", "token"] },
  once: { outcome: "opaque" },
};

function check(report) {
  assert.deepEqual(report.shown, []);
  assert.deepEqual(report.told, expected);
  assert.deepEqual(report.moments, moments);
  assert.deepEqual(report.secrets, { told: secrets, shown: [] });
  assert.deepEqual(report.unhandled, []);
}

test("Node.js", async () => {
  const file = join(temporaryFolder("events-heap"), "heap.heapsnapshot");
  const { result, stderr } = await inChild(async ({ programs, file }) => {
    const { writeHeapSnapshot } = await import("node:v8");
    const unhandled = [];
    process.on("unhandledRejection", (error) => unhandled.push(String(error)));
    const [{ tellAll }, { tellMoments }, { tellSecrets }] = await Promise.all(programs.map((program) => import(program)));
    const api = await import("digitalpaye-auth");
    const kept = (globalThis.kept = []);
    const report = { ...await tellAll(api), moments: await tellMoments(api), secrets: await tellSecrets(api, kept), unhandled };
    for (let turn = 0; turn < 3; turn += 1) {
      globalThis.gc();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    writeHeapSnapshot(file);
    return report;
  }, { programs: ["events-program.mjs", "events-moments.mjs", "secret-program.mjs"].map(here), file }, { flags: ["--expose-gc"] });
  assert.ok(result, stderr);
  check(result);
  assert.equal(stderr, "");
  // After all of it, with every error, event and client kept: the error's code is found, so the search finds what is there.
  assert.deepEqual(await heldBy(file, ["secret-of-the-function", btoa("k:secret-of-the-function"), "unauthorized"]), ["unauthorized"]);
});

for (const compatibilityDate of DATES) {
  test(`workerd, ${compatibilityDate}`, async () => {
    const { answer, output } = await askWorker({ entry: here("entries/events-worker.mjs"), compatibilityDate });
    check(answer);
    assert.equal(output, "");
  });
}

test("Chromium", async (t) => {
  const folder = temporaryFolder("events");
  await build({
    entryPoints: [here("entries/events-page.mjs")], outfile: join(folder, "page.js"), bundle: true, format: "esm", logLevel: "error",
    // Not the workspace's own.
    alias: { "digitalpaye-auth": join(await installed(), "node_modules/digitalpaye-auth/index.js") },
    external: ["node:*"],
  });
  writeFileSync(join(folder, "index.html"), '<!doctype html><title>events</title><script type="module" src="page.js"></script>');
  const chromium = browser("Chromium");
  t.after(() => chromium.stop());
  check(await chromium.run(`${await chromium.mount(folder)}index.html`));
});
