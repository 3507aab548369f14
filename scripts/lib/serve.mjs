// A static file server for this machine alone.
import { createReadStream } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, sep } from "node:path";
import { pipeline } from "node:stream";
import { Failure } from "./process.mjs";

const types = {
  ".css": "text/css; charset=utf-8",
  ".gif": "image/gif",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".jpg": "image/jpeg",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
  ".webp": "image/webp",
  ".woff2": "font/woff2",
  ".xml": "application/xml; charset=utf-8",
};

const common = { "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer" };

/**
 * Serves folders by path prefix (`{ "/": folder }`, the longest prefix first) and JSON documents by path. Without a
 * `port` it takes the first free one from 5173 on. Resolves to the page's `url` and to `close()`.
 */
export async function serve({ folders, documents = {}, port }) {
  const mounts = await Promise.all(Object.entries(folders)
    .sort(([a], [b]) => b.length - a.length)
    .map(async ([prefix, folder]) => [prefix, await realpath(folder)]));

  async function find(path) {
    const mount = mounts.find(([prefix]) => path.startsWith(prefix));
    // A name that begins with a dot is a configuration file, or a way out.
    if (!mount || path.includes("\0") || path.split(/[/\\]/).some((part) => part.startsWith("."))) return undefined;
    const [prefix, folder] = mount;
    try {
      let file = join(folder, path.slice(prefix.length));
      if ((await stat(file)).isDirectory()) file = join(file, "index.html");
      // A link that leads out of the folder is not followed.
      const real = await realpath(file);
      const found = await stat(real);
      return real.startsWith(folder + sep) && found.isFile() ? { file: real, size: found.size } : undefined;
    } catch {
      return undefined;
    }
  }

  async function answer(request, response) {
    const send = (status, type, body) => {
      response.writeHead(status, { ...common, "Content-Type": type, "Content-Length": Buffer.byteLength(body) });
      response.end(request.method === "HEAD" ? undefined : body);
    };
    const refuse = (status, text) => send(status, types[".txt"], `${text}\n`);
    // Another site whose name was made to point here must not read what is meant for this machine's user.
    if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(request.headers.host ?? "")) return refuse(421, "Not served under this name.");
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("Allow", "GET, HEAD");
      return refuse(405, "Only GET and HEAD are served.");
    }
    let path;
    try {
      path = decodeURIComponent(request.url.split(/[?#]/)[0]);
    } catch {
      return refuse(400, "This path is not encoded correctly.");
    }
    if (Object.hasOwn(documents, path)) return send(200, types[".json"], JSON.stringify(documents[path]));
    const found = await find(path);
    if (!found) return refuse(404, "There is nothing here.");
    const type = types[extname(found.file).toLowerCase()] ?? "application/octet-stream";
    response.writeHead(200, { ...common, "Content-Type": type, "Content-Length": found.size });
    if (request.method === "HEAD") return response.end();
    // A reader that goes away is no error of ours.
    pipeline(createReadStream(found.file, { end: Math.max(0, found.size - 1) }), response, () => {});
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  const listen = (candidate) => new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(candidate, "127.0.0.1", () => {
      server.off("error", reject);
      resolve(server.address().port);
    });
  });
  const candidates = port === undefined ? Array.from({ length: 20 }, (_, index) => 5173 + index) : [port];
  for (const candidate of candidates) {
    try {
      const bound = await listen(candidate);
      return {
        url: `http://127.0.0.1:${bound}/`,
        close: () => new Promise((resolve) => {
          server.close(resolve);
          server.closeAllConnections();
        }),
      };
    } catch (error) {
      if (error.code !== "EADDRINUSE") throw new Failure(`Port ${candidate} cannot be used: ${error.message}`, { cause: error });
    }
  }
  throw new Failure(candidates.length > 1
    ? `The ports ${candidates[0]} to ${candidates.at(-1)} are all taken. Choose another: npm start -- --port NUMBER`
    : `Port ${port} is taken.`);
}
