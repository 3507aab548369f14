// One token for a fleet, in Redis or Valkey.
//
// Every operation is one EVAL: it is atomic, one round trip, and the one command that every client can send to a single
// server, a cluster, a sentinel and over HTTP. Every script also answers with the server's own time, which is what makes
// a write that is carried out late harmless (see `Clock` in remote.js).

import { evaluator } from "./redis-clients.js";
import { remoteStore, withoutValues } from "./remote.js";

const PREFIX = "digitalpaye-auth:";

/** Longer than any token's value: whatever is bigger was not written here, and is not worth moving. */
const VALUE_BYTES = 65_536;

// pcall: a user without the right to call TIME, or a server without it, still gets a store.
const TIME = `
local now = false
local time = redis.pcall('TIME')
if not time.err then now = time[1] * 1000 + math.floor(time[2] / 1000) end
`;
const NO_TIME = `
local now = false
`;

// What is under the key: false if nothing is, '' if it is no string or too big a one. Other errors are answers.
const READ = `
local value = redis.pcall('GET', KEYS[1])
if type(value) == 'table' then
  if not string.find(value.err, 'WRONGTYPE', 1, true) then return value end
  value = ''
end
if value and #value > ${VALUE_BYTES} then value = '' end
`;

// Per operation: what follows the hash in the name of its key, and the script.
const OPERATIONS = {
  time: ["", "return {now}"],

  // The letter keeps a client that parses JSON on its own (Upstash) from doing so.
  get: ["", `${READ}
return {now, value and 'v' .. value, redis.call('PTTL', KEYS[1])}
`],

  // A plain SET: the newest exchange wins, and a key of another type is replaced.
  set: ["", `
local px = tonumber(ARGV[2])
local ending = tonumber(ARGV[3])
if now and ending then px = math.min(px, ending - now) end
if px < 1 then return {now, 0} end
redis.call('SET', KEYS[1], ARGV[1], 'PX', string.format('%d', px))
return {now, 1}
`],

  delete: ["", `
if ARGV[1] then
${READ}
  local decoded, entry = pcall(cjson.decode, value)
  if not decoded or type(entry) ~= 'table' or entry.token ~= ARGV[1] then return {now, 0} end
end
return {now, redis.call('DEL', KEYS[1])}
`],

  acquire: [":lease", `
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return {now, 1} end
${READ}
if value ~= ARGV[1] then return {now, 0} end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {now, 1}
`],

  release: [":lease", `${READ}
if value ~= ARGV[1] then return {now, 0} end
return {now, redis.call('DEL', KEYS[1])}
`],

  shorten: ["", `${READ}
if value ~= ARGV[1] then return {now, 0} end
if redis.call('PTTL', KEYS[1]) > tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return {now, 1}
`],
};

/** How a server says that a script may not ask for the time, or may not write once it has. */
const FORBIDS_TIME = /non.?deterministic|\btime\b.*(not allowed|not supported|unsupported|unknown)|(not allowed|not supported|unsupported|unknown).*\btime\b/i;

export function redisStore(client, options = {}) {
  const evaluate = evaluator(client);
  const prefix = readPrefix(options);
  let timed = true;

  return remoteStore(async (operation, key, ...args) => {
    const [suffix, script] = OPERATIONS[operation];
    // The braces are a cluster's hash tag: a key's entry and its lease are on one server, and go by one clock.
    const keys = [`${prefix}{${key}}${suffix}`];
    const run = (head) => evaluate(head + script, keys, args.map(String));
    let answer;
    try {
      answer = await run(timed ? TIME : NO_TIME);
    } catch (error) {
      if (!timed || !FORBIDS_TIME.test(withoutValues(error).message)) throw error;
      answer = await run(NO_TIME);
      timed = false;
    }
    if (operation === "get" && Array.isArray(answer)) return [answer[0], withoutLetter(answer[1]), answer[2]];
    return answer;
  });
}

function readPrefix(options) {
  if (options === null || typeof options !== "object") {
    throw new TypeError("redisStore(client, options): options must be an object, such as { prefix: \"shop:\" }");
  }
  const { prefix = PREFIX } = options;
  if (typeof prefix !== "string") throw new TypeError("redisStore(client, { prefix }): prefix must be a string");
  return prefix;
}

const withoutLetter = (value) => (typeof value === "string" || value instanceof Uint8Array ? value.slice(1) : value);
