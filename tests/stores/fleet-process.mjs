// One process of a fleet: a client of one Redis. Its parent tells it by message when to ask, and hears what came of it.

import { createClient } from "redis";
import { importInstalled } from "../lib/install.mjs";

const { socket, options } = JSON.parse(process.argv[2]);
const { DigitalpayeAuth } = await importInstalled("digitalpaye-auth");
const { redisStore } = await importInstalled("digitalpaye-auth/stores/redis");

const redis = createClient({ socket: { path: socket } });
redis.on("error", () => {});
await redis.connect();
const auth = new DigitalpayeAuth({ ...options, store: redisStore(redis) });

process.on("unhandledRejection", (error) => process.send({ unhandled: String(error) }));
process.on("disconnect", () => process.exit());
process.on("message", async (call) => {
  const started = performance.now();
  try {
    const { token } = await auth.getToken(call);
    process.send({ token, ms: performance.now() - started });
  } catch (error) {
    process.send({ error: `${error.name}: ${error.message}`, ms: performance.now() - started });
  }
});
process.send({ ready: true });
