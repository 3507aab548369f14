// Sends a stream of 150 MiB in several ways, and prints how much of it is in memory at most. The package's address is the argument.
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { startServer } from "./server.mjs";
import { granted, mint } from "./tokens.mjs";

const MIB = 1_048_576;
const LENGTH = 150 * MIB;
const CHUNK = 65_536;
setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc");

const { url: origin } = await startServer(async (request, response) => {
  let size = 0;
  for await (const chunk of request) size += chunk.length;
  response.end(request.url.endsWith("/v1/auth") ? granted(mint(600)) : String(size));
});
const url = `${origin}/`;
const { DigitalpayeAuth } = await import(process.argv[2]);
const client = (options) => new DigitalpayeAuth({ apiKey: "key", apiSecret: "secret", baseUrl: url, ...options });
const platform = client();
const own = client({ fetch: (...args) => fetch(...args) });

let most;
function long() {
  let sent = 0;
  gc();
  const before = process.memoryUsage().arrayBuffers;
  most = 0;
  return new ReadableStream({
    async pull(controller) {
      if (sent === LENGTH) return controller.close();
      controller.enqueue(new Uint8Array(CHUNK));
      sent += CHUNK;
      if (sent % (10 * MIB) > 0) return undefined;
      await sleep(20);
      gc();
      await sleep(20);
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
      return undefined;
    },
  }, { highWaterMark: 0 });
}

const init = () => ({ method: "POST", body: long(), duplex: "half" });
const ways = {
  "in init": () => platform.fetch(url, init()),
  "in a Request": () => platform.fetch(new Request(url, init())),
  "in a Request, by a fetch of one's own": () => own.fetch(new Request(url, init())),
};
const found = {};
for (const [name, send] of Object.entries(ways)) {
  const arrived = await (await send()).text();
  found[name] = { arrived: Number(arrived) / MIB, mebibytes: most / MIB };
}
process.stdout.write(JSON.stringify(found), () => process.exit());
