// What most programs use, in the words of the oldest compiler: it has neither `satisfies` nor `using`.
import { AuthError, DigitalpayeAuth, RateLimitError, authenticate } from "digitalpaye-auth";
import type { AccessToken, AuthEvent, ClientOptions, TokenStore } from "digitalpaye-auth";

const store: TokenStore = { get: async () => undefined, set: async () => {} };
const options: ClientOptions = {
  apiKey: "key", apiSecret: async ({ signal }) => String(signal.aborted), environment: "Sandbox", timeout: 1_000, store,
  onEvent: (event: AuthEvent) => void (event.type === "failure" && event.error.code),
};
export const auth = new DigitalpayeAuth(options);
export const token: Promise<AccessToken> = auth.getToken({ forceRefresh: true });
export const single: Promise<AccessToken> = authenticate({ apiKey: "key", apiSecret: "secret" });
export const fromEnv: DigitalpayeAuth = DigitalpayeAuth.fromEnv({ maxRetries: 0 });
export const later = (error: unknown): number | undefined => (error instanceof RateLimitError ? error.retryAfter : AuthError.is(error) ? error.status : undefined);
auth.invalidate("token");
auth[Symbol.dispose]();
// @ts-expect-error: the secret is required
authenticate({ apiKey: "key" });
// @ts-expect-error: frozen
void token.then((each) => (each.exp = 1));
