// What `onEvent` gets. The wasm module says what happened (src/web/event.rs); nothing secret leaves here.

/** An event is frozen. A `cause` is the store's own error, and not enumerable. */
export function eventOf(members, cause, secrets) {
  if (members.problem === "rejected") {
    Object.defineProperty(members, "cause", { __proto__: null, value: withoutSecrets(cause, secrets) });
  }
  return Object.freeze(members);
}

/** How deep an error is searched. */
const DEPTH = 4;

/**
 * Some clients' errors repeat the command that failed, with the token in it: Upstash's in the message, ioredis' in a member.
 * Such an error is reduced to one of the same name and code, with its first words.
 */
function withoutSecrets(error, secrets) {
  try {
    if (!repeats(error, secrets, DEPTH)) return error;
    const { name, message, code } = Object(error);
    const words = typeof error === "string" ? error : String(message);
    const copy = new Error(firstWords(words, secrets));
    if (typeof name === "string" && !repeats(name, secrets, 0)) Object.defineProperty(copy, "name", { __proto__: null, value: name, configurable: true, writable: true });
    if (typeof code === "string" && !repeats(code, secrets, 0)) Object.defineProperty(copy, "code", { __proto__: null, value: code, configurable: true, enumerable: true, writable: true });
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

function repeats(value, secrets, depth) {
  if (typeof value === "string") return secrets.some((secret) => typeof secret === "string" && value.includes(secret));
  if (ArrayBuffer.isView(value)) return repeats(new TextDecoder().decode(value), secrets, 0);
  if (depth === 0 || value === null || (typeof value !== "object" && typeof value !== "function")) return false;
  return Reflect.ownKeys(value).some((name) => repeats(value[name], secrets, depth - 1));
}
