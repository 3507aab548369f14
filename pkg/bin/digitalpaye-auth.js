#!/usr/bin/env node
// Prints a token for shell scripts: one line of JSON, or `CODE: message` on stderr.
import { createRequire } from "node:module";
import { authenticate, AuthError } from "../index.js";

const { version } = createRequire(import.meta.url)("../package.json");

const HELP = `Usage: digitalpaye-auth

Prints a Digitalpaye access token as one line of JSON: {"token":"…","exp":1728634803}
exp is in seconds since 1970-01-01T00:00:00Z.

Environment variables:
  DIGITALPAYE_API_KEY      the API key (required)
  DIGITALPAYE_API_SECRET   the API secret (required)
  DIGITALPAYE_ENVIRONMENT  value of X-Environment, Production unless set
  DIGITALPAYE_BASE_URL     address of the API, https://api.digitalpaye.com unless set

Options:
  -h, --help     print this and exit
  -V, --version  print the version and exit

Exit status: 0 with a token, 1 without, 2 if the configuration is unusable.
On failure, stderr has one line: CODE: message
`;

/** An empty variable counts as one that is not set: shells make no difference between the two easily. */
const env = (name) => process.env[name] || undefined;

async function main(args) {
  if (args[0] === "emulator") return (await import("./emulator.js")).run(args.slice(1));
  if (args.includes("--help") || args.includes("-h")) return process.stdout.write(HELP);
  if (args.includes("--version") || args.includes("-V")) return process.stdout.write(`${version}\n`);
  if (args.length > 0) return fail("invalid_options", `unknown argument ${args[0].split("=", 1)[0]} (see --help)`, 2);
  for (const name of ["DIGITALPAYE_API_KEY", "DIGITALPAYE_API_SECRET"]) {
    if (env(name) === undefined) return fail("invalid_options", `${name} is not set (see --help)`, 2);
  }
  try {
    const { token, exp } = await authenticate({
      apiKey: env("DIGITALPAYE_API_KEY"),
      apiSecret: env("DIGITALPAYE_API_SECRET"),
      environment: env("DIGITALPAYE_ENVIRONMENT"),
      baseUrl: env("DIGITALPAYE_BASE_URL"),
    });
    process.stdout.write(`${JSON.stringify({ token, exp })}\n`);
  } catch (error) {
    if (!AuthError.is(error)) throw error;
    fail(error.code, error.message, error.code === "invalid_options" ? 2 : 1);
  }
}

function fail(code, message, status) {
  // One line, and nothing that a terminal would obey, whatever the API's words hold.
  process.stderr.write(`${code}: ${message.replace(/[\s\p{Cc}]+/gu, " ")}\n`);
  process.exitCode = status;
}

await main(process.argv.slice(2));
