// `digitalpaye-auth doctor`: a report that says what works and what does not, and that can be shown to anybody.
import { createRequire } from "node:module";
import { AuthError, DigitalpayeAuth, InvalidOptionsError } from "../index.js";
import { FOREIGN, VARIABLES, optionsFromEnv } from "../env.js";
import { unknownArgument } from "./arguments.js";
import { checkClock, checkCors, checkExchange, checkSdkPath } from "./doctor/api.js";
import { wordsFor } from "./doctor/language.js";
import { checkMachine, usesProxy } from "./doctor/machine.js";
import { checkNetwork } from "./doctor/network.js";
import { Report } from "./doctor/report.js";
import { describeToken, getToken } from "./doctor/token.js";
import { checkVariables, foreignName } from "./doctor/variables.js";
import { fail, oneLine, print } from "./output.js";

const { version } = createRequire(import.meta.url)("../package.json");

/** Resolves to the exit status: 0 with a token, 1 without, 2 for arguments or variables that are unusable. */
export async function run(args) {
  const env = variables();
  if (env === undefined) return fail("invalid_options", "the environment may not be read: run Deno with --allow-env", 2);
  const words = wordsFor(env);
  if (args.some((arg) => arg === "--help" || arg === "-h")) return print(words.help);
  const strange = args.find((arg) => arg !== "--try-sdk-path");
  if (strange !== undefined) return fail("invalid_options", `${unknownArgument(strange, ["--try-sdk-path"])} (see doctor --help)`, 2);

  const report = new Report({ colours: process.stdout.isTTY === true && !env.NO_COLOR && env.TERM !== "dumb", typeset: words.typeset });
  report.hide(...secretsOf(env));
  const status = await examine({ env, report, words, trySdkPath: args.length > 0 });
  // A look-up of a name that nobody answers cannot be called off, and would keep the process until it gives up.
  process.exit(report.failed ? 1 : status);
}

/** A copy of the environment, or undefined where it takes a permission that is not there. */
function variables() {
  try {
    return { ...process.env };
  } catch {
    return undefined;
  }
}

/** Every form in which a secret could come back in somebody's answer. */
function secretsOf(env) {
  const { [VARIABLES.apiKey]: key = "", [VARIABLES.apiSecret]: secret = "" } = env;
  const foreign = Object.values(FOREIGN).flat().map((name) => env[name] ?? "");
  const encoded = (text) => ["base64", "base64url"].map((form) => Buffer.from(text).toString(form).replace(/=+$/, ""));
  // A header that has UTF-8 in it is read as Latin-1.
  const forms = (text) => [text, text.trim(), encodeURIComponent(text), Buffer.from(text).toString("latin1"), ...encoded(text)];
  // What is quoted is one line by then, with single spaces.
  const all = [...[key, secret, ...foreign].flatMap(forms), ...encoded(`${key}:${secret}`)];
  return all.flatMap((text) => [text, oneLine(text)]).filter(Boolean);
}

async function examine({ env, report, words, trySdkPath }) {
  const options = usable();
  const url = options.fault ? undefined : endpointOf(options.baseUrl ?? "https://api.digitalpaye.com");
  const plain = url?.protocol === "http:";
  await report.title(words.title(new Date()));
  const suspect = await checkVariables({ env, fault: options.fault, report, words });
  await checkMachine({ env, report, words, version, plain });
  if (options.fault) return unusable(options.fault, { env, report, words });

  const network = await checkNetwork({ url, report, words });
  await report.heading("API");
  const environment = options.environment ?? "Production";
  const authorization = `Basic ${Buffer.from(`${options.apiKey}:${options.apiSecret}`).toString("base64")}`;
  const blocked = (network.dns ?? network.tcp) !== undefined && !usesProxy(env, plain);
  let exchange = { kind: "network" };
  let skew;
  if (blocked) await report.line("info", `POST ${url.pathname}`, words.api.notAsked);
  else {
    exchange = await checkExchange({ url, authorization, environment, report, words });
    skew = await checkClock({ ...exchange, report, words });
    if (!exchange.answer.failed) await checkCors({ url, report, words });
    if (trySdkPath) await checkSdkPath({ url, authorization, environment, report, words });
  }
  await report.heading(words.token.heading);
  const { token } = await getToken({ options, report, words });
  if (token) {
    const date = Date.parse(exchange.answer?.headers?.get("date"));
    await describeToken({ token, date: Number.isNaN(date) ? undefined : date / 1_000, report, words });
  }
  const say = words.summary;
  if (token) {
    const unverified = network.tls && env.NODE_TLS_REJECT_UNAUTHORIZED === "0";
    const flaw = unverified ? "unverified" : skew ? "skewed" : exchange.kind === "token" ? undefined : "unsteady";
    await report.summary(unverified ? "fault" : flaw ? "hint" : "good", say[flaw ?? "good"]);
    return 0;
  }
  const fault = faultOf(network, exchange.kind, usesProxy(env, plain));
  await report.summary("fault", suspect && fault === "401" ? say.marked(suspect) : say[fault] ?? say.other);
  return 1;
}

/** Where tokens come from; a path is kept. */
function endpointOf(baseUrl) {
  const { href } = new URL(baseUrl);
  return new URL(`${href}${href.endsWith("/") ? "" : "/"}v1/auth`);
}

/** What to name in the summary: the first thing on the way that does not work. */
function faultOf({ dns, tcp, tls }, kind, proxy) {
  // By a proxy the way is another one than the one that was looked at.
  if (proxy && kind !== "network") return kind;
  if (dns) return "dns";
  if (tcp) return "tcp";
  if (tls) return "tls";
  return kind === "token" ? "refusedByPackage" : kind;
}

/** The options that the package takes, or `fault`. */
function usable() {
  try {
    const options = optionsFromEnv();
    new DigitalpayeAuth(options)[Symbol.dispose ?? Symbol.for("Symbol.dispose")]();
    return options;
  } catch (fault) {
    if (!AuthError.is(fault)) throw fault;
    return { fault };
  }
}

async function unusable(fault, { env, report, words }) {
  if (!(fault instanceof InvalidOptionsError)) {
    await report.heading(words.token.heading);
    await report.line("fault", words.token.label, words.token.none(fault.code, undefined, fault.message));
    await report.summary("fault", words.summary.runtime(fault.code));
    return 1;
  }
  const foreign = foreignName(env);
  const variable = VARIABLES[fault.option];
  const say = words.summary;
  const missing = [VARIABLES.apiKey, VARIABLES.apiSecret].filter((name) => !env[name]);
  await report.summary("fault", env[variable] ? say.unusable(variable) : foreign ? say.foreign(...foreign) : say.missing(missing));
  return 2;
}
