// The built page, served as any static server does.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";
import { build } from "vite";
import { temporaryFolder } from "../../../scripts/lib/temporary.mjs";
import { fileIn, startServer } from "../../../tests/lib/server.mjs";

const www = fileURLToPath(new URL("../..", import.meta.url));

/** Builds the page as `npm run build` does, into a folder of its own. */
export async function buildSite() {
  const folder = temporaryFolder("digitalpaye-auth-page");
  await build({ root: www, configFile: join(www, "vite.config.js"), logLevel: "warn", build: { outDir: folder, emptyOutDir: true } });
  return folder;
}

/**
 * Serves a folder under `prefix`. `sandbox` stands in for /sandbox.json, `headers` go with every file. `sent` lists what
 * was asked for, with the bytes of each body.
 */
export async function serveSite(folder, { prefix = "/", sandbox, headers = {} } = {}) {
  const sent = [];
  const compressed = new Map();

  function read(path) {
    if (sandbox && path === "sandbox.json") return { body: Buffer.from(JSON.stringify(sandbox)), type: "application/json" };
    const found = fileIn(folder, path || "index.html");
    return found && { body: readFileSync(found.file), type: found.type };
  }

  const address = await startServer((request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const found = pathname.startsWith(prefix) ? read(decodeURIComponent(pathname.slice(prefix.length))) : undefined;
    if (!found) {
      sent.push({ path: pathname, status: 404, bytes: 0 });
      return response.writeHead(404, { "Content-Type": "text/plain" }).end("Not found\n");
    }
    let { body } = found;
    const encoding = {};
    if (!found.type.startsWith("font/")) {
      if (!compressed.has(pathname)) {
        compressed.set(pathname, brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }));
      }
      // Browsers ask for brotli over https and on this machine.
      if (/\bbr\b/.test(request.headers["accept-encoding"] ?? "")) {
        body = compressed.get(pathname);
        encoding["Content-Encoding"] = "br";
      }
    }
    sent.push({ path: pathname, status: 200, bytes: body.length, raw: found.body.length });
    response.writeHead(200, { "Content-Type": found.type, "Content-Length": body.length, ...encoding, ...headers });
    return response.end(body);
  });
  return { url: `${address.url}${prefix}`, sent, close: address.stop };
}
