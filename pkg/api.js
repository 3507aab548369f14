// What every entry exports.
export { authenticate, DigitalpayeAuth } from "./auth.js";
export {
  AuthError,
  BadRequestError,
  CredentialsError,
  InternalServerError,
  InvalidOptionsError,
  InvalidResponseError,
  NetworkError,
  RateLimitError,
  TimeoutError,
  UnauthorizedError,
  UnexpectedStatusError,
  UnsupportedRuntimeError,
} from "./errors.js";
