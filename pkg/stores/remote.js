// What the stores that talk to a server have in common: lives that are never lengthened, and one holder per store object.

/** The longest that a caller waits for one answer. */
export const ANSWER_MS = 2_000;

/**
 * Makes a store of `send(operation, key, ...args)`, which resolves to `[now, ...answer]`.
 *
 * `now` is the server's clock in milliseconds, or null from a server that does not tell it. The operations:
 *
 * | operation | arguments | answer |
 * |---|---|---|
 * | time | | |
 * | get | | the entry's text or null, milliseconds left (-1: no end) |
 * | set | text, milliseconds, end by the server's clock or "" | |
 * | delete | token, or nothing for any | |
 * | acquire | owner, milliseconds | 1 or 0 |
 * | release | owner | |
 * | shorten | text, milliseconds | asked only of a server that does not tell its time |
 */
export function remoteStore(send) {
  const clock = new Clock();
  // Per key, the last call of `acquire` whose lease was not released since.
  const leases = new Map();
  // Made when it is needed: workerd has no randomness at module scope.
  let owner;

  const call = async (operation, key, ...args) => {
    let answer;
    try {
      answer = await send(operation, key, ...args);
    } catch (error) {
      throw withoutValues(error);
    }
    if (!Array.isArray(answer)) throw new Error(`the answer to ${operation} is not a list`);
    const [now, ...rest] = answer;
    clock.observe(key, now);
    return rest;
  };

  return {
    async get(key) {
      const used = stopwatch();
      const [value, left] = await call("get", key);
      if (value === null || value === undefined) return null;
      const token = parse(value);
      // An object without a token, and not null: the client tells nonsense apart from a miss.
      if (token === null) return {};
      if (Number(left) === -1) return token;
      // The server counted at some moment after the question was asked; all the time since then counts as used up.
      const leftMs = Number(left) - used();
      return leftMs > 0 ? { ...token, ttlSeconds: leftMs / 1_000 } : null;
    },

    async set(key, { token, exp }, ttlSeconds) {
      const life = wholeMilliseconds(ttlSeconds);
      if (life === 0) return;
      const used = stopwatch();
      const text = JSON.stringify({ token, exp });
      if (!clock.asked(key)) await call("time", key);
      const left = Math.floor(life - used());
      if (left < 1) return;
      const end = performance.now() + left;
      await call("set", key, text, left, clock.at(key, end));
      if (clock.at(key, end) !== "") return;
      // This server cannot tell when the write was carried out: assume the latest moment that it can have been.
      const rest = Math.max(0, Math.floor(life - used()));
      if (left - rest > 1_000) await call("shorten", key, text, rest);
    },

    async delete(key, token) {
      await call("delete", key, ...(typeof token === "string" ? [token] : []));
    },

    async acquire(key, ttlSeconds) {
      const life = wholeMilliseconds(ttlSeconds);
      if (life === 0) return false;
      owner = owner ?? crypto.randomUUID();
      const ticket = {};
      leases.set(key, ticket);
      const used = stopwatch();
      const [granted] = await call("acquire", key, owner, life);
      const last = leases.get(key) === ticket;
      if (Number(granted) !== 1) {
        if (last) leases.delete(key);
        return false;
      }
      const late = used() > ANSWER_MS;
      // Nobody waits for this lease any more: its caller has gone, or released it while the answer was under way.
      if ((late && last) || !leases.has(key)) {
        leases.delete(key);
        await call("release", key, owner);
        return false;
      }
      return !late;
    },

    async release(key) {
      if (leases.delete(key)) await call("release", key, owner);
    },
  };
}

/**
 * A lower bound of the server's clock, from the last time that it told us.
 *
 * A server that is paused, or a network that stalls, carries a command out seconds or minutes after it was sent. A life
 * in milliseconds counts from that moment, so a late write would keep a token beyond its end. The server is therefore
 * also given the token's end by its own clock, and takes the shorter. Local clocks play no part: the local share is
 * `performance.now()`, which nobody sets, and the bound is too low by the reply's way back, so what is computed from it
 * errs on the short side.
 *
 * Kept per key, because in a cluster each key has its own server, with its own clock.
 */
class Clock {
  // Per key: server's clock minus ours; NaN for a server that does not tell it.
  #offsets = new Map();

  observe(key, now) {
    const known = now !== null && now !== undefined && Number.isFinite(Number(now));
    if (known) this.#offsets.set(key, Number(now) - performance.now());
    else if (!this.#offsets.has(key)) this.#offsets.set(key, Number.NaN);
  }

  asked(key) {
    return this.#offsets.has(key);
  }

  /** The server's time at the local instant `at`, or "" if the server does not tell its time. */
  at(key, at) {
    const offset = this.#offsets.get(key);
    return offset === undefined || Number.isNaN(offset) ? "" : Math.floor(offset + at);
  }
}

/** Milliseconds from here on, by the greater of both clocks: the monotonic one stands still while the machine sleeps. */
const stopwatch = () => {
  const [monotonic, wall] = [performance.now(), Date.now()];
  return () => Math.max(performance.now() - monotonic, Date.now() - wall);
};

/** Never more than was given; 0 when there is no life to speak of. */
const wholeMilliseconds = (seconds) => {
  const ms = Math.floor(Number(seconds) * 1_000);
  return Number.isSafeInteger(ms) && ms > 0 ? ms : 0;
};

/** What `set` wrote, or null: whatever else is under the key was put there by others. */
export const parse = (value) => {
  // A client may be told to hand strings over as bytes.
  const text = value instanceof Uint8Array ? new TextDecoder().decode(value) : value;
  if (typeof text !== "string") return null;
  try {
    const { token, exp } = JSON.parse(text);
    return typeof token === "string" && typeof exp === "number" ? { token, exp } : null;
  } catch {
    return null;
  }
};

/**
 * The error without what was sent: ioredis puts the command's arguments into `error.command`, Upstash into the message,
 * and the token is one of them. Name, code and the first words of the message are kept.
 */
export function withoutValues(error) {
  const message = typeof error?.message === "string" ? error.message : String(error);
  const words = message.split(/[\n{"]|\["|, command was|\S{64}/, 1)[0].slice(0, 200).trim();
  const code = typeof error?.code === "string" ? error.code : undefined;
  const reduced = new Error(words || code || "the store failed");
  if (typeof error?.name === "string") Object.defineProperty(reduced, "name", { __proto__: null, value: error.name, configurable: true, writable: true });
  if (code !== undefined) reduced.code = code;
  return reduced;
}
