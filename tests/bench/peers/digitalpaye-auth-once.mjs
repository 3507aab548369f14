// The same package by its function for one exchange, which makes and forgets a client each time.
import { authenticate } from "digitalpaye-auth";

export function client(url) {
  const options = { apiKey: "key", apiSecret: "secret", baseUrl: url };
  return { exchange: () => authenticate(options) };
}
