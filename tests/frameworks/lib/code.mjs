// What the cells' projects have in common: a client, and what they ask.

export const IMPORT = 'import { DigitalpayeAuth } from "digitalpaye-auth";\n';
export const REQUIRE = 'const { DigitalpayeAuth } = require("digitalpaye-auth");\n';

/** `auth` and `balance()`, which answers what a cell's server has to answer. */
export const CLIENT = `
const auth = DigitalpayeAuth.fromEnv();

const balance = async () => {
  const response = await auth.fetch("v1/balance");
  return { status: response.status, body: await response.json() };
};
`;

/** A server of Node.js alone, for cells that are about something else. */
export const NODE_SERVER = `
createServer(async (request, response) => {
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify(await balance()));
}).listen(Number(process.env.PORT), "127.0.0.1");
`;

/** The tests of a runner: one of the client over HTTP, or, in what imitates a page, with the emulator alone. */
export const HTTP_TEST = `
test("two requests, one token", async () => {
  const auth = new DigitalpayeAuth({
    apiKey: process.env.DIGITALPAYE_API_KEY, apiSecret: process.env.DIGITALPAYE_API_SECRET, baseUrl: process.env.DIGITALPAYE_BASE_URL,
  });
  for (let request = 0; request < 2; request += 1) expect((await auth.fetch("v1/balance")).status).toBe(200);
});
`;

export const EMULATOR_TEST = `
test("two requests, one token", async () => {
  const emulator = createEmulator();
  const auth = new DigitalpayeAuth({ ...emulator.credentials, fetch: emulator.fetch });
  for (let request = 0; request < 2; request += 1) expect((await auth.fetch("v1/balance")).status).toBe(200);
  expect(emulator.requests().map(({ path }) => path)).toEqual(["/v1/auth", "/v1/balance", "/v1/balance"]);
});
`;
