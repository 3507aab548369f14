// What Cloudflare's types declare fits.
import { DigitalpayeAuth } from "digitalpaye-auth";
import { durableObjectStore, type TokenObject } from "digitalpaye-auth/stores/durable-object";
import { workersKvStore } from "digitalpaye-auth/stores/workers-kv";

export function client(tokens: KVNamespace, context: ExecutionContext) {
  return new DigitalpayeAuth({
    apiKey: "key", apiSecret: "secret", store: workersKvStore(tokens), waitUntil: (work) => context.waitUntil(work),
  });
}

export function everywhere(objects: DurableObjectNamespace<TokenObject>, plain: DurableObjectNamespace) {
  return [durableObjectStore(objects), durableObjectStore(plain), durableObjectStore(plain.jurisdiction("eu"))];
}
