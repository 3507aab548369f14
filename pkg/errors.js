// The errors that calls reject with. One class a code; `AuthError` stands for all of them. What is exported here, every entry exports.
import { hasOwn } from "./own.js";

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
/** Names are set by hand: a minifier changes those that are written. */
function named(constructor, name, code) {
  Object.defineProperty(constructor, "name", { __proto__: null, value: name, configurable: true });
  Object.defineProperty(constructor.prototype, "name", { __proto__: null, value: name, configurable: true, writable: true });
  Object.defineProperty(constructor, BRAND, { __proto__: null, value: code });
  Object.defineProperty(constructor.prototype, BRAND, { __proto__: null, value: code });
  return constructor;
}

named(AuthError, "AuthError", ANY);
const derived = (name, code) => named(class extends AuthError {}, name, code);

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
