// A package registry on this machine that has one package.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { startServer } from "../lib/server.mjs";

/** Serves a tarball as what `npm install NAME` asks for; resolves to `{ url, stop }`. */
export async function startRegistry(tarball, manifest) {
  const { name, version } = manifest;
  const bytes = await readFile(tarball);
  const { url, stop } = await startServer((request, response) => {
    if (request.url === `/${name}`) {
      const integrity = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
      const dist = { tarball: `http://${request.headers.host}/${name}.tgz`, integrity };
      const document = { name, "dist-tags": { latest: version }, versions: { [version]: { ...manifest, dist } } };
      response.setHeader("Content-Type", "application/json").end(JSON.stringify(document));
    } else if (request.url === `/${name}.tgz`) response.end(bytes);
    else response.writeHead(404).end();
  });
  return { url: `${url}/`, stop };
}
