// What every entry exports.
export { authenticate, DigitalpayeAuth } from "./auth.js";
export * from "./errors.js";
