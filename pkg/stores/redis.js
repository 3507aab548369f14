// One token for a fleet, in Redis.
//
// Every operation is one EVAL: it is atomic, one round trip, and the one call that has the same form in every release
// of the `redis` package and for a single server, a cluster, a sentinel and a pool. Every script also answers with
// Redis' own time, which is what makes a write that Redis runs late harmless (see `Clock`).

const PREFIX = "digitalpaye-auth:";
const ENTRY = "";
const LEASE = ":lease";

/** How long a caller waits for one answer at most. */
const ANSWER_MS = 2_000;

/** Longer than any token's value: whatever is bigger was not written here, and is not worth moving. */
const VALUE_BYTES = 65_536;

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

// pcall: a key that holds a list or a hash is a miss, and would be an error otherwise.
const GET = `${NOW}
local value = redis.pcall('GET', KEYS[1])
if type(value) ~= 'string' or #value > ${VALUE_BYTES} then value = false end
return {now, value, redis.call('PTTL', KEYS[1])}
`;

// A plain SET: the newest exchange wins, and a key of another type is replaced.
const SET = `${NOW}
local px = tonumber(ARGV[2])
local ending = tonumber(ARGV[3])
if ending then px = math.min(px, ending - now) end
if px < 1 then return {now, 0} end
redis.call('SET', KEYS[1], ARGV[1], 'PX', string.format('%d', px))
return {now, 1}
`;

const DELETE = `${NOW}
return {now, redis.call('DEL', KEYS[1])}
`;

const ACQUIRE = `${NOW}
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return {now, 1} end
return {now, 0}
`;

const RELEASE = `${NOW}
if redis.pcall('GET', KEYS[1]) ~= ARGV[1] then return {now, 0} end
return {now, redis.call('DEL', KEYS[1])}
`;

export function redisStore(client) {
  // ioredis and others have an `eval` too, of another form: told apart here, once, where it can be said in words.
  if (client === null || typeof client !== "object" || typeof client.eval !== "function" || typeof client.isOpen !== "boolean") {
    throw new TypeError("redisStore(client): client must be a client of the npm package `redis` (4 or later)");
  }

  const clock = new Clock();
  const owners = new Map();

  // The braces are a cluster's hash tag: a key's entry and its lease are on one server, and go by one clock.
  const run = async (script, key, suffix, ...args) => {
    // While it is not connected the client queues what it is asked to send. A caller here has an exchange to fall
    // back on, and what is queued now would be carried out when nobody wants it any more.
    if (client.isReady === false) throw new Error("the Redis client is not connected");
    const [now, ...answer] = await client.eval(script, {
      keys: [`${PREFIX}{${key}}${suffix}`],
      arguments: args.map(String),
    });
    clock.observe(key, Number(now));
    return answer;
  };

  return {
    async get(key) {
      const asked = performance.now();
      const [value, pttl] = await run(GET, key, ENTRY);
      const token = parse(value);
      if (token === null || Number(pttl) === -1) return token;
      // Redis counted at some moment after the question was put; all the time since then counts as used up.
      const left = Number(pttl) - (performance.now() - asked);
      return left > 0 ? { ...token, ttlSeconds: left / 1_000 } : null;
    },

    async set(key, { token, exp }, ttlSeconds) {
      const px = wholeMilliseconds(ttlSeconds);
      if (px > 0) await run(SET, key, ENTRY, JSON.stringify({ token, exp }), px, clock.in(key, px));
    },

    async delete(key) {
      await run(DELETE, key, ENTRY);
    },

    async acquire(key, ttlSeconds) {
      const px = wholeMilliseconds(ttlSeconds);
      if (px === 0) return false;
      const owner = crypto.randomUUID();
      const asked = performance.now();
      const [granted] = await run(ACQUIRE, key, LEASE, owner, px);
      if (Number(granted) !== 1) return false;
      // The caller has gone its own way by now: nobody is to wait for it.
      if (performance.now() - asked > ANSWER_MS) {
        await run(RELEASE, key, LEASE, owner);
        return false;
      }
      owners.set(key, owner);
      return true;
    },

    async release(key) {
      const owner = owners.get(key);
      if (owner === undefined) return;
      owners.delete(key);
      await run(RELEASE, key, LEASE, owner);
    },
  };
}

/**
 * A lower bound of Redis' clock, from the last time that it told us.
 *
 * A server that is paused, or a network that stalls, carries a command out seconds or minutes after it was sent. `PX`
 * counts from that moment, so a late SET would keep a token beyond its life. The script is therefore also given the
 * token's end by Redis' clock, and takes the shorter. Local clocks play no part: the local share is
 * `performance.now()`, which nobody sets, and the bound is too low by the reply's way back, so what is computed from it
 * errs on the short side.
 *
 * Kept per key, because in a cluster each key has its own server, with its own clock.
 */
class Clock {
  #offsets = new Map();

  observe(key, now) {
    if (Number.isFinite(now)) this.#offsets.set(key, now - performance.now());
  }

  /** The instant `ms` from now by Redis' clock, or "" as long as Redis has not told its time. */
  in(key, ms) {
    const offset = this.#offsets.get(key);
    return offset === undefined ? "" : Math.floor(offset + performance.now() + ms);
  }
}

/** Never more than was given; 0 when there is no life to speak of. */
const wholeMilliseconds = (seconds) => {
  const ms = Math.floor(Number(seconds) * 1_000);
  return Number.isSafeInteger(ms) && ms > 0 ? ms : 0;
};

/** What `set` wrote, or null: whatever else is under the key was put there by others, and is a miss. */
const parse = (value) => {
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
