// Real workerd, running a worker that was bundled by wrangler's rules from the installed tarball.

import { build } from "esbuild";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { Agent, request as httpRequest } from "node:http";
import { createRequire } from "node:module";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { basename, join, sep } from "node:path";
import { createInterface } from "node:readline";
import { installed } from "./install.mjs";

const workerd = createRequire(import.meta.url)("workerd");

/** Before `cache` in a fetch's init, before promises that settle across requests are taken care of. */
export const OLD_DATE = "2022-11-30";
export const NEWEST_DATE = workerd.compatibilityDate;
export const DATES = [OLD_DATE, NEWEST_DATE];

const START_MS = 20_000;
const REQUEST_MS = 10_000;

/**
 * Starts an isolate with the worker `entry` (a path).
 *
 * `bindings` are texts in its `env`. `kv` names KV namespaces; with them it is miniflare that runs it, whose workerd may
 * be older. `authorities` are certificates (PEM); TLS servers with one by them are trusted. `platformWaitUntil: false`
 * takes `waitUntil` from the `cloudflare:workers` that the package sees, as in runtimes that do not have it yet. `conditions` are
 * those by which the bundler resolves exports; wrangler's, if none are given. `program` is another workerd than the one installed.
 */
export async function startWorker({
  entry,
  compatibilityDate = NEWEST_DATE,
  flags = [],
  bindings = {},
  kv = [],
  authorities = [],
  platformWaitUntil = true,
  conditions,
  program = workerd.default,
}) {
  const modules = await bundle(entry, { platformWaitUntil, conditions });
  const run = kv.length > 0 ? runMiniflare : runWorkerd;
  const { port, output, stop } = await run({ modules, compatibilityDate, flags, bindings, kv, authorities, program });
  const agent = new Agent({ keepAlive: true });

  return {
    url: `http://127.0.0.1:${port}`,
    /** What it wrote to its log. */
    output,
    /** Sends a GET. An answer is `{ status, text, ms }`; none within `timeout` ms is an error. */
    get: (path, { timeout = REQUEST_MS } = {}) => get({ agent, port, path, timeout }),
    /** Sends a GET whose client goes away `ms` later, the way that workerd notices: by a reset. */
    abandon: (path, ms) => abandon({ port, path, ms }),
    async stop() {
      agent.destroy();
      await stop();
    },
  };
}

/** Starts a worker for one GET of "/"; resolves to the JSON that it answers as `answer`, and to its log as `output`. */
export async function askWorker(options, { timeout = REQUEST_MS } = {}) {
  const worker = await startWorker(options);
  try {
    const { status, text } = await worker.get("/", { timeout });
    if (status !== 200) throw new Error(`status ${status}: ${text}\n${worker.output()}`);
    return { answer: JSON.parse(text), output: worker.output() };
  } finally {
    await worker.stop();
  }
}

/** The worker's modules, each `{ name, type: "esm" | "wasm", contents }`, the main one first. */
const bundles = new Map();

export function bundle(entry, { platformWaitUntil = true, conditions = ["workerd", "worker", "browser"] } = {}) {
  const key = JSON.stringify([entry, platformWaitUntil, conditions]);
  if (!bundles.has(key)) bundles.set(key, makeBundle(entry, platformWaitUntil, conditions));
  return bundles.get(key);
}

async function makeBundle(entry, platformWaitUntil, conditions) {
  const consumer = await installed();
  const inPackage = (path) => path.startsWith(join(consumer, "node_modules", "digitalpaye-auth") + sep);
  const wasm = new Map();

  const rules = {
    name: "wrangler-rules",
    setup({ onLoad, onResolve, resolve }) {
      // The workspace links the package's folder; what counts here is the tarball.
      onResolve({ filter: /^digitalpaye-auth(\/|$)/ }, ({ path, kind, resolveDir }) =>
        resolveDir === consumer ? undefined : resolve(path, { kind, resolveDir: consumer }),
      );
      onResolve({ filter: /^cloudflare:/ }, ({ path, importer }) =>
        !platformWaitUntil && path === "cloudflare:workers" && inPackage(importer)
          ? { path, namespace: "without-wait-until" }
          : { path, external: true },
      );
      onLoad({ filter: /.*/, namespace: "without-wait-until" }, () => ({ contents: "export const env = {};" }));
      onResolve({ filter: /\.wasm(\?module)?$/ }, async ({ path, kind, resolveDir, pluginData }) => {
        if (pluginData === "wasm") return undefined;
        const found = await resolve(path.replace(/\?module$/, ""), { kind, resolveDir, pluginData: "wasm" });
        if (found.errors.length > 0) return found;
        const contents = await readFile(found.path);
        const name = `./${createHash("sha1").update(contents).digest("hex")}-${basename(found.path)}`;
        wasm.set(name, { name, type: "wasm", contents });
        return { path: name, external: true };
      });
    },
  };

  const { outputFiles, metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    outdir: "out",
    format: "esm",
    target: "es2024",
    conditions,
    loader: { ".js": "jsx", ".mjs": "jsx", ".cjs": "jsx" },
    keepNames: true,
    external: ["__STATIC_CONTENT_MANIFEST"],
    define: { "process.env.NODE_ENV": '"production"' },
    plugins: [rules],
    metafile: true,
    logLevel: "silent",
  });
  const inputs = Object.keys(metafile.inputs).filter((path) => path.includes("digitalpaye-auth"));
  const main = { name: "worker.js", type: "esm", contents: outputFiles[0].contents };
  return Object.assign([main, ...wasm.values()], { inputs });
}

// The shell outlives neither the test nor workerd: its standard input closes when this process ends, however it ends, and
// then it takes workerd with it.
const GUARD = `
"$1" serve "$2" --control-fd=3 >&2 <&- &
server=$!
exec 3>&-
read -r _
kill -KILL $server 2>/dev/null
`;

async function runWorkerd({ modules, compatibilityDate, flags, bindings, authorities, program }) {
  const directory = mkdtempSync(join(tmpdir(), "workerd-"));
  const list = (items) => `[${items.join(", ")}]`;
  const text = (value) => JSON.stringify(String(value));
  const embedded = modules.map(({ name, type, contents }, index) => {
    writeFileSync(join(directory, `module-${index}`), contents);
    return `(name = ${text(name)}, ${type === "wasm" ? "wasm" : "esModule"} = embed "module-${index}")`;
  });
  const config = join(directory, "config.capnp");
  writeFileSync(
    config,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "loopback", network = (allow = ["local"], tlsOptions = (trustedCertificates = ${list(authorities.map(text))}))),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = ${list(embedded)},
  compatibilityDate = ${text(compatibilityDate)},
  compatibilityFlags = ${list(flags.map(text))},
  bindings = ${list(Object.entries(bindings).map(([name, value]) => `(name = ${text(name)}, text = ${text(value)})`))},
  globalOutbound = "loopback",
);
`,
  );

  const guard = spawn("sh", ["-c", GUARD, "sh", program, config], { stdio: ["pipe", "ignore", "pipe", "pipe"] });
  const exited = new Promise((resolve) => guard.once("close", resolve));
  guard.stdin.on("error", () => {});
  let output = "";
  guard.stderr.setEncoding("utf8").on("data", (chunk) => (output += chunk));

  const stop = async () => {
    guard.stdin.end();
    await exited;
    rmSync(directory, { recursive: true, force: true });
  };

  const listening = (async () => {
    for await (const line of createInterface(guard.stdio[3])) {
      const message = JSON.parse(line);
      if (message.event === "listen" && message.socket === "http") return message.port;
    }
    return undefined;
  })();
  const port = await within(listening, START_MS);
  if (port === undefined) {
    await stop();
    throw new Error(`workerd did not start:\n${output}`);
  }
  return { port, output: () => output, stop };
}

async function runMiniflare({ modules, compatibilityDate, flags, bindings, kv }) {
  const { Log, LogLevel, Miniflare } = await import("miniflare");
  let output = "";
  class Recorded extends Log {
    log(message) {
      output += `${message}\n`;
    }
  }
  const miniflare = new Miniflare({
    log: new Recorded(LogLevel.WARN),
    handleRuntimeStdio(stdout, stderr) {
      for (const stream of [stdout, stderr]) stream.setEncoding("utf8").on("data", (chunk) => (output += chunk));
    },
    modules: modules.map(({ name, type, contents }) => ({
      type: type === "wasm" ? "CompiledWasm" : "ESModule",
      path: name,
      contents,
    })),
    modulesRoot: "/",
    compatibilityDate,
    compatibilityFlags: flags,
    bindings,
    kvNamespaces: kv,
  });
  const { port } = await miniflare.ready;
  return { port, output: () => output, stop: () => miniflare.dispose() };
}

function get({ agent, port, path, timeout }) {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const request = httpRequest({ agent, host: "127.0.0.1", port, path }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk) => (text += chunk));
      response.on("error", fail);
      response.on("end", () => {
        clearTimeout(timer);
        resolve({ status: response.statusCode, text, ms: performance.now() - started });
      });
    });
    const fail = (error) => {
      clearTimeout(timer);
      reject(error);
    };
    const timer = setTimeout(() => request.destroy(new Error(`${path}: no answer within ${timeout} ms`)), timeout);
    request.on("error", fail);
    request.end();
  });
}

// A client that closes in the ordinary way goes unnoticed until something is written to it: half closed is still open.
function abandon({ port, path, ms }) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
      socket.resume();
      setTimeout(() => {
        socket.resetAndDestroy();
        resolve();
      }, ms);
    });
    socket.on("error", (error) => (socket.connecting ? reject(error) : resolve()));
  });
}

async function within(promise, ms) {
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, ms)));
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
