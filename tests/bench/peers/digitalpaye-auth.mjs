import { DigitalpayeAuth } from "digitalpaye-auth";

export function client(url) {
  const auth = new DigitalpayeAuth({ apiKey: "key", apiSecret: "secret", baseUrl: url });
  const force = { forceRefresh: true };
  return { exchange: () => auth.getToken(force), read: () => auth.getToken() };
}
