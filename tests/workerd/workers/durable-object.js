// A client whose token is shared through a Durable Object, and its store by itself.

import { env } from "cloudflare:workers";
import { DigitalpayeAuth } from "digitalpaye-auth";
import { durableObjectStore, TokenObject as Base } from "digitalpaye-auth/stores/durable-object";

// The package's class, and what the tests need to see of it.
export class TokenObject extends Base {
  #instance = crypto.randomUUID();

  async inspect() {
    return {
      instance: this.#instance,
      items: Object.fromEntries(await this.ctx.storage.list()),
      alarm: await this.ctx.storage.getAlarm(),
    };
  }

  plant(name, value) {
    return this.ctx.storage.put(name, value);
  }
}

const options = { apiKey: env.API_KEY, apiSecret: env.API_SECRET, baseUrl: env.BASE_URL };
const auth = new DigitalpayeAuth({ ...options, store: durableObjectStore(env.TOKENS) });

// Namespaces whose objects do not do what they should.
const troubles = {
  rejects: () => Promise.reject(new Error("Durable Object is overloaded")),
  throws() {
    throw new Error("Durable Object is overloaded");
  },
  hangs: () => new Promise(() => {}),
  "answers nonsense": async () => "nonsense",
};
const troubled = (trouble) => ({ idFromName: (name) => name, get: () => new Proxy({}, { get: () => troubles[trouble] }) });
// Made at module scope, as a Worker's shared client makes its own.
const stores = Array.from({ length: 4 }, () => durableObjectStore(env.TOKENS));

const routes = {
  async store([n, method, ...args]) {
    stores[n] ??= durableObjectStore(env.TOKENS);
    return { value: (await stores[n][method](...args)) ?? null };
  },
  object: async ([key, method, ...args]) => ({ value: await env.TOKENS.get(env.TOKENS.idFromName(key))[method](...args) }),
  token: ([call]) => auth.getToken(call),
  troubled: ([trouble]) => new DigitalpayeAuth({ ...options, store: durableObjectStore(troubled(trouble)) }).getToken(),
  refused: ([value]) => ({ value: String(durableObjectStore(value)) }),
  invalidate([token]) {
    auth.invalidate(token);
    return {};
  },
};

export default {
  async fetch(request) {
    try {
      return Response.json(await routes[new URL(request.url).pathname.slice(1)](await request.json()));
    } catch (error) {
      return Response.json({ error: `${error.name}: ${error.message}` });
    }
  },
};
