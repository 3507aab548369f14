// The emulator, with a client and by itself.
import { DigitalpayeAuth } from "digitalpaye-auth";
import { createEmulator } from "digitalpaye-auth/emulator";
import type { Behaviour, Emulator, EmulatorConfig, RecordedRequest } from "digitalpaye-auth/emulator";

const config: EmulatorConfig = { apiKey: "key", apiSecret: "secret", lifeSeconds: 60, companyId: "company" };
const emulator: Emulator = createEmulator(config);
createEmulator();
const auth = new DigitalpayeAuth({ ...emulator.credentials, fetch: emulator.fetch });
const steps: readonly Behaviour[] = [
  { status: 503, times: 2, delayMs: 10, headers: { "X-A": "b" }, body: { any: ["thing"] } },
  { path: "/v1/balance", retryAfter: 5 }, { retryAfter: "Wed, 21 Oct 2026 07:28:00 GMT" }, { hang: true }, { reject: true },
];
emulator.script(steps);
emulator.advance(600);
emulator.revoke();
emulator.revoke("token");
emulator.reset();
export const seen: RecordedRequest[] = emulator.requests();
export const status: number | undefined = seen[0]?.status;
export const { apiKey }: { readonly apiKey: string } = emulator.credentials;
export const token = auth.getToken();

// @ts-expect-error an unknown field
createEmulator({ apikey: "key" });
// @ts-expect-error null is no config
createEmulator(null);
// @ts-expect-error an unknown field
emulator.script([{ stauts: 503 }]);
// @ts-expect-error a status is a number
emulator.script([{ status: "503" }]);
// @ts-expect-error there is no false
emulator.script([{ hang: false }]);
// @ts-expect-error a header is a string
emulator.script([{ headers: { "X-A": 1 } }]);
// @ts-expect-error seconds are needed
emulator.advance();
// @ts-expect-error it cannot be changed
emulator.fetch = emulator.fetch;
