// Servers of a test's own, on the loopback address.
import { once } from "node:events";
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createSocketServer } from "node:net";
import { extname, resolve, sep } from "node:path";

/** Starts an HTTP server that answers with `answer(request, response)`; resolves to what `listening` does. */
export const startServer = (answer) => listening(createServer(answer));

/** Lets any server listen on a free port; resolves to `{ port, url, stop }`. Stopped, it drops its connections too. */
export async function listening(server, { host = "127.0.0.1" } = {}) {
  server.listen(0, host);
  await once(server, "listening");
  const { port } = server.address();
  return {
    port,
    url: `http://${host}:${port}`,
    async stop() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections?.();
      await closed;
    },
  };
}

/** A port on which nobody listens: it was free a moment ago. */
export async function freePort() {
  const { port, stop } = await listening(createSocketServer());
  await stop();
  return port;
}

/** The text of a request's body, once it has come. */
export async function textOf(request) {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += chunk;
  return text;
}

const types = {
  ".css": "text/css", ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".json": "application/json", ".mjs": "text/javascript",
  ".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8", ".wasm": "application/wasm", ".woff2": "font/woff2",
};

/** A file below a folder, and its media type; undefined if there is none. */
export function fileIn(folder, path) {
  const file = resolve(folder, path);
  if (!file.startsWith(resolve(folder) + sep) || !statSync(file, { throwIfNoEntry: false })?.isFile()) return undefined;
  return { file, type: types[extname(file)] ?? "application/octet-stream" };
}

/** Answers with such a file, or with 404. */
export function sendFile(response, folder, path, headers) {
  const found = fileIn(folder, path);
  if (!found) return response.writeHead(404).end();
  response.writeHead(200, { "Content-Type": found.type, ...headers });
  return createReadStream(found.file).pipe(response);
}
