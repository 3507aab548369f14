// One process of a fleet of mixed clients: `node mixed-process.mjs '{ "name", "server", "options" }'`. Once it is
// connected it waits for its parent's word, asks, and tells what came of it.

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
process.on("message", async () => {
  const started = performance.now();
  try {
    const { token } = await auth.getToken();
    process.send({ token, ms: performance.now() - started });
  } catch (error) {
    process.send({ error: `${error.name}: ${error.message}` });
  }
});
process.send({ ready: true });
