// The package's errors, as its documentation lists them.
import assert from "node:assert/strict";

/** The class of each code. */
export const CLASSES = {
  invalid_options: "InvalidOptionsError",
  bad_request: "BadRequestError",
  unauthorized: "UnauthorizedError",
  rate_limited: "RateLimitError",
  internal_server_error: "InternalServerError",
  unexpected_status: "UnexpectedStatusError",
  invalid_response: "InvalidResponseError",
  network: "NetworkError",
  timeout: "TimeoutError",
  credentials: "CredentialsError",
  unsupported_runtime: "UnsupportedRuntimeError",
};

/** The error that a promise rejects with; a test fails if it resolves. */
export const rejection = (promise) => promise.then(() => assert.fail("it resolved"), (error) => error);
