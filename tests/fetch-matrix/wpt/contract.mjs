// The tests whose outcome has to differ, since auth.fetch sets headers of its own.
const reasons = [
  [/^api\/credentials\/authentication-basic\.any\.js: User-added Authorization header with/, "Authorization is the client's, over the caller's"],
  [/^api\/credentials\/authentication-redirection\.any\.js: getAuthorizationHeaderValue - no redirection$/, "Authorization is the client's, over the caller's"],
];

/** Why this test differs by contract, or undefined. */
export const contractual = (name) => reasons.find(([pattern]) => pattern.test(name))?.[1];
