// The errors that Rust rejects calls with: it says which and why, and the classes are in errors.js.
import * as classes from "./errors.js";
import { hasOwn } from "./own.js";

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
  return new (classOf(code))(message, fields);
}

// By the mark that errors.js puts on each.
const classOf = (code) => Object.values(classes).find((constructor) => constructor[Symbol.for("digitalpaye-auth.error")] === code);

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
