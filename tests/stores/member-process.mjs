// One process of a fleet (see members.mjs): it shares a store with the others, asks when its parent says so, and tells what came of it.
import { importInstalled } from "../lib/install.mjs";
import { CLIENTS } from "./clients.mjs";

const { name, server, recipe, options } = JSON.parse(process.argv[2]);
const { DigitalpayeAuth } = await importInstalled("digitalpaye-auth");
const { redisStore } = await importInstalled("digitalpaye-auth/stores/redis");

const store = recipe ? (await import(recipe.path))[recipe.name]() : redisStore((await CLIENTS[name](server)).client);
// A busy machine may take longer to connect twenty processes than a client waits for its store.
for (let tries = 10; ; tries -= 1) {
  try {
    await store.get("connected");
    break;
  } catch (error) {
    if (tries === 1) throw error;
  }
}
const auth = new DigitalpayeAuth({ ...options, store });

process.on("unhandledRejection", (error) => process.send({ error: `unhandled: ${error}` }));
process.on("disconnect", () => process.exit());
process.on("message", async ({ call, leaves }) => {
  const started = performance.now();
  const answer = await auth.getToken(call).then(({ token }) => ({ token }), (error) => ({ error: `${error.name}: ${error.message}` }));
  process.send({ ...answer, ms: performance.now() - started }, () => leaves && process.exit());
});
process.send({ ready: true });
