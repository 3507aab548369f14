// What every token, error and event must be, and what none may show.
import { leak } from "../lib/leaks.mjs";
import { CODES, OPTIONS, isB64token, isRetryable } from "./oracle.mjs";

export const isObject = (value) => (typeof value === "object" && value !== null) || typeof value === "function";
export const base64 = (text) => Buffer.from(text).toString("base64");

/** Texts that must not be seen, and the forms in which they could. */
export function marksOf({ secret, token }) {
  // Base64 of what stands at any of the three places; the first and last digits depend on what is around.
  const encoded = [0, 1, 2].map((before) => base64(`${"k".repeat(before)}${secret}`).slice(before === 0 ? 0 : before + 1, -4));
  const credentials = [secret, ...encoded, encodeURIComponent(secret), Buffer.from(secret).toString("hex")];
  return { secret, token, credentials, all: [...credentials, token] };
}

/** A value in words, whatever it is. */
export function describe(value) {
  try {
    if (value instanceof Error) return `${value.stack}`.slice(0, 600);
    return typeof value === "object" || typeof value === "function" ? `a value of the type ${typeof value}` : String(value).slice(0, 50);
  } catch {
    return "what cannot be looked at";
  }
}

export function isToken(world, value, kind) {
  const isPlain = typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype && Object.isFrozen(value)
    && Reflect.ownKeys(value).join() === "token,exp";
  if (!isPlain) return world.problem(`${kind} gave what is no frozen { token, exp }: ${describe(value)}`);
  if (!isB64token(value.token)) world.problem(`${kind} gave a token that is no b64token`);
  if (!world.issued.has(value.token)) world.problem(`${kind} gave a token that nobody had issued`);
  if (!Number.isSafeInteger(value.exp)) world.problem(`${kind} gave an exp that is no whole number: ${String(value.exp)}`);
  return undefined;
}

export function isError(world, error, where) {
  const { AuthError } = world.api;
  if (!AuthError.is(error) || !(error instanceof AuthError) || !(error instanceof Error)) return world.problem(`${where} ended with what is no AuthError: ${describe(error)}`);
  const { code, name, option, attempts, retryable, status } = error;
  if (CODES[code] !== name || !(error instanceof world.api[name])) world.problem(`${where} ended with the code ${code} and the name ${name}`);
  if ((code === "invalid_options") !== OPTIONS.includes(option)) world.problem(`${where}: ${code} names the option ${option}`);
  if (!Number.isInteger(attempts) || attempts < 0 || (code === "invalid_options" && attempts !== 0)) world.problem(`${where}: ${code} after ${attempts} attempts`);
  if (retryable !== isRetryable(code, status)) world.problem(`${where}: ${code} is ${retryable ? "" : "not "}retryable`);
  if (typeof error.stack !== "string" || !error.stack.includes(name)) world.problem(`${where}: ${code} has no stack`);
  seen(world, error, where);
  return undefined;
}

/** Whether anything can be seen that must not: by loggers, serializers, or whoever looks further. */
export function seen(world, object, where) {
  const texts = world.marks.all;
  const look = (text) => texts.some((mark) => text.includes(mark));
  const own = (error, depth) => {
    if (depth > 4 || !isObject(error)) return typeof error === "string" && look(error);
    let keys;
    try {
      keys = Reflect.ownKeys(error);
    } catch {
      return false;
    }
    return keys.some((key) => {
      try {
        return own(error[key], depth + 1);
      } catch {
        return false;
      }
    });
  };
  // The API's own words may hold a part of the secret, untouched: not the whole of it.
  const { reason } = object;
  if (typeof reason === "string" && look(reason) && !reason.includes(world.secret) && !reason.includes(world.basic)) return undefined;
  // The stack has name and message at its head.
  const shows = own(object, 0);
  if (shows) return world.problem(`${where}: ${object.code ?? ""} shows what it must not`);
  if (!world.isSampled(object)) return undefined;
  const seen = leak(object, texts);
  // Not what it shows: world is printed.
  if (seen) world.problem(`${where}: ${object.code ?? ""} shows what it must not, in ${seen.split(" shows ")[0]}`);
  return undefined;
}
