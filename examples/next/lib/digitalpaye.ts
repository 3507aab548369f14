import "server-only";
import { DigitalpayeAuth } from "digitalpaye-auth";

// On globalThis: Next.js gives pages and routes a copy of this module each, and a new one after each change in development.
const shared = globalThis as { digitalpaye?: DigitalpayeAuth };

// Made by the first request, because `next build` imports this file too and may not have the credentials.
export const auth = () => (shared.digitalpaye ??= DigitalpayeAuth.fromEnv({
  timeout: 10_000,
  onEvent: (event) => console.log("digitalpaye:", event.type, "error" in event ? event.error.code : ""),
}));
