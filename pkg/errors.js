// The errors that calls reject with. One class a code; `AuthError` stands for all of them.

/** Object.hasOwn, also for engines without it: what is missing there is said by these errors. */
export const hasOwn = (object, name) => Object.prototype.hasOwnProperty.call(object, name);

/** Marks our errors across copies of this package: two copies in one process have two sets of classes. */
const BRAND = Symbol.for("digitalpaye-auth.error");

export class AuthError extends Error {
  constructor(message, fields = {}) {
    super(message, hasOwn(fields, "cause") ? { cause: fields.cause } : undefined);
    const code = this.constructor[BRAND];
    // Defined, and read as own members: a page may have put members and setters on Object.prototype.
    define(this, "code", code === ANY ? fields.code : code);
    define(this, "attempts", 0);
    for (const name of ["attempts", "status", "reason", "retryAfter", "option"]) {
      if (hasOwn(fields, name)) define(this, name, fields[name]);
    }
    define(this, "retryable", RETRYABLE.has(this.code) || (this.code === "unexpected_status" && this.status === 408));
  }

  /** Whether a value is one of our errors, whichever copy of the package made it. */
  static is(value) {
    try {
      return typeof value === "object" && value !== null && typeof value[BRAND] === "string";
    } catch {
      // A proxy that does not let itself be asked.
      return false;
    }
  }

  static [Symbol.hasInstance](value) {
    // A class that somebody derives from ours has instances of its own only.
    if (!hasOwn(this, BRAND)) return Function.prototype[Symbol.hasInstance].call(this, value);
    return AuthError.is(value) && (this[BRAND] === ANY || value[BRAND] === this[BRAND]);
  }
}

function define(object, name, value) {
  Object.defineProperty(object, name, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
}

const ANY = "auth_error";
const RETRYABLE = new Set(["rate_limited", "internal_server_error", "network", "timeout", "credentials"]);
/** By their codes (`Code` in src/error.rs). */
const CLASSES = new Map();

/** Names are set by hand: a minifier changes those that are written. */
function named(constructor, name, code) {
  Object.defineProperty(constructor, "name", { __proto__: null, value: name, configurable: true });
  Object.defineProperty(constructor.prototype, "name", { __proto__: null, value: name, configurable: true, writable: true });
  Object.defineProperty(constructor, BRAND, { __proto__: null, value: code });
  Object.defineProperty(constructor.prototype, BRAND, { __proto__: null, value: code });
  return constructor;
}

named(AuthError, "AuthError", ANY);
function derived(name, code) {
  const constructor = named(class extends AuthError {}, name, code);
  CLASSES.set(code, constructor);
  return constructor;
}

export const InvalidOptionsError = derived("InvalidOptionsError", "invalid_options");
export const BadRequestError = derived("BadRequestError", "bad_request");
export const UnauthorizedError = derived("UnauthorizedError", "unauthorized");
export const RateLimitError = derived("RateLimitError", "rate_limited");
export const InternalServerError = derived("InternalServerError", "internal_server_error");
export const UnexpectedStatusError = derived("UnexpectedStatusError", "unexpected_status");
export const InvalidResponseError = derived("InvalidResponseError", "invalid_response");
export const NetworkError = derived("NetworkError", "network");
export const TimeoutError = derived("TimeoutError", "timeout");
export const CredentialsError = derived("CredentialsError", "credentials");
export const UnsupportedRuntimeError = derived("UnsupportedRuntimeError", "unsupported_runtime");

/**
 * The error of the class that has this code. Its message is for people: which option, what is wrong, the status, and the
 * API's own words.
 */
export function errorOf(code, what, fields) {
  const { option, status, reason } = { __proto__: null, ...fields };
  let message = option === undefined ? what : `${option} ${what}`;
  if (status !== undefined) message += ` (status ${status})`;
  if (reason !== undefined) message += `: ${reason}`;
  if (hasOwn(fields, "cause")) fields.cause = withoutReply(fields.cause);
  return new (CLASSES.get(code))(message, fields);
}

/**
 * What to keep of a value that `fetch` rejected with: the very value, unless undici's parser put bytes of the reply
 * into it, which may hold a token. Then it is an error of the same name, message and code, and so is all around it.
 */
function withoutReply(value) {
  try {
    const chain = [];
    // Not by instanceof: the error may come from another realm.
    for (let error = value; typeof error === "object" && error !== null && chain.length < 16; error = error.cause) {
      chain.push(error);
    }
    if (!chain.some(isOfParser)) return value;
    return chain.reduceRight((cause, error) => {
      const copy = new Error(error.message, cause && { cause });
      Object.defineProperty(copy, "name", { __proto__: null, value: error.name, configurable: true, writable: true });
      if (error.code !== undefined) Object.defineProperty(copy, "code", { __proto__: null, value: error.code, configurable: true, enumerable: true, writable: true });
      return copy;
    }, undefined);
  } catch {
    return value;
  }
}

/** Older releases of undici give the parser's code, newer ones the name alone. */
const isOfParser = ({ name, code }) => name === "HTTPParserError" || (typeof code === "string" && code.startsWith("HPE_"));
