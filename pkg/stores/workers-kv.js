// One token for a Worker's isolates, in Workers KV.

/** The shortest life that KV takes for an entry. */
const SHORTEST_TTL_SECONDS = 60;

const PREFIX = "digitalpaye-auth:";

export function workersKvStore(namespace) {
  if (
    namespace === null || typeof namespace !== "object" ||
    !["get", "put", "delete"].every((method) => typeof namespace[method] === "function")
  ) {
    throw new TypeError("workersKvStore(namespace): namespace must be a KV namespace, such as `env.TOKENS`");
  }

  // No `acquire`: KV has no write that depends on what is there, and what one location wrote is seen by the others up to
  // a minute later. Two isolates that ask at once would both be told that they hold the lease.
  return {
    async get(key) {
      // Without `cacheTtl`: it can only be raised above its default, and an older answer is of no use here.
      const value = await namespace.get(PREFIX + key);
      if (value === null || value === undefined) return null;
      const entry = parse(value);
      // An object without a token, and not null: the client tells nonsense apart from a miss.
      if (entry === null) return {};
      const ttlSeconds = (entry.expiresAt - Date.now()) / 1_000;
      return ttlSeconds > 0 ? { token: entry.token, exp: entry.exp, ttlSeconds } : null;
    },

    async set(key, { token, exp }, ttlSeconds) {
      if (!(ttlSeconds > 0 && Number.isFinite(ttlSeconds))) return;
      // KV may keep the entry longer than the token lives: `expiresAt`, not KV, says when it ends.
      const value = JSON.stringify({ token, exp, expiresAt: Math.floor(Date.now() + ttlSeconds * 1_000) });
      const expirationTtl = Math.max(SHORTEST_TTL_SECONDS, Math.ceil(ttlSeconds));
      await namespace.put(PREFIX + key, value, { expirationTtl });
    },

    async delete(key, token) {
      // Not atomic: a token that is written between these two calls is deleted too, which costs one exchange.
      if (typeof token === "string" && parse(await namespace.get(PREFIX + key))?.token !== token) return;
      await namespace.delete(PREFIX + key);
    },
  };
}

/** What `set` wrote, or null: whatever else is under the key was put there by others. */
const parse = (value) => {
  if (typeof value !== "string") return null;
  try {
    const { token, exp, expiresAt } = JSON.parse(value);
    const ours = typeof token === "string" && typeof exp === "number" && typeof expiresAt === "number";
    return ours ? { token, exp, expiresAt } : null;
  } catch {
    return null;
  }
};
