// A process that wants one token of its fleet and ends as soon as it has it. Its parent says when.
import { createClient } from "redis";
import { importInstalled } from "../lib/install.mjs";

const { socket, options } = JSON.parse(process.argv[2]);
const { DigitalpayeAuth } = await importInstalled("digitalpaye-auth");
const { redisStore } = await importInstalled("digitalpaye-auth/stores/redis");

const redis = createClient({ socket: { path: socket } });
redis.on("error", () => {});
await redis.connect();
const auth = new DigitalpayeAuth({ ...options, store: redisStore(redis) });

process.once("message", async () => {
  const started = performance.now();
  const answer = await auth.getToken().then(({ token }) => ({ token }), (error) => ({ error: `${error.name}: ${error.message}` }));
  process.send({ ...answer, ms: performance.now() - started }, () => process.exit());
});
process.send({ ready: true });
