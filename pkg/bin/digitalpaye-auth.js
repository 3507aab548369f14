#!/usr/bin/env node
// The command `digitalpaye-auth`: a token for shell scripts, `doctor` and `emulator`.
import { createRequire } from "node:module";
import { authenticate, AuthError, InvalidOptionsError } from "../index.js";
import { VARIABLES, optionsFromEnv } from "../env.js";
import { hasOwn } from "../own.js";
import { unknownArgument } from "./arguments.js";
import { codeOf, end, fail, print } from "./output.js";

const { version } = createRequire(import.meta.url)("../package.json");

const HELP = `Usage: digitalpaye-auth [--token | --header]
       digitalpaye-auth doctor [--try-sdk-path]
       digitalpaye-auth emulator [--port N]

Prints a Digitalpaye access token as one line of JSON: {"token":"…","exp":1728634803}
exp is in seconds since 1970-01-01T00:00:00Z.

Options:
  --token        print the token alone
  --header       print "Authorization: Bearer …", for curl --header @-
  -h, --help     print this and exit
  -V, --version  print the version and exit

Commands:
  doctor         print what works and what does not, as a report without secrets;
                 with --try-sdk-path, also ask /v1/auth/token
  emulator       serve an API on this machine to try things on, on port 8787

Environment variables:
  DIGITALPAYE_API_KEY      the API key (required)
  DIGITALPAYE_API_SECRET   the API secret (required)
  DIGITALPAYE_ENVIRONMENT  value of X-Environment, Production unless set
  DIGITALPAYE_BASE_URL     address of the API, https://api.digitalpaye.com unless set

Exit status: 0 with a token, 1 without, 2 if the configuration is unusable.
On failure, stderr has one line: CODE: message
`;

const FORMATS = {
  "--token": ({ token }) => token,
  "--header": ({ token }) => `Authorization: Bearer ${token}`,
};
const asJson = ({ token, exp }) => JSON.stringify({ token, exp });

/** Resolves to the exit status. */
async function main(args) {
  const [command, ...rest] = args;
  if (command === "doctor") return (await import("./doctor.js")).run(rest);
  if (command === "emulator") return (await import("./emulator.js")).run(rest);
  if (args.some((arg) => arg === "--help" || arg === "-h")) return print(HELP);
  if (args.some((arg) => arg === "--version" || arg === "-V")) return print(`${version}\n`);
  const strange = args.find((arg) => !hasOwn(FORMATS, arg));
  if (strange !== undefined) return fail("invalid_options", `${unknownArgument(strange, Object.keys(FORMATS))} (see --help)`, 2);
  const formats = [...new Set(args)];
  if (formats.length > 1) return fail("invalid_options", `${formats.join(" and ")} cannot be combined (see --help)`, 2);
  return printToken(FORMATS[formats[0]] ?? asJson);
}

async function printToken(format) {
  let token;
  try {
    token = await authenticate(optionsFromEnv());
  } catch (error) {
    if (!AuthError.is(error)) throw error;
    return fail(error.code, explained(error), error instanceof InvalidOptionsError ? 2 : 1);
  }
  return print(`${format(token)}\n`);
}

/** The message, with the variable that its option came from, or the system's word for what broke the connection. */
function explained({ message, option, code, cause }) {
  const word = code === "network" ? codeOf(cause) : undefined;
  if (word !== undefined) return `${message} (${word})`;
  const variable = hasOwn(VARIABLES, option ?? "") ? VARIABLES[option] : undefined;
  if (!variable) return message;
  return message.includes(variable) ? `${message} (see --help)` : `${message} (${variable})`;
}

end(await main(process.argv.slice(2)));
