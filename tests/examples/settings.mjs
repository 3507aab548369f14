// How each example is started in a test: on free ports of this machine.
import { dirname, delimiter } from "node:path";
import { environment, must } from "../../scripts/lib/process.mjs";
import { engine } from "../conformance/lib/engines.mjs";
import { startRedis } from "../lib/redis.mjs";
import { clean, fillIn } from "./project.mjs";

const printed = /^(?!emulator).*(http:\/\/127\.0\.0\.1:\d+)$/m;
const envFile = (folder, { baseUrl, ...account }) => fillIn(folder, account, { DIGITALPAYE_BASE_URL: baseUrl });
const startScript = ({ manifest }) => words(manifest.scripts.start);

let redis;
/** The address of a Redis server that the tests of this process share. */
export async function redisUrl() {
  redis ??= startRedis({ tcp: true });
  return `redis://127.0.0.1:${(await redis).port}`;
}
export const stopRedis = async () => (await redis)?.stop();

/** The words of a script of package.json that begins with `node`. */
export function words(script, args = []) {
  const [node, ...rest] = script.split(" ");
  if (node !== "node") throw new Error(`${script} does not begin with node`);
  return ["node", ...rest, ...args];
}

/**
 * `serve(project)` are the words that serve with the credentials that `prepare(folder, account)` put there; `devArgs` come
 * after `npm run dev`. `env()` gives more variables. `ready` finds the address in the output; `balance` is the path that shows
 * one. `refused` is the word for a payment that the API refuses. After SIGTERM it ends with one of `ends`, and, unless
 * `finishes` is false, once the requests under way are answered.
 */
export const SETTINGS = {
  express: { ready: printed, prepare: envFile, serve: startScript, env: () => ({ PORT: "0" }) },

  // One process, which then is the one that meets what the API is told to do.
  fleet: {
    ready: printed, prepare: envFile, serve: startScript, refused: "refused",
    env: async () => ({ PORT: "0", WORKERS: "1", REDIS_URL: await redisUrl() }),
  },

  next: {
    devArgs: ["-H", "127.0.0.1", "-p", "0"],
    ready: /Local: +(http:\/\/[\w.]+:\d+)/,
    balance: "/",
    // The build comes before there is a key.
    async prepare(folder, account) {
      await must("npm", ["run", "build"], { cwd: folder, env: clean(), timeout: 540_000 });
      envFile(folder, account);
    },
    serve: () => ["node", "node_modules/next/dist/bin/next", "start", "-H", "127.0.0.1", "-p", "0"],
    ends: [0, 143],
  },

  workers: {
    devArgs: ["--ip", "127.0.0.1", "--port", "0"],
    ready: /Ready on (http:\/\/[\w.]+:\d+)/,
    prepare: (folder, { baseUrl, ...account }) => fillIn(folder, account, { DIGITALPAYE_BASE_URL: baseUrl }, ".dev.vars"),
    serve: () => ["node", "node_modules/wrangler/bin/wrangler.js", "dev", "--ip", "127.0.0.1", "--port", "0"],
    ends: [0, 143],
    // Cloudflare ends no isolate in the middle of a request; wrangler on this machine does.
    finishes: false,
    // wrangler wants Node 22 or newer.
    env: async () => ({ PATH: [dirname(await engine("Node 24")), environment().PATH].join(delimiter) }),
  },

  cron: {},
};
