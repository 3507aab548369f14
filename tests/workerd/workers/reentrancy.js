// Everything of ours that calls what it was given, given something that calls the client back, synchronously.

import { env } from "cloudflare:workers";
import { DigitalpayeAuth } from "digitalpaye-auth";
import { describe } from "./describe.js";

const basics = { apiKey: env.API_KEY, apiSecret: env.API_SECRET, baseUrl: env.BASE_URL, ...JSON.parse(env.OPTIONS ?? "{}") };

/** Calls `auth` back in every way, unless it is called from there itself; counts how often it was called, by `from`. */
function intruder(get) {
  let inside = false;
  const calls = {};
  return {
    calls,
    intrude(from) {
      calls[from] = (calls[from] ?? 0) + 1;
      if (inside) return;
      inside = true;
      const auth = get();
      auth.getToken().catch(() => {});
      // The second time past cache and store, so that the first takes the whole way through the store.
      auth.getToken({ forceRefresh: calls[from] === 2 }).catch(() => {});
      const controller = new AbortController();
      auth.getToken({ signal: controller.signal }).catch(() => {});
      controller.abort();
      auth.invalidate("another token");
      inside = false;
    },
  };
}

/** A store in memory; its promises are those of the request that asks. */
function store(intrude) {
  const entries = new Map();
  const leases = new Set();
  const operation = (name, run) =>
    (...args) => {
      intrude(name);
      return Promise.resolve(run(...args));
    };
  return {
    get: operation("get", (key) => entries.get(key)),
    set: operation("set", (key, token) => void entries.set(key, token)),
    delete: operation("delete", (key) => void entries.delete(key)),
    acquire: operation("acquire", (key) => !leases.has(key) && Boolean(leases.add(key))),
    release: operation("release", (key) => void leases.delete(key)),
  };
}

const getters = (values, intrude) =>
  Object.defineProperties(
    {},
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => [
        name,
        {
          enumerable: true,
          get() {
            intrude(`getter ${name}`);
            return value;
          },
        },
      ]),
    ),
  );

const clients = {
  fetch(intrude) {
    const custom = (...args) => {
      intrude("fetch");
      return fetch(...args);
    };
    return new DigitalpayeAuth({ ...basics, fetch: custom });
  },
  store: (intrude) => new DigitalpayeAuth({ ...basics, store: store(intrude) }),
  waitUntil: (intrude) =>
    new DigitalpayeAuth({
      ...basics,
      waitUntil(work) {
        intrude("waitUntil");
        work.then(() => intrude("settled"));
      },
    }),
  callOptions: () => new DigitalpayeAuth(basics),
  // What a reply is read through: its parts are asked for by the package.
  response(intrude) {
    const custom = async (...args) => {
      const response = await fetch(...args);
      return new Proxy(response, {
        get(target, property) {
          intrude(`response ${String(property)}`);
          const value = Reflect.get(target, property);
          return typeof value === "function" ? value.bind(target) : value;
        },
      });
    };
    return new DigitalpayeAuth({ ...basics, fetch: custom });
  },
  signal: () => new DigitalpayeAuth(basics),
  // The exchange waits for a token, which waits for the exchange.
  circle() {
    const auth = new DigitalpayeAuth({
      ...basics,
      timeout: 1_000,
      maxRetries: 0,
      fetch: async (...args) => {
        await auth.getToken();
        return fetch(...args);
      },
    });
    return auth;
  },
};

const made = new Map();
function client(name) {
  if (!made.has(name)) {
    const entry = { intruder: intruder(() => entry.auth) };
    made.set(name, entry);
    entry.auth = clients[name](entry.intruder.intrude);
  }
  return made.get(name);
}

export default {
  async fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    const name = pathname.slice(1);
    const { auth, intruder: { intrude, calls } } = client(name);
    const call = { forceRefresh: searchParams.get("force") === "1" };
    if (name === "signal") {
      const { signal } = new AbortController();
      call.signal = new Proxy(signal, {
        get(target, property) {
          intrude(`signal ${String(property)}`);
          const value = Reflect.get(target, property);
          return typeof value === "function" ? value.bind(target) : value;
        },
      });
    }
    try {
      const { token } = await auth.getToken(name === "callOptions" ? getters(call, intrude) : call);
      return Response.json({ token, calls });
    } catch (error) {
      return Response.json({ ...describe(error), calls });
    }
  },
};
