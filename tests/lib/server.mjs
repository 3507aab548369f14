// Servers of a test's own, on the loopback address.
import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createSocketServer } from "node:net";

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
