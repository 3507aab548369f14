// Bun's fetch has a member, `preconnect`, which a function of one's own need not have.
import { DigitalpayeAuth, authenticate } from "digitalpaye-auth";
import { createEmulator } from "digitalpaye-auth/emulator";

const keys = { apiKey: "key", apiSecret: "secret" };

authenticate({ ...keys, fetch: (url, init) => fetch(url, init) });
authenticate({ ...keys, fetch: async (url) => new Response(String(url)) });
authenticate({ ...keys, fetch });
authenticate({ ...keys, apiSecret: ({ signal }) => Bun.file("/run/secrets/digitalpaye").text().then((text) => (signal.aborted ? "" : text.trim())) });
// @ts-expect-error: it resolves to a Response
authenticate({ ...keys, fetch: async () => "text" });

const emulator = createEmulator();
const auth = new DigitalpayeAuth({ ...emulator.credentials, fetch: emulator.fetch });
export const response: Promise<Response> = auth.fetch("v1/balance", { method: "POST", body: "{}" });
export const server = Bun.serve({ fetch: async () => Response.json(await auth.getToken()) });
export const handed: (...args: Parameters<typeof fetch>) => Promise<Response> = auth.fetch;
auth.getToken({ signal: AbortSignal.timeout(1) });
