// The server of the page: what it gives, and what it keeps.
import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import test, { after, before } from "node:test";
import { serve } from "../../scripts/lib/serve.mjs";
import { temporaryFolder } from "../../scripts/lib/temporary.mjs";
import { startServer } from "../lib/server.mjs";

const folder = temporaryFolder("digitalpaye-auth-serve");
let server;

before(async () => {
  for (const name of ["page/assets", "package", "page/empty"]) mkdirSync(join(folder, name), { recursive: true });
  const files = {
    "outside.txt": "outside", "package/index.js": "export {};", "page/index.html": "<p>é", "page/assets/app.js": "1",
    "page/assets/a b.css": "p {}", "page/module.wasm": "\0asm", "page/.env": "hidden", "page/zero.txt": "", "page/odd.xyz": "?",
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  symlinkSync(join(folder, "outside.txt"), join(folder, "page", "link.txt"));
  server = await serve({
    folders: { "/": join(folder, "page"), "/lib/": join(folder, "package") },
    documents: { "/sandbox.json": { apiKey: "clé" } },
    port: 0,
  });
});

after(() => server?.close());

/** The path goes out as it is: `fetch` would tidy it. */
function get(path, { method = "GET", host } = {}) {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(server.url);
    const headers = host ? { Host: host } : {};
    request({ hostname, port, path, method, headers, agent: false }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => resolve({ status: response.statusCode, type: response.headers["content-type"], headers: response.headers, body: Buffer.concat(chunks).toString() }));
    }).on("error", reject).end();
  });
}

for (const [path, type, body] of [
  ["/", "text/html; charset=utf-8", "<p>é"],
  ["/index.html?x=1", "text/html; charset=utf-8", "<p>é"],
  ["/assets/app.js", "text/javascript; charset=utf-8", "1"],
  ["/assets/a%20b.css", "text/css; charset=utf-8", "p {}"],
  ["/module.wasm", "application/wasm", "\0asm"],
  ["/odd.xyz", "application/octet-stream", "?"],
  ["/zero.txt", "text/plain; charset=utf-8", ""],
  ["/lib/index.js", "text/javascript; charset=utf-8", "export {};"],
  ["/sandbox.json", "application/json; charset=utf-8", '{"apiKey":"clé"}'],
]) {
  test(`GET and HEAD ${path}`, async () => {
    const got = await get(path);
    assert.deepEqual([got.status, got.type, got.body], [200, type, body]);
    assert.equal(got.headers["x-content-type-options"], "nosniff");
    const head = await get(path, { method: "HEAD" });
    assert.deepEqual([head.status, head.type, head.body], [200, type, ""]);
    assert.equal(head.headers["content-length"], String(Buffer.byteLength(body)));
  });
}

for (const path of [
  "/missing", "/empty", "/empty/", "/assets", "/.env", "/../outside.txt", "/%2e%2e/outside.txt", "/assets/../../outside.txt",
  "/..%2foutside.txt", "/..%5coutside.txt", "/lib/../../outside.txt", "//outside.txt/..", "/link.txt", "/index.html%00.txt",
  "/index.html/", "/__proto__", "/sandbox.json/",
]) {
  test(`${path} is not served`, async () => {
    const { status, body } = await get(path);
    assert.equal(status, 404);
    assert.ok(!/outside$|hidden/.test(body));
  });
}

test("a path that is not encoded correctly is refused", async () => assert.equal((await get("/%E0%A4%A")).status, 400));

test("other methods are refused", async () => {
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
    const { status, headers } = await get("/", { method });
    assert.deepEqual([status, headers.allow], [405, "GET, HEAD"], method);
  }
});

test("another name for this address is refused, so that no site can be made to read it", async () => {
  for (const host of ["attacker.example", "127.0.0.1.attacker.example", "localhost@attacker.example"]) {
    assert.equal((await get("/sandbox.json", { host })).status, 421, host);
  }
  assert.equal((await get("/sandbox.json", { host: `localhost:${new URL(server.url).port}` })).status, 200);
});

test("it listens on the loopback address alone", async (t) => {
  const others = Object.values(networkInterfaces()).flat().filter(({ family, internal }) => family === "IPv4" && !internal);
  if (others.length === 0) t.diagnostic("this machine has no other address");
  for (const { address } of others) {
    const reached = await new Promise((resolve) => {
      const socket = connect({ host: address, port: new URL(server.url).port, timeout: 2_000 });
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false)).once("timeout", () => resolve(false));
      socket.once("close", () => {});
    });
    assert.equal(reached, false, address);
  }
});

test("the next free port is taken, unless one was asked for", async () => {
  const { port, stop } = await startServer();
  const folders = { "/": join(folder, "page") };
  try {
    await assert.rejects(serve({ folders, port }), { message: `Port ${port} is taken.` });
    const first = await serve({ folders });
    const second = await serve({ folders });
    try {
      assert.notEqual(first.url, second.url);
      for (const { url } of [first, second]) assert.equal((await fetch(url)).status, 200);
    } finally {
      await first.close();
      await second.close();
    }
  } finally {
    await stop();
  }
});

test("it closes although a browser keeps its connection", async () => {
  const other = await serve({ folders: { "/": join(folder, "page") }, port: 0 });
  const socket = connect({ host: "127.0.0.1", port: new URL(other.url).port });
  await new Promise((resolve) => socket.once("connect", resolve));
  const closed = new Promise((resolve) => socket.once("close", resolve));
  await other.close();
  await closed;
});
