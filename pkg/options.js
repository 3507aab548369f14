// Reads option objects. Every property is read once; whatever a getter does, the answer is options or an error. Types are
// looked at here, values in Rust (src/options.rs).
import { InvalidOptionsError } from "./errors.js";
import { attempt } from "./reply.js";

/** `baseUrl` when none is given. */
const BASE_URL = "https://api.digitalpaye.com";

/** Whether a value is an instance of a platform class; by its tag if it is of another realm. */
export function isA(value, name) {
  return attempt(() => value instanceof globalThis[name] || Object.prototype.toString.call(value) === `[object ${name}]`) === true;
}

function fault(option, what, fields) {
  return new InvalidOptionsError(`${option} ${what}`, { option, ...fields });
}

export const isObject = (value) => value !== null && (typeof value === "object" || typeof value === "function");

function checkObject(value, option) {
  if (!isObject(value)) throw fault(option, "is not an object");
}

/** A property; if its getter throws, `option` is to blame. */
function read(object, name, option = name) {
  try {
    return object[name];
  } catch (cause) {
    throw fault(option, "could not be read", { cause });
  }
}

/** A property of this type. */
function required(type, object, name, option = name) {
  const value = read(object, name, option);
  if (typeof value !== type) throw fault(option, `${option === name ? "" : `has a ${name} that `}is not a ${type}`);
  return value;
}

/** A string that is Unicode text: UTF-8 has no lone surrogates. */
function text(object, name) {
  const value = required("string", object, name);
  if (/\p{Surrogate}/u.test(value)) throw fault(name, "holds a lone surrogate");
  return value;
}

/** A property of this type, or undefined, which alone means the default. */
function optional(type, object, name, option) {
  // Read once: a getter may say something else the next time.
  const value = read(object, name, option);
  return value === undefined ? value : required(type, { [name]: value }, name, option);
}

/** The argument of `authenticate` (`once`), which knows neither store nor `waitUntil`, or of the constructor. */
export function readOptions(options, once) {
  checkObject(options, "options");
  return {
    apiKey: text(options, "apiKey"),
    apiSecret: text(options, "apiSecret"),
    environment: optional("string", options, "environment"),
    url: readUrl(read(options, "baseUrl")),
    timeout: optional("number", options, "timeout"),
    maxRetries: optional("number", options, "maxRetries"),
    fetch: optional("function", options, "fetch"),
    ...readStore(once ? undefined : read(options, "store")),
    waitUntil: once ? undefined : optional("function", options, "waitUntil"),
  };
}

/** What one call wants: the argument of `getToken`, or of `authenticate` (`once`), which knows no `forceRefresh`. */
export function readCall(call, once) {
  if (call === undefined) return { signal: undefined, force: false };
  checkObject(call, "call");
  const signal = read(call, "signal");
  const isSignal = () => isA(signal, "AbortSignal") && typeof signal.aborted === "boolean" && typeof signal.addEventListener === "function";
  if (signal !== undefined && !attempt(isSignal)) throw fault("signal", "is not an AbortSignal");
  return { signal, force: once ? false : optional("boolean", call, "forceRefresh") ?? false };
}

function readUrl(value = BASE_URL) {
  const text = typeof value === "string" ? value : isA(value, "URL") ? attempt(() => value.href) : undefined;
  const url = typeof text === "string" ? attempt(() => new URL(text)) : undefined;
  if (!url) throw fault("baseUrl", "is not a URL");
  return url;
}

function readStore(store) {
  if (store === undefined) return { store, leases: false };
  checkObject(store, "store");
  for (const name of ["get", "set"]) required("function", store, name, "store");
  const [, leases] = ["delete", "acquire", "release"].map((name) => optional("function", store, name, "store"));
  return { store, leases: leases !== undefined };
}
