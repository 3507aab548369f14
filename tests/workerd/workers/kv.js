// A client whose token is shared through Workers KV.

import { env } from "cloudflare:workers";
import { DigitalpayeAuth } from "digitalpaye-auth";
import { workersKvStore } from "digitalpaye-auth/stores/workers-kv";
import { describe } from "./describe.js";

const options = { apiKey: env.API_KEY, apiSecret: env.API_SECRET, baseUrl: env.BASE_URL, ...JSON.parse(env.OPTIONS ?? "{}") };

// A namespace that counts, and that can be told to fail or to hang.
const counts = { get: 0, put: 0, delete: 0, puts: [] };
let trouble;
const troubled = (name) => (...args) => {
  counts[name] += 1;
  if (name === "put") counts.puts.push(args[2]);
  if (trouble === "fails") return Promise.reject(new Error("KV is down"));
  if (trouble === "throws") throw new Error("KV is down");
  if (trouble === "hangs") return new Promise(() => {});
  return env.TOKENS[name](...args);
};
const namespace = { get: troubled("get"), put: troubled("put"), delete: troubled("delete") };

// Two clients with one store: two isolates, as KV sees it.
const store = () => workersKvStore(namespace);
const clients = { a: new DigitalpayeAuth({ ...options, store: store() }), b: new DigitalpayeAuth({ ...options, store: store() }) };

const routes = {
  token: ({ client = "a", force }) => clients[client].getToken({ forceRefresh: force === "1" }),
  fresh: () => new DigitalpayeAuth({ ...options, store: store() }).getToken(),
  invalidate({ client = "a" }) {
    clients[client].invalidate();
    return {};
  },
  trouble({ kind }) {
    trouble = kind;
    return {};
  },
  async entries() {
    const { keys } = await env.TOKENS.list();
    const values = await Promise.all(keys.map(({ name }) => env.TOKENS.get(name)));
    return { entries: keys.map(({ name, expiration }, n) => ({ name, expiration, value: values[n] })) };
  },
  async put({ value }) {
    const { keys } = await env.TOKENS.list();
    await env.TOKENS.put(keys[0].name, value);
    return {};
  },
  async direct({ ttl }) {
    const direct = workersKvStore(env.TOKENS);
    await direct.set("key", { token: "abc", exp: 4_102_444_800 }, Number(ttl));
    return { got: await direct.get("key") };
  },
  counts: () => counts,
};

export default {
  async fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    try {
      return Response.json(await routes[pathname.slice(1)](Object.fromEntries(searchParams)));
    } catch (error) {
      return Response.json(describe(error));
    }
  },
};
