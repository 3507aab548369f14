import { AuthError } from "digitalpaye-auth";

/** What a test looks at in an error, as JSON. */
export const describe = (error) => ({
  error: {
    name: error?.name,
    class: error?.constructor?.name,
    message: String(error?.message ?? error),
    code: error?.code,
    status: error?.status,
    reason: error?.reason,
    option: error?.option,
    retryable: error?.retryable,
    retryAfter: error?.retryAfter,
    attempts: error?.attempts,
    instanceOfAuthError: error instanceof AuthError,
    isAuthError: AuthError.is(error),
    hasCause: error?.cause !== undefined,
  },
});
