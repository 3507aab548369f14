// Runs `digitalpaye-auth doctor` of the installed package, against servers of the test's own that have a fault each.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer as createHttp } from "node:http";
import { createServer as createHttps } from "node:https";
import { join } from "node:path";
import { outcomeOf } from "../lib/child.mjs";
import { installed } from "../lib/install.mjs";
import { credentialForms, leak } from "../lib/leaks.mjs";
import { listening } from "../lib/server.mjs";
import { granted, mint } from "../lib/tokens.mjs";

const WIDTH = 80;

export const credentials = { apiKey: "merchant-key-0815-4711", apiSecret: "xK9-tr0mbone-é!" };
const FORMS = [credentials.apiKey, ...credentialForms(credentials)];

/** The variables of somebody who has set all that is needed. */
export const configured = { DIGITALPAYE_API_KEY: credentials.apiKey, DIGITALPAYE_API_SECRET: credentials.apiSecret, LC_ALL: "en_US.UTF-8" };

/** Runs it with these variables and no others. Whatever it prints has no secret, and fits 80 columns. */
export async function doctor(env = {}, args = [], { program = process.execPath, flags = [], secrets = FORMS } = {}) {
  const file = join(await installed(), "node_modules", "digitalpaye-auth", "bin", "digitalpaye-auth.js");
  const child = spawn(program, [...flags, file, "doctor", ...args], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...configured, ...env }, timeout: 120_000, killSignal: "SIGKILL", stdio: ["ignore", "pipe", "pipe"],
  });
  const { code: status, stdout, stderr } = await outcomeOf(child);
  assert.equal(leak(stdout + stderr, [...secrets, ...handedOut]), undefined);
  const lines = stdout.split("\n");
  for (const line of lines) {
    assert.ok(line.length <= WIDTH, `longer than ${WIDTH}: ${line}`);
    assert.equal(line, line.trimEnd());
  }
  return { status, stdout, stderr, summary: lines.at(-2), findings: findingsOf(lines) };
}

const COLUMN = 29;

/** Each finding of a report by its label: its mark, a space and its text, unwrapped. */
function findingsOf(lines) {
  const findings = {};
  let label;
  for (const line of lines) {
    const mark = /^ {2}([✓·!✗]) /u.exec(line)?.[1];
    if (mark) {
      // A label that does not fit its column has a line of its own.
      const end = line[COLUMN - 1] === " " ? COLUMN : line.length;
      label = line.slice(4, end).trim();
      findings[label] = `${label in findings ? `${findings[label]}\n` : ""}${mark} ${line.slice(end)}`;
    } else if (line.startsWith(" ".repeat(COLUMN))) findings[label] += ` ${line.trim()}`;
  }
  return findings;
}

const handedOut = [];
const stops = new Set();

/**
 * Starts a server on loopback. `answer(request, response, api)` gets each exchange; by default it gives a token. All that
 * came is in `requests`.
 */
export async function startApi(answer = (_request, _response, api) => api.grant(), { tls, host = "127.0.0.1" } = {}) {
  const requests = [];
  const handle = (request, response) => {
    requests.push({ method: request.method, url: request.url, headers: request.headers });
    request.resume();
    if (request.method === "OPTIONS" && !answer.preflight) return response.writeHead(404).end();
    answer(request, response, {
      /** A token of ten minutes; `date` (ms) is the server's clock. */
      grant({ date = Date.now(), change = (data) => data, headers = {} } = {}) {
        const { token, exp } = change(mint(600, { now: date }));
        handedOut.push(token);
        this.json(200, granted({ token, exp }), { Date: new Date(date).toUTCString(), ...headers });
      },
      json: (status, body, headers = {}) => response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(typeof body === "string" ? body : JSON.stringify(body)),
    });
  };
  const server = tls ? createHttps({ key: tls.key, cert: tls.cert }, handle) : createHttp(handle);
  server.on("tlsClientError", () => {});
  const { port, url, stop } = await listening(server, { host });
  stops.add(stop);
  return { requests, port, url: tls ? `https://localhost:${port}` : url };
}

/** Ends them all. */
export const stopAll = () => Promise.all([...stops].map((stop) => stop()));
