// The stand-in for the API in a process of its own, told what to do through its control API; its README
// (tests/sandbox/README.md) says what settings and behaviours there are.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { request } from "node:http";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const START_MS = 10_000;
const STOP_MS = 2_000;
const CONTROL_MS = 10_000;

// Taken now: a test may put another clock or timer in their place.
const { now } = performance;
const clock = now.bind(performance);
const { setTimeout: later, clearTimeout: never } = globalThis;

function binary() {
  const name = process.platform === "win32" ? "digitalpaye-sandbox.exe" : "digitalpaye-sandbox";
  const path = process.env.DIGITALPAYE_SANDBOX_BIN
    ?? resolve(root, process.env.CARGO_TARGET_DIR ?? "target", "debug", name);
  if (!existsSync(path)) {
    throw new Error(`the stand-in for the API is not built (${path}); "cargo build -p digitalpaye-sandbox" builds it`);
  }
  return path;
}

/**
 * Starts a stand-in on a free port. It ends with `stop()`, or with this process, which it does not keep alive.
 *
 * @param {{ port?: number, host?: string, apiKey?: string, apiSecret?: string, lifetime?: number,
 *   clockOffset?: number, leewayMs?: number, date?: boolean, opaque?: boolean, distinctTokens?: boolean,
 *   latencyMs?: number, cors?: boolean, exposeHeaders?: string[] }} [options] The settings hold after `reset()` too.
 */
export async function startSandbox({ port = 0, host, apiKey, apiSecret, ...settings } = {}) {
  const args = ["--json", "--exit-on-stdin-close", "--port", String(port)];
  if (host !== undefined) args.push("--host", host);
  if (apiKey !== undefined) args.push("--api-key", apiKey);
  if (apiSecret !== undefined) args.push("--api-secret", apiSecret);
  const child = spawn(binary(), args, { stdio: ["pipe", "pipe", "pipe"] });
  const ended = new Promise((done) => {
    child.once("close", (code, signal) => done(signal ?? code));
    child.once("error", done);
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text) => { stderr = (stderr + text).slice(-4_096); });
  // It may be gone before its input is closed.
  child.stdin.on("error", () => {});

  async function stop() {
    child.ref();
    child.stdin.end();
    child.kill("SIGTERM");
    const timer = later(() => child.kill("SIGKILL"), STOP_MS);
    await ended;
    never(timer);
  }

  let started;
  try {
    started = JSON.parse(await firstLine(child, ended, () => stderr));
  } catch (error) {
    await stop();
    throw error;
  }
  for (const handle of [child, child.stdin, child.stdout, child.stderr]) handle.unref();

  const control = (method, path, body) => call(started.url, method, path, body);
  const sandbox = {
    /** Where it listens, and the credentials that it takes. */
    ...started,

    /** The requests that came, oldest first, each with its `body` as bytes. */
    async requests() {
      const requests = await control("GET", "/requests");
      return requests.map(({ bodyBase64, ...rest }) => ({ ...rest, body: Buffer.from(bodyBase64, "base64") }));
    },
    /** How many came: `{ "POST /v1/auth": 3 }`. */
    counts: () => control("GET", "/counts"),
    /** How many exchanges of credentials for a token were asked for. */
    exchanges: async () => (await control("GET", "/counts"))["POST /v1/auth"] ?? 0,
    /** Forgets what came, and nothing else. */
    forget: () => control("DELETE", "/requests"),
    /** The requests, as soon as `accept(requests)` holds; an error when it does not within `timeoutMs`. */
    async until(accept, timeoutMs = 5_000) {
      for (const end = clock() + timeoutMs; ;) {
        const requests = await sandbox.requests();
        if (accept(requests)) return requests;
        if (clock() > end) {
          const seen = requests.map(({ method, path, status, outcome }) => `${method} ${path} ${status} ${outcome}`);
          throw new Error(`the stand-in did not see what was waited for, but: ${seen.join(", ") || "nothing"}`);
        }
        await new Promise((done) => later(done, 10));
      }
    },

    /** What happens to the next requests, in place of what was left of the last script. */
    script: (behaviours) => control("POST", "/script", behaviours),
    /** Changes settings, and says what all of them are. */
    config: (change = {}) => control("POST", "/config", change),
    /** Takes back one token, or every one. */
    revoke: (token) => control("POST", "/revoke", token === undefined ? {} : { token }),
    /** Back to how it was started: settings, script, tokens, requests. */
    async reset() {
      await control("POST", "/reset");
      await control("POST", "/config", settings);
    },

    /** Ends it; resolves when it is gone. */
    stop,
    [Symbol.asyncDispose ?? Symbol("asyncDispose")]: stop,
  };
  try {
    await sandbox.config(settings);
  } catch (error) {
    await stop();
    throw error;
  }
  return sandbox;
}

/** The values of a request's header, in their order, whatever the case of its name. */
export function valuesOf(request, name) {
  return request.headers.filter(([given]) => given.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
}

function firstLine(child, ended, stderr) {
  const lines = createInterface({ input: child.stdout });
  const line = new Promise((done) => { lines.once("line", done); });
  const over = ended.then((how) => {
    const why = how instanceof Error ? how.message : stderr().trim() || `it ended with ${how}`;
    throw new Error(`the stand-in for the API did not start: ${why}`);
  });
  const patience = new AbortController();
  const late = sleep(START_MS, undefined, { signal: patience.signal }).then(() => {
    throw new Error(`the stand-in for the API did not start within ${START_MS / 1_000} s`);
  });
  for (const promise of [over, late]) promise.catch(() => {});
  return Promise.race([line, over, late]).finally(() => {
    patience.abort();
    lines.close();
    // What it prints later is nobody's, and must not fill the pipe.
    child.stdout.resume();
  });
}

// Not with fetch(): it is what many tests replace, and its connections outlive the call.
function call(url, method, path, body) {
  return new Promise((done, fail) => {
    const sent = request(`${url}/_sandbox${path}`, { method, agent: false, timeout: CONTROL_MS }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("error", fail);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        const value = text === "" ? undefined : JSON.parse(text);
        if (response.statusCode < 300) done(value);
        else fail(new Error(`the stand-in refused ${method} ${path}: ${value?.error ?? response.statusCode}`));
      });
    });
    sent.on("timeout", () => sent.destroy(new Error(`the stand-in did not answer ${method} ${path}`)));
    sent.on("error", fail);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
