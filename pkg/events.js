// What `onEvent` gets. The wasm module says what happened (src/web/event.rs); nothing secret leaves here.

/** An event is frozen. A `cause` is the store's own error, and not enumerable. A secret that is no string is none. */
export function eventOf(members, cause, ...secrets) {
  if (members.problem === "rejected") {
    const value = withoutSecrets(cause, secrets.filter((secret) => typeof secret === "string"));
    Object.defineProperty(members, "cause", { __proto__: null, value });
  }
  return Object.freeze(members);
}

/** So many values of an error are searched; one with more is not known to be harmless. */
const MOST = 5_000;

/**
 * Some clients' errors repeat the command that failed, with the token in it: Upstash's in the message, ioredis' in a member.
 * Such an error is reduced to one of the same name and code, with its first words.
 */
function withoutSecrets(error, secrets) {
  try {
    if (!repeats(error, secrets)) return error;
    const { name, message, code } = Object(error);
    const words = typeof error === "string" ? error : String(message);
    const copy = new Error(firstWords(words, secrets));
    if (typeof name === "string" && !repeats(name, secrets)) Object.defineProperty(copy, "name", { __proto__: null, value: name, configurable: true, writable: true });
    if (typeof code === "string" && !repeats(code, secrets)) Object.defineProperty(copy, "code", { __proto__: null, value: code, configurable: true, enumerable: true, writable: true });
    return copy;
  } catch {
    // A proxy that does not let itself be asked, or a getter that throws.
    return new Error("an error that cannot be looked into");
  }
}

function firstWords(message, secrets) {
  const ends = ["command was", ...secrets].map((part) => message.indexOf(part)).filter((index) => index >= 0);
  return message.slice(0, Math.min(200, ...ends)).replace(/[\s,:;("'[{]+$/, "");
}

/** Whether any of the secrets is in a value, or in anything that it leads to. */
function repeats(root, secrets) {
  const queue = [root];
  const seen = new Set(queue);
  const visit = (value) => {
    if (!seen.has(value)) queue.push(value);
    seen.add(value);
  };
  for (const value of queue) {
    if (seen.size > MOST || (typeof value === "string" && secrets.some((secret) => value.includes(secret)))) return true;
    if (value === null || (typeof value !== "object" && typeof value !== "function")) continue;
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
      visit(new TextDecoder().decode(value));
      continue;
    }
    if (value instanceof Map || value instanceof Set) for (const entry of value) visit(entry);
    // What a class has for all of its instances is read too: some errors keep their command behind a getter.
    for (let owner = value; owner !== null && owner !== Object.prototype && owner !== Function.prototype; owner = Object.getPrototypeOf(owner)) {
      for (const name of Reflect.ownKeys(owner)) {
        visit(name);
        if (owner === value || Object.getOwnPropertyDescriptor(owner, name).get) visit(value[name]);
      }
    }
  }
  return false;
}
