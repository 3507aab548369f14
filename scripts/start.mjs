// `npm start`: from a clone to a token, then the page. See `usage`.
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildPackage, buildPage } from "./build.mjs";
import { packAndInstall } from "./lib/package.mjs";
import { www } from "./lib/paths.mjs";
import { Failure, command, environment, onInterrupt, run } from "./lib/process.mjs";
import { buildSandbox, startSandbox } from "./lib/sandbox.mjs";
import { serve } from "./lib/serve.mjs";
import { say, step } from "./lib/terminal.mjs";

const usage = `Usage: npm start [-- --once] [-- --port NUMBER]

Builds the package, gets a token through it and prints it, then serves the page until Ctrl-C.

  --once         exit after printing the token
  --port NUMBER  where to serve the page (default: the first free port from 5173 on)

Without credentials it uses a local stand-in for the API. With DIGITALPAYE_API_KEY and DIGITALPAYE_API_SECRET set it
uses those, with the API at DIGITALPAYE_BASE_URL (default https://api.digitalpaye.com) and as X-Environment
DIGITALPAYE_ENVIRONMENT (default Production).
`;

function options() {
  try {
    const { values } = parseArgs({
      options: { once: { type: "boolean" }, port: { type: "string" }, help: { type: "boolean", short: "h" } },
    });
    if (values.port !== undefined && !(/^\d+$/.test(values.port) && Number(values.port) < 65536)) {
      throw new Error(`--port must be a number up to 65535, not "${values.port}".`);
    }
    return values;
  } catch (error) {
    throw new Failure(`${error.message}\n\n${usage}`, { exitCode: 2 });
  }
}

/** The credentials of the environment, or undefined when there are none. */
function configured() {
  const {
    DIGITALPAYE_API_KEY: apiKey, DIGITALPAYE_API_SECRET: apiSecret,
    DIGITALPAYE_BASE_URL: baseUrl, DIGITALPAYE_ENVIRONMENT: environment,
  } = process.env;
  if (!apiKey && !apiSecret) {
    if (baseUrl) say("DIGITALPAYE_BASE_URL is not used: it needs DIGITALPAYE_API_KEY and DIGITALPAYE_API_SECRET.");
    return undefined;
  }
  if (!apiKey || !apiSecret) {
    const [set, missing] = apiKey
      ? ["DIGITALPAYE_API_KEY", "DIGITALPAYE_API_SECRET"]
      : ["DIGITALPAYE_API_SECRET", "DIGITALPAYE_API_KEY"];
    throw new Failure(`${set} is set but ${missing} is not. Set both to use the API, or neither to use the local stand-in.`);
  }
  return { apiKey, apiSecret, baseUrl: baseUrl || "https://api.digitalpaye.com", environment: environment || "Production" };
}

// What runs in the project that has the packed package. The credentials come by the environment: what is on a command
// line, every user of the machine can read.
const getToken = `
import { AuthError, authenticate } from "digitalpaye-auth";

const { API_KEY: apiKey, API_SECRET: apiSecret, BASE_URL: baseUrl, ENVIRONMENT: environment } = process.env;
try {
  const { token, exp } = await authenticate({ apiKey, apiSecret, baseUrl, environment });
  console.log(JSON.stringify({ token, exp }));
} catch (error) {
  if (!AuthError.is(error)) throw error;
  console.log(JSON.stringify({ failure: \`\${error.code}: \${error.message}\` }));
}
`;

async function token(project, { apiKey, apiSecret, baseUrl, environment: name }) {
  writeFileSync(join(project, "token.mjs"), getToken);
  const { code, stdout, output } = await run(process.execPath, ["token.mjs"], {
    cwd: project,
    env: environment({ API_KEY: apiKey, API_SECRET: apiSecret, BASE_URL: baseUrl, ENVIRONMENT: name }),
    timeout: 60_000,
  });
  if (code !== 0) throw new Failure("The package could not be used.", { output });
  const result = JSON.parse(stdout);
  if (result.failure) throw new Failure(result.failure);
  return result;
}

const count = (number, unit) => `${number} ${unit}${number === 1 ? "" : "s"}`;

function span(seconds) {
  if (seconds < 90) return count(Math.round(seconds), "second");
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return count(minutes, "minute");
  const hours = Math.floor(minutes / 60);
  return minutes % 60 === 0 ? count(hours, "hour") : `${count(hours, "hour")} ${count(minutes % 60, "minute")}`;
}

function expiry(exp, now = Date.now()) {
  const date = new Date(exp * 1000);
  const time = date.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short" });
  const day = date.toDateString() === new Date(now).toDateString() ? "" : ` on ${date.toLocaleDateString("en-GB", { dateStyle: "long" })}`;
  const left = exp - now / 1000;
  return left > 0
    ? `It expires at ${time}${day}, in ${span(left)}.`
    : `It expired at ${time}${day} by this machine's clock, ${span(-left)} ago. Is the clock right?`;
}

await command(async () => {
  const { once, port, help } = options();
  if (help) {
    process.stdout.write(usage);
    return 0;
  }
  const own = configured();
  await buildPackage();
  if (!own) await buildSandbox();
  const project = await step("Packing the package and installing it elsewhere", packAndInstall);

  const sandbox = own ? undefined : await startSandbox();
  const api = own ?? {
    baseUrl: sandbox.url, apiKey: sandbox.apiKey, apiSecret: sandbox.apiSecret,
    environment: process.env.DIGITALPAYE_ENVIRONMENT || "Sandbox",
  };
  say(own
    ? `Using the credentials of DIGITALPAYE_API_KEY with the API at ${api.baseUrl} (${api.environment}).`
    : `Using the local stand-in for the API at ${api.baseUrl}. Set DIGITALPAYE_API_KEY and DIGITALPAYE_API_SECRET to use the API itself.`);

  const { token: value, exp } = await token(project, api);
  process.stdout.write(`\nToken: ${value}\n${expiry(exp)}\n\n`);
  if (once) {
    await sandbox?.close();
    return 0;
  }

  await buildPage();
  const built = existsSync(join(www, "dist", "index.html"));
  const page = await serve({
    folders: {
      "/": built ? join(www, "dist") : www,
      // For a page that no bundler has seen.
      "/node_modules/digitalpaye-auth/": join(project, "node_modules", "digitalpaye-auth"),
    },
    // Only the stand-in's credentials are given to a page; the user's own are not.
    documents: { "/sandbox.json": sandbox ? api : {} },
    port: port === undefined ? undefined : Number(port),
  });
  process.stdout.write(`The page: ${page.url}\nPress Ctrl-C to stop.\n`);
  const interrupted = new Promise((resolve) => onInterrupt(resolve));
  const failed = await Promise.race([
    interrupted.then(() => false),
    ...(sandbox ? [sandbox.ended.then(() => true)] : []),
  ]);
  await page.close();
  if (failed) throw new Failure("The stand-in for the API has stopped.");
  await sandbox?.close();
  process.stdout.write("\nStopped.\n");
  return 0;
});
