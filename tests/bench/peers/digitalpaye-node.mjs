import DigitalPaye from "digitalpaye-node";

export function client(url) {
  const { auth, client: held } = new DigitalPaye({ publicKey: "key", secret: "secret", baseUrl: url });
  // What each of its requests waits for first.
  return { exchange: async () => ({ token: await auth.refreshToken() }), read: async () => ({ token: await held._ensureToken() }) };
}
