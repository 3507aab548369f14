// What a benchmark is made of: a project with every peer, the server, and one measurement in a process of its own.
import { build } from "esbuild";
import { fork } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { environment, must } from "../../scripts/lib/process.mjs";
import { temporaryFolder } from "../../scripts/lib/temporary.mjs";
import { installed } from "../lib/install.mjs";
import { installOnce } from "../lib/projects.mjs";
import { startWorker } from "../lib/workerd.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));

/** A folder with the programs, the packed and installed package, and, with `all`, every peer. */
export async function project({ all = true } = {}) {
  const folder = temporaryFolder("digitalpaye-auth-bench");
  const modules = join(folder, "node_modules");
  mkdirSync(modules);
  cpSync(join(await installed(), "node_modules", "digitalpaye-auth"), join(modules, "digitalpaye-auth"), { recursive: true });
  if (all) {
    await installOnce(here);
    for (const name of readdirSync(join(here, "node_modules"))) {
      if (!name.startsWith(".")) symlinkSync(join(here, "node_modules", name), join(modules, name));
    }
  }
  for (const name of ["measure.mjs", "peers"]) cpSync(join(here, name), join(folder, name), { recursive: true });
  return folder;
}

/** `{ url, requests(), stop() }`; `requests` tells how many came since it was last asked. */
export async function startServer() {
  const child = fork(join(here, "server.mjs"), { env: environment() });
  const [{ url }] = await once(child, "message");
  return {
    url,
    async requests() {
      child.send("requests");
      const [{ requests }] = await once(child, "message");
      return requests;
    },
    stop: () => child.disconnect(),
  };
}

/** One measurement of one peer, with the time that its process took as `process`, in milliseconds. */
export async function measure(node, folder, kind, peer, url) {
  const begun = performance.now();
  const { stdout } = await must(node, ["--expose-gc", join(folder, "measure.mjs"), kind, peer, url], { cwd: folder, env: environment(), timeout: 120_000 });
  return { ...JSON.parse(stdout), process: performance.now() - begun };
}

/** Milliseconds until a fresh isolate has answered its first request. */
export async function firstCall(folder, peer, url) {
  const entry = join(folder, `workerd-${peer}.mjs`);
  writeFileSync(entry, readFileSync(join(here, "workerd.mjs"), "utf8").replace("PEER", peer));
  const worker = await startWorker({ entry, bindings: { BASE_URL: url } });
  try {
    const { status, ms, text } = await worker.get("/");
    if (status !== 200) throw new Error(`status ${status}: ${text}`);
    return ms;
  } finally {
    await worker.stop();
  }
}

const wholes = {
  "digitalpaye-auth": 'export * from "digitalpaye-auth";',
  axios: 'export { default } from "axios";',
  ky: 'export { default } from "ky";',
  oauth4webapi: 'export { ClientSecretBasic, clientCredentialsGrantRequest, processClientCredentialsResponse } from "oauth4webapi";',
};

/** The bytes that a page loads: `{ raw, gzip, brotli }`. */
export async function bundleBytes(folder, peer) {
  const { outputFiles: [{ contents }] } = await build({
    stdin: { contents: wholes[peer], resolveDir: folder }, bundle: true, minify: true, format: "esm", platform: "browser", write: false,
  });
  return { raw: contents.length, gzip: gzipSync(contents, { level: 9 }).length, brotli: brotliCompressSync(contents).length };
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Medians by peer of `rounds` rounds, in each of which every peer has its turn. */
export async function alternate(rounds, peers, work) {
  const found = Object.fromEntries(peers.map((peer) => [peer, []]));
  for (let round = 0; round < rounds; round += 1) {
    // Each round begins with another, so that none always follows the same.
    for (let index = 0; index < peers.length; index += 1) {
      const peer = peers[(index + round) % peers.length];
      found[peer].push(await work(peer));
    }
  }
  return Object.fromEntries(peers.map((peer) => [peer, median(found[peer])]));
}
