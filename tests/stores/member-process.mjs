// One process of a fleet (see members.mjs): it has a client of one Redis, asks when its parent says so, and tells what came of it.
import { importInstalled } from "../lib/install.mjs";
import { CLIENTS } from "./clients.mjs";

const { name, server, options } = JSON.parse(process.argv[2]);
const { DigitalpayeAuth } = await importInstalled("digitalpaye-auth");
const { redisStore } = await importInstalled("digitalpaye-auth/stores/redis");

const { client } = await CLIENTS[name](server);
const store = redisStore(client);
// A busy machine may take longer to connect twenty processes than a client waits for its store.
await store.get("connected");
const auth = new DigitalpayeAuth({ ...options, store });

process.on("unhandledRejection", (error) => process.send({ error: `unhandled: ${error}` }));
process.on("disconnect", () => process.exit());
process.on("message", async ({ call, leaves }) => {
  const started = performance.now();
  const answer = await auth.getToken(call).then(({ token }) => ({ token }), (error) => ({ error: `${error.name}: ${error.message}` }));
  process.send({ ...answer, ms: performance.now() - started }, () => leaves && process.exit());
});
process.send({ ready: true });
