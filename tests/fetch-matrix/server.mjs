// The API of the matrix: keeps what arrives, by case. `/<form>/<first answer>/<plain or ours>/x` is the resource.
import { fileURLToPath } from "node:url";
import { sendFile, startServer as startHttp } from "../lib/server.mjs";
import { granted, mint } from "../lib/tokens.mjs";

const HOLD_MS = 300;
const here = fileURLToPath(new URL(".", import.meta.url));

/** What every request has, what differs by the case, and the two headers that auth.fetch adds. */
const DROPPED = new Set(["host", "connection", "authorization", "x-environment"]);

/** `packageFolder` is served to pages, beside the files of this folder. */
export async function startServer(packageFolder) {
  const arrived = new Map();
  let report;

  const { url, stop } = await startHttp(async (request, response) => {
    const { pathname, search } = new URL(request.url, "http://server");
    const [form, first, who, ...rest] = pathname.slice(1).split("/").map(decodeURIComponent);
    if (form === "files") return serve(response, first, [who, ...rest].join("/"));
    if (request.method === "POST" && rest.join("/") === "v1/auth") {
      request.resume();
      return response.writeHead(200, { "Content-Type": "application/json" }).end(granted(mint(600)));
    }
    const chunks = [];
    try {
      for await (const chunk of request) chunks.push(chunk);
    } catch {
      return undefined; // It was aborted.
    }
    if (form === "report") {
      report = JSON.parse(Buffer.concat(chunks));
      return response.end();
    }
    const key = keyOf(form, first, who);
    const requests = arrived.get(key) ?? [];
    arrived.set(key, [...requests, seen(request, search, Buffer.concat(chunks))]);
    if (search === "?hold") await new Promise((resolve) => setTimeout(resolve, HOLD_MS));
    const redirect = /redirect=(\d+)/.exec(search)?.[1];
    const headers = { "Content-Type": "application/json" };
    if (first === "401" && who === "ours" && requests.length === 0) response.writeHead(401, headers);
    else if (redirect) response.writeHead(Number(redirect), { ...headers, Location: `${pathname}?landed` });
    else response.writeHead(200, headers);
    return response.end('{"ok":true}');
  });

  function serve(response, root, path) {
    if (path !== "page.html") return sendFile(response, root === "package" ? packageFolder : here, path);
    response.setHeader("Content-Type", "text/html");
    return response.end('<!doctype html><script type="module" src="./entries/page.mjs"></script>');
  }

  return {
    url,
    stop,
    /** What a program said at its end. */
    report: () => report,
    requests: (...of) => arrived.get(keyOf(...of)) ?? [],
  };
}

const keyOf = (...parts) => parts.join("\n");

function seen(request, search, body) {
  // A form's boundary is drawn anew for every request. Its first line tells it, whatever the headers say.
  const boundary = /^--(\S+)\r\n/.exec(body.toString("latin1"))?.[1];
  const neutral = (text) => (boundary ? text.replaceAll(boundary, "BOUNDARY") : text).replaceAll("/ours/", "/plain/");
  const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !DROPPED.has(name)).map(([name, value]) => [name, neutral(value)]));
  return { method: request.method, search, headers, body: neutral(body.toString("latin1")) };
}
