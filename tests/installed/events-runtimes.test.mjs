// The same events in Node.js, in workerd and in Chromium.
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
import { DATES, startWorker } from "../lib/workerd.mjs";

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

function check({ told, shown, unhandled }) {
  assert.deepEqual(shown, []);
  assert.deepEqual(told, expected);
  assert.deepEqual(unhandled, []);
}

test("Node.js", async () => {
  const { result, stderr } = await inChild(async ({ program }) => {
    const unhandled = [];
    process.on("unhandledRejection", (error) => unhandled.push(String(error)));
    const { tellAll } = await import(program);
    return { ...await tellAll(await import("digitalpaye-auth")), unhandled };
  }, { program: here("events-program.mjs") });
  assert.ok(result, stderr);
  check(result);
});

for (const compatibilityDate of DATES) {
  test(`workerd, ${compatibilityDate}`, async (t) => {
    const worker = await startWorker({ entry: here("entries/events-worker.mjs"), compatibilityDate });
    t.after(() => worker.stop());
    const { status, text } = await worker.get("/");
    assert.equal(status, 200, `${text}\n${worker.output()}`);
    check(JSON.parse(text));
    assert.equal(worker.output(), "");
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
