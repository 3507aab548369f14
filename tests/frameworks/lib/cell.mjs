// One cell: a project is made, built, started and asked twice, or a test runner runs its tests; the stand-in for the API says
// what came of it.
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { must, start, stop } from "../../../scripts/lib/process.mjs";
import { startSandbox } from "../../lib/sandbox.mjs";
import { freePort } from "../../lib/server.mjs";
import { makeProject, versionOf, write } from "./project.mjs";

const BUILD_MS = 600_000;
const START_MS = 120_000;
const ANSWER_MS = 60_000;
const LOG_MS = 2_000;

/**
 * Runs a cell. Resolves to `{ version, ms, failure }`; what goes wrong is part of it, never thrown.
 *
 * A cell with a `limit` has to fail, and with what `limit.error` matches: its row says why.
 */
export async function runCell(cell) {
  const begun = performance.now();
  const result = { version: undefined, failure: undefined };
  try {
    const error = await attempt(cell, result).then(() => undefined, (thrown) => thrown);
    if (!cell.limit) result.failure = error && textOf(error);
    else if (!error) result.failure = "it works: its row says that it does not";
    else if (!cell.limit.error.test(textOf(error))) result.failure = `it fails by something else than ${cell.limit.error}:\n${textOf(error)}`;
  } finally {
    result.ms = Math.round(performance.now() - begun);
  }
  return result;
}

const textOf = (error) => [error.message, error.output].filter(Boolean).join("\n");

async function attempt(cell, result) {
  const { folder, env } = await makeProject(cell);
  result.version = cell.version?.(folder) ?? versionOf(folder, cell.package ?? Object.keys(cell.dependencies)[0]);
  // A page's fetch is refused where the API does not allow it.
  const sandbox = await startSandbox({ cors: true });
  try {
    Object.assign(env, {
      DIGITALPAYE_API_KEY: sandbox.apiKey, DIGITALPAYE_API_SECRET: sandbox.apiSecret, DIGITALPAYE_BASE_URL: sandbox.url,
    }, cell.env);
    const own = cell.variables ? { [cell.variables]: variables(env) } : {};
    write(folder, own);
    for (const [command, ...args] of cell.build ?? []) await must(command, args, { cwd: folder, env, timeout: BUILD_MS });
    // Once more: a build empties the folder that it writes to.
    write(folder, own);
    if (cell.test) await runTests(cell, folder, env);
    else await serve(cell, folder, env);
    await check(sandbox, cell);
  } finally {
    await sandbox.stop();
  }
}

const variables = (env) => Object.entries(env).filter(([name]) => name.startsWith("DIGITALPAYE_")).map(([name, value]) => `${name}=${value}\n`).join("");

async function runTests({ test: [command, ...args], prints }, folder, env) {
  const { output } = await must(command, args, { cwd: folder, env, timeout: BUILD_MS });
  if (!prints.test(output)) throw Object.assign(new Error(`it did not print ${prints}`), { output });
}

async function serve(cell, folder, env) {
  const port = await freePort();
  const [command, ...args] = cell.serve.map((part) => part.replace("{port}", port));
  const server = start(command, args, {
    cwd: folder, env: { ...env, PORT: String(port), NITRO_PORT: String(port), NITRO_HOST: "127.0.0.1", DENO_SERVE_ADDRESS: `tcp:127.0.0.1:${port}` },
  });
  let output = "";
  let ended = false;
  server.once("error", (error) => (output += error));
  server.once("close", () => (ended = true));
  for (const stream of [server.stdout, server.stderr]) stream.setEncoding("utf8").on("data", (text) => (output = (output + text).slice(-20_000)));
  try {
    const url = `http://127.0.0.1:${port}${cell.path ?? "/"}`;
    await listening(port, () => ended);
    for (let request = 0; request < 2; request += 1) {
      const text = await answer(url);
      if (!/"?status"?:\s*200\b/.test(text)) throw new Error(`${url} answered ${text.slice(0, 2_000)}`);
    }
  } catch (error) {
    // What a server writes to its log may come a little after its answer.
    await sleep(LOG_MS);
    throw Object.assign(error, { output });
  } finally {
    await stop(server);
  }
}

async function answer(url) {
  const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS), headers: { Connection: "close" } });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered with status ${response.status}: ${text.slice(0, 4_000)}`);
  // Pages write quotes as entities.
  return text.replaceAll("&quot;", '"');
}

async function listening(port, isOver) {
  for (const end = performance.now() + START_MS; ;) {
    if (await canConnect(port)) return;
    if (isOver()) throw new Error("the server ended");
    if (performance.now() > end) throw new Error(`nothing listens after ${START_MS / 1_000} s`);
    await sleep(100);
  }
}

function canConnect(port) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

/** Two calls, with one token between them that the stand-in gave and took. */
async function check(sandbox, { emulated }) {
  const seen = (await sandbox.requests()).map(({ method, path, status }) => `${method} ${path} ${status}`).sort();
  const expected = emulated ? [] : ["GET /v1/balance 200", "GET /v1/balance 200", "POST /v1/auth 200"];
  if (seen.join() !== expected.join()) throw new Error(`the API was asked ${seen.join(", ") || "nothing"}, not ${expected.join(", ") || "nothing"}`);
}
