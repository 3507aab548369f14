// What Cloudflare's types declare fits.
import { DigitalpayeAuth } from "digitalpaye-auth";
import { workersKvStore } from "digitalpaye-auth/stores/workers-kv";

export function client(tokens: KVNamespace, context: ExecutionContext) {
  return new DigitalpayeAuth({
    apiKey: "key", apiSecret: "secret", store: workersKvStore(tokens), waitUntil: (work) => context.waitUntil(work),
  });
}
