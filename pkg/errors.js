// The errors that calls reject with. One class a code; `AuthError` stands for all of them.

/** Marks our errors across copies of this package: two copies in one process have two sets of classes. */
const BRAND = Symbol.for("digitalpaye-auth.error");

export class AuthError extends Error {
  constructor(message, fields = {}) {
    super(message, "cause" in fields ? { cause: fields.cause } : undefined);
    const code = this.constructor[BRAND];
    this.code = code === ANY ? fields.code : code;
    this.retryable = RETRYABLE.has(this.code) || (this.code === "unexpected_status" && fields.status === 408);
    this.attempts = fields.attempts ?? 0;
    for (const name of ["status", "reason", "retryAfter", "option"]) {
      if (fields[name] !== undefined) this[name] = fields[name];
    }
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
    if (!Object.hasOwn(this, BRAND)) return Function.prototype[Symbol.hasInstance].call(this, value);
    return AuthError.is(value) && (this[BRAND] === ANY || value[BRAND] === this[BRAND]);
  }
}

const ANY = "auth_error";
const RETRYABLE = new Set(["rate_limited", "internal_server_error", "network", "timeout"]);
const CLASSES = new Map();

/** Names are set by hand: a minifier changes those that are written. */
function named(constructor, name, code) {
  Object.defineProperty(constructor, "name", { value: name, configurable: true });
  Object.defineProperty(constructor.prototype, "name", { value: name, configurable: true, writable: true });
  Object.defineProperty(constructor, BRAND, { value: code });
  Object.defineProperty(constructor.prototype, BRAND, { value: code });
  CLASSES.set(code, constructor);
  return constructor;
}

named(AuthError, "AuthError", ANY);
export const InvalidOptionsError = named(class extends AuthError {}, "InvalidOptionsError", "invalid_options");
export const BadRequestError = named(class extends AuthError {}, "BadRequestError", "bad_request");
export const UnauthorizedError = named(class extends AuthError {}, "UnauthorizedError", "unauthorized");
export const RateLimitError = named(class extends AuthError {}, "RateLimitError", "rate_limited");
export const InternalServerError = named(class extends AuthError {}, "InternalServerError", "internal_server_error");
export const UnexpectedStatusError = named(class extends AuthError {}, "UnexpectedStatusError", "unexpected_status");
export const InvalidResponseError = named(class extends AuthError {}, "InvalidResponseError", "invalid_response");
export const NetworkError = named(class extends AuthError {}, "NetworkError", "network");
export const TimeoutError = named(class extends AuthError {}, "TimeoutError", "timeout");

/** The error of a code. Its message is for people: what is wrong, the status, and the API's own words. */
export function errorOf(code, what, fields) {
  const status = fields.status === undefined ? "" : ` (status ${fields.status})`;
  const reason = fields.reason === undefined ? "" : `: ${fields.reason}`;
  return new (CLASSES.get(code))(what + status + reason, fields);
}

/**
 * What to keep of a value that `fetch` rejected with: the very value, unless undici's parser put bytes of the reply
 * into it, which may hold a token. Then it is an error of the same name, message and code, and so is all around it.
 */
export function withoutReply(value) {
  try {
    const chain = [];
    // Not by instanceof: the error may come from another realm.
    for (let error = value; typeof error === "object" && error !== null && chain.length < 16; error = error.cause) {
      chain.push(error);
    }
    if (!chain.some(isOfParser)) return value;
    return chain.reduceRight((cause, error) => {
      const copy = new Error(error.message, cause && { cause });
      Object.defineProperty(copy, "name", { value: error.name, configurable: true, writable: true });
      if (error.code !== undefined) copy.code = error.code;
      return copy;
    }, undefined);
  } catch {
    return value;
  }
}

/** Older releases of undici give the parser's code, newer ones the name alone. */
const isOfParser = ({ name, code }) => name === "HTTPParserError" || (typeof code === "string" && code.startsWith("HPE_"));
