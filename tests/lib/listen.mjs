// What clients are told, noted down; and the parts that such a client is made of.
import { granted, mint, refused } from "./tokens.mjs";

/** `{ onEvent, events, of(type) }`: every event that a client tells, in order. */
export function listen() {
  const events = [];
  return {
    events,
    onEvent: (event) => void events.push(event),
    of: (type) => events.filter((event) => event.type === type),
  };
}

/** The enumerable members of an event, by which it is told apart. */
export const membersOf = (event) => Object.keys(event).sort();

/** A reply with a token of that life. */
export const tokenReply = (lifetime = 600, options) => new Response(granted(mint(lifetime, options)), { status: 200 });

/** A reply with a failure. */
export const failureReply = (status, headers) => new Response(refused(status), { status, headers });

/**
 * A `fetch` that gives these answers in order, the last one again and again: a Response, or what a function makes of the
 * request's URL and init. `requests` are the inits that it got.
 */
export function answering(...answers) {
  const requests = [];
  const fetch = async (url, init) => {
    requests.push(init);
    const answer = answers[Math.min(requests.length, answers.length) - 1];
    return typeof answer === "function" ? answer(url, init) : answer.clone();
  };
  return { fetch, requests };
}

/** A store in memory with leases; `methods` replace its own. */
export function memoryStore(methods = {}) {
  const entries = new Map();
  const leases = new Set();
  return {
    entries,
    leases,
    get: async (key) => entries.get(key) ?? null,
    set: async (key, token) => void entries.set(key, token),
    delete: async (key) => void entries.delete(key),
    acquire: async (key) => !leases.has(key) && !!leases.add(key),
    release: async (key) => void leases.delete(key),
    ...methods,
  };
}
