// Two copies of the package in one process: classes of either know the errors of both.
import * as imported from "digitalpaye-auth";
import * as importedEmulator from "digitalpaye-auth/emulator";
import { createRequire } from "node:module";
import { controlOf } from "./control.mjs";

const baseUrl = process.env.BASE_URL;
const require = createRequire(import.meta.url);
const required = require("digitalpaye-auth");
const requiredEmulator = require("digitalpaye-auth/emulator");
const cases = [];

async function test(name, body) {
  let error;
  await Promise.resolve().then(body).catch((reason) => (error = String(reason)));
  cases.push({ name, passed: error === undefined, error });
}

function check(holds, what) {
  if (!holds) throw new Error(`expected ${what}`);
}

await controlOf(baseUrl).reset();
await test("they are two copies", () => check(imported.AuthError !== required.AuthError, "different classes"));
for (const [one, other, direction] of [[imported, required, "import to require"], [required, imported, "require to import"]]) {
  await test(`instanceof and AuthError.is hold from ${direction}`, async () => {
    const wrong = { apiKey: "sandbox_key", apiSecret: "wrong", baseUrl };
    const error = await one.authenticate(wrong).catch((reason) => reason);
    check(error instanceof other.UnauthorizedError, "instanceof its class");
    check(error instanceof other.AuthError, "instanceof AuthError");
    check(!(error instanceof other.NetworkError), "not instanceof another class");
    check(other.AuthError.is(error), "AuthError.is");
  });
  await test(`a token out of the store of ${direction}`, async () => {
    const entries = new Map();
    const store = { get: async (key) => entries.get(key), set: async (key, token) => void entries.set(key, token) };
    const options = { apiKey: "sandbox_key", apiSecret: "sandbox_secret", baseUrl, store };
    const { token } = await new one.DigitalpayeAuth(options).getToken();
    for (let wait = 0; entries.size === 0 && wait < 100; wait += 1) await new Promise((done) => setTimeout(done, 10));
    check((await new other.DigitalpayeAuth(options).getToken()).token === token, "the same token");
  });
}
for (const [{ DigitalpayeAuth }, { createEmulator }, what] of [
  [imported, requiredEmulator, "an imported client, a required emulator"], [required, importedEmulator, "a required client, an imported emulator"],
]) {
  await test(what, async () => {
    const emulator = createEmulator();
    const auth = new DigitalpayeAuth({ ...emulator.credentials, fetch: emulator.fetch });
    await auth.getToken();
    emulator.advance(600);
    check((await auth.fetch("/v1/balance")).status === 200, "a balance");
  });
}
console.log(JSON.stringify({ cases, hides: [], versions: process.versions }));
