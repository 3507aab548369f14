// `digitalpaye-auth emulator`: the emulator over HTTP, for clients in any language on this machine.
import { createServer } from "node:http";
import { Readable } from "node:stream";
import { createEmulator } from "../emulator.js";
import { unknownArgument } from "./arguments.js";
import { oneLine, print } from "./output.js";

const HOST = "127.0.0.1";
const PORT = 8787;
const HELP = `Usage: digitalpaye-auth emulator [--port N]

Serves the Digitalpaye authentication API on this machine, for tests. It is not the real
API: it knows one pair of made-up credentials and moves no money.

  POST /v1/auth     credentials (Basic) in, a token out
  GET  /v1/balance  200 with that token (Bearer), else 401

Options:
  --port N    where to listen on ${HOST}, ${PORT} unless given; 0 takes a free port
  -h, --help  print this and exit

It prints a line for each request. Ctrl-C stops it.

Exit status: 0 when stopped, 1 if the port cannot be had, 2 for an unknown option.
`;

/**
 * Serves until SIGINT or SIGTERM; sets `process.exitCode`.
 *
 * @param {string[]} args what follows `emulator` on the command line
 */
export async function run(args) {
  let options;
  try {
    options = readOptions(args);
  } catch (error) {
    return fail(`${error.message} (see --help)`, 2);
  }
  if (options.help) return print(HELP);
  let emulator;
  try {
    emulator = createEmulator();
  } catch (error) {
    // Without WebAssembly there is none.
    return fail(error.message, 1);
  }
  const server = createServer((request, response) => void answer(emulator, request, response));
  try {
    await listen(server, options.port);
  } catch (error) {
    return fail(error.code === "EADDRINUSE"
      ? `port ${options.port} is taken on ${HOST}; --port 0 takes a free one`
      : `cannot listen on ${HOST}:${options.port}: ${error.message}`, 1);
  }
  const { apiKey, apiSecret } = emulator.credentials;
  process.stdout.write(`The emulator of the Digitalpaye API is listening. It is not the real API and moves no money.

  DIGITALPAYE_BASE_URL    http://${HOST}:${server.address().port}
  DIGITALPAYE_API_KEY     ${apiKey}
  DIGITALPAYE_API_SECRET  ${apiSecret}

Ctrl-C stops it.

`);
  await stopped();
  await new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
  process.exitCode = 0;
}

function readOptions(args) {
  if (args.some((arg) => arg === "--help" || arg === "-h")) return { help: true };
  let port;
  for (let index = 0; index < args.length; index += 1) {
    const [option, inline] = /^(--port)(?:=(.*))?$/s.exec(args[index])?.slice(1) ?? [];
    if (option === undefined) throw new Error(unknownArgument(args[index], ["--help"]));
    if (port !== undefined) throw new Error("--port is given twice");
    if (inline === undefined) index += 1;
    port = inline ?? args[index] ?? "";
    if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new Error("--port must be a number from 0 to 65535");
  }
  return { port: Number(port ?? PORT) };
}

function fail(message, status) {
  process.stderr.write(`digitalpaye-auth emulator: ${oneLine(message)}\n`);
  process.exitCode = status;
}

function listen(server, port) {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, HOST, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** Resolves at the first signal; another one ends the process at once. */
function stopped() {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, resolve).on(signal, endAtOnce);
  });
}

let asked = 0;
function endAtOnce() {
  asked += 1;
  if (asked > 1) process.exit(0);
}

async function answer(emulator, incoming, outgoing) {
  const gone = new AbortController();
  outgoing.once("close", () => gone.abort());
  const begun = performance.now();
  let outcome;
  try {
    const response = await emulator.fetch(requestOf(incoming, gone.signal));
    // Node.js would add a date of its own.
    outgoing.sendDate = false;
    const body = Buffer.from(await response.arrayBuffer());
    const length = response.body === null ? [] : ["content-length", String(body.length)];
    outgoing.writeHead(response.status, response.statusText, [...[...response.headers].flat(), ...length]).end(body);
    outcome = response.status;
  } catch {
    // What no Request can be made of: TRACE, or a target that is no path.
    outcome = gone.signal.aborted ? "closed by the client" : 400;
    if (!gone.signal.aborted) outgoing.writeHead(400).end();
  }
  process.stdout.write(`${line(incoming, outcome)}, ${Math.round(performance.now() - begun)} ms\n`);
}

function requestOf(incoming, signal) {
  const { method, rawHeaders, url } = incoming;
  if (!url.startsWith("/")) throw new TypeError("not a path");
  const headers = new Headers();
  for (let index = 0; index < rawHeaders.length; index += 2) headers.append(rawHeaders[index], rawHeaders[index + 1]);
  const body = method === "GET" || method === "HEAD" ? undefined : Readable.toWeb(incoming);
  return new Request(`http://${HOST}${url}`, { method, headers, body, signal, duplex: "half" });
}

/** A request and what came of it. Nothing that a terminal would obey, no query, and of credentials only the scheme. */
function line({ method, url, headers: { authorization } }, outcome) {
  const path = url.split("?", 1)[0].replace(/[^\x21-\x7e]/g, "?");
  const scheme = /^(Basic|Bearer)(?= |$)/i.exec(authorization ?? "")?.[0];
  const credentials = authorization === undefined ? "" : ` (${scheme ? `${scheme} ` : ""}***)`;
  return `${method} ${path}${credentials}: ${outcome}`;
}
