// Values that nobody should hand over, described in JSON so that an input can be kept: `wild` draws a description,
// `build` makes the value. `{ "$": kind }` is a kind below; every other JSON value stands for itself.
import { Script, createContext } from "node:vm";

const realm = createContext({});
/** What another realm makes: the same things, and `instanceof` says no. */
export const REALM = [
  "'text'", "({})", "[]", "() => {}", "(function () { throw new Error('theirs'); })", "new String('x')", "Symbol('s')",
  "new Error('theirs')", "Promise.resolve(1)", "Promise.resolve({ status: 200 })", "new Uint8Array(4)", "new ArrayBuffer(4)",
  "new Date(0)", "Object.create(null)", "new Map()", "new Proxy({}, {})", "class {}", "5", "null",
].map((code) => new Script(`(${code})`));
export const foreign = (index) => REALM[index % REALM.length].runInContext(realm);

const TARGETS = {
  object: () => ({}),
  array: () => [],
  function: () => () => {},
  class: () => class {},
  string: () => new String("x"),
  url: () => new URL("https://h.example"),
  signal: () => new AbortController().signal,
  response: () => new Response("{}"),
};

function boom() {
  throw new RangeError("boom");
}

/** Every trap throws. */
const trapping = new Proxy({}, { get: () => boom });

const KINDS = {
  undefined: () => undefined,
  nan: () => NaN,
  infinity: ({ sign = 1 }) => sign * Infinity,
  zero: () => -0,
  bigint: () => 5n,
  symbol: () => Symbol("s"),
  boom: () => boom,
  huge: ({ unit, times }) => unit.repeat(times),
  boxed: ({ value }) => Object(value),
  object: ({ members = {} }, world) => Object.defineProperties({}, Object.fromEntries(
    Object.entries(members).map(([name, value]) => [name, property(value, world)]),
  )),
  list: ({ items = [] }, world) => items.map((item) => build(item, world)),
  trapped: ({ of = "object" }) => new Proxy(TARGETS[of](), trapping),
  revoked: ({ of = "object" }) => {
    const { proxy, revoke } = Proxy.revocable(TARGETS[of](), {});
    revoke();
    return proxy;
  },
  through: ({ of = "object" }) => new Proxy(TARGETS[of](), {}),
  plain: ({ of = "object" }) => TARGETS[of](),
  realm: ({ index }) => foreign(index),
  converting: () => ({
    [Symbol.toPrimitive]: boom, toString: boom, valueOf: boom, toJSON: boom,
    get then() { return boom(); },
    get [Symbol.toStringTag]() { return boom(); },
  }),
  tagged: ({ tag, members = {} }, world) => Object.defineProperty(KINDS.object({ members }, world), Symbol.toStringTag, { value: tag }),
  error: ({ name = "Error", code, message = "theirs", cause }, world) => {
    const error = new Error(world?.expand(message) ?? message, cause === undefined ? undefined : { cause: build(cause, world) });
    error.name = name;
    if (code !== undefined) error.code = code;
    return error;
  },
  // What undici's parser rejects with: bytes of the reply are in it.
  parser: ({ depth = 0, name = "HTTPParserError", code, text }, world) => {
    let error = new Error("Invalid header token");
    Object.assign(error, { name, code, data: world.expand(text) });
    for (let left = depth; left > 0; left -= 1) error = new TypeError("fetch failed", { cause: error });
    return error;
  },
  promise: ({ value }, world) => {
    const promise = Promise.resolve(build(value, world));
    // One that rejects is nobody's fault but ours.
    promise.catch(() => {});
    return promise;
  },
  bytes: ({ size = 8 }) => new Uint8Array(size),
};

/** The value of a description. `world` is the execution that it is part of. */
export function build(description, world) {
  if (typeof description === "string") return world ? world.expand(description) : description;
  if (typeof description !== "object" || description === null) return description;
  const make = KINDS[description.$];
  return make ? make(description, world) : world.build(description);
}

/** A property's descriptor: of a value, or of a getter that throws, changes its mind, or calls the package. */
export function property(description, world) {
  const enumerable = true;
  const configurable = true;
  switch (description?.$) {
    case "throws": {
      const thrown = build(description.value, world);
      world.thrown.push(thrown);
      return { enumerable, configurable, get() { throw thrown; } };
    }
    case "changes": {
      let asked = 0;
      const values = description.values.map((value) => build(value, world));
      return { enumerable, configurable, get: () => values[Math.min((asked += 1), values.length) - 1] };
    }
    case "acts": {
      const value = build(description.value, world);
      return { enumerable, configurable, get: () => (world.act(description.act), value) };
    }
    // Calls itself by way of the package, until the stack ends.
    case "recurses": {
      const value = build(description.value, world);
      return { enumerable, configurable, get() { return world.recurse(this) ?? value; } };
    }
    default:
      return { enumerable, configurable, writable: true, value: build(description, world) };
  }
}

/** What is read of a property, the first time; `{ throws }` if that throws. */
export function firstOf(description, world) {
  switch (description?.$) {
    case "throws": return { throws: true };
    case "changes": return { value: build(description.values[0], world) };
    case "acts": case "recurses": return { value: build(description.value, world) };
    default: return { value: build(description, world) };
  }
}

const TEXTS = ["", " ", "text", "a:b", "\u0000", "a\u001fb", "a\u007f", "\ud800", "x\udc00y", "é", "\u{1f600}", "line\nbreak", "https://h.example",
  "http://h.example", "http://127.0.0.1:9", "https://u:p@h.example", "https://h.example?q", "https://h.example#f", "ftp://h.example", "//h", "null"];
const PLAIN = [null, true, false, 0, 1, -1, 0.5, 200, 2 ** 53, 1e21];
const OF = Object.keys(TARGETS);

/** Draws a description of anything. */
export function wild(dice, depth = 0) {
  const { below, chance, pick } = dice;
  switch (below(depth > 2 ? 12 : 18)) {
    case 0: case 1: return pick(PLAIN);
    case 2: case 3: return pick(TEXTS);
    case 4: return { $: pick(["undefined", "nan", "zero", "bigint", "symbol", "boom"]) };
    case 5: return { $: "infinity", sign: pick([1, -1]) };
    case 6: return { $: "trapped", of: pick(OF) };
    case 7: return { $: "revoked", of: pick(OF) };
    case 8: return { $: pick(["through", "plain"]), of: pick(OF) };
    case 9: case 10: return { $: "realm", index: below(REALM.length) };
    case 11: return { $: "converting" };
    case 12: return { $: "boxed", value: pick([5, true, "text"]) };
    case 13: return { $: "list", items: Array.from({ length: below(3) }, () => wild(dice, depth + 1)) };
    case 14: return { $: "object", members: Object.fromEntries(Array.from({ length: below(3) }, () => [pick(["a", "then", "status", "token", "exp", "done", "value", "get", "toJSON"]), inner(dice, depth)])) };
    case 15: return { $: "tagged", tag: pick(["AbortSignal", "URL", "Request", "Response", "Promise"]), members: chance(0.5) ? { aborted: false, href: "https://h.example" } : {} };
    case 16: return { $: "error", name: pick(["Error", "AbortError", "HTTPParserErr"]), ...(chance(0.3) && { cause: wild(dice, depth + 1) }) };
    default: return chance(0.02) ? { $: "huge", unit: pick(["a", "é", "\ud800"]), times: pick([1_000, 70_000]) } : { $: "promise", value: wild(dice, depth + 1) };
  }
}

function inner(dice, depth) {
  return dice.chance(0.15) ? { $: "throws", value: wild(dice, depth + 1) } : wild(dice, depth + 1);
}
