// `DigitalpayeAuth.fromEnv`: options out of environment variables, under those that the caller gives. Whatever is doubtful
// is an error: a misspelt option must not charge another account.
import { InvalidOptionsError } from "./errors.js";
import { hasOwn } from "./own.js";

/** The options that have a variable. */
export const VARIABLES = {
  apiKey: "DIGITALPAYE_API_KEY",
  apiSecret: "DIGITALPAYE_API_SECRET",
  environment: "DIGITALPAYE_ENVIRONMENT",
  baseUrl: "DIGITALPAYE_BASE_URL",
};

/** Names by which others know the same values, the vendor's own SDK among them. */
export const FOREIGN = {
  apiKey: ["DIGITALPAYE_PUBLIC_KEY"],
  apiSecret: ["DIGITALPAYE_SECRET", "DIGITALPAYE_SECRET_KEY", "DIGITALPAYE_PRIVATE_KEY"],
};

const OPTIONS = [...Object.keys(VARIABLES), "timeout", "maxRetries", "fetch", "onEvent", "store", "waitUntil"];

let provided;

/** For entries whose platform keeps its variables elsewhere: `read(name)` gives the value of one, or undefined. */
export function provideEnv(read) {
  provided = read;
}

/**
 * The options of a client: what `options` holds, and variables for the rest.
 *
 * `platformEnv(name)` gives the value of a variable; by default it is the platform's.
 *
 * @throws {InvalidOptionsError} Key or secret is nowhere, a variable may not be read, or `options` holds a name that is no
 *   option or a value that is undefined.
 */
export function optionsFromEnv(options = {}, platformEnv = readPlatform) {
  const given = ownOptions(options);
  for (const [option, variable] of Object.entries(VARIABLES)) {
    if (hasOwn(given, option)) continue;
    const value = readVariable(platformEnv, option, variable);
    if (value !== undefined) given[option] = value;
    else if (hasOwn(FOREIGN, option)) throw missing(option, given, platformEnv);
  }
  return given;
}

function fault(option, what, fields) {
  return new InvalidOptionsError(`${option} ${what}`, { option, ...fields });
}

/** A copy of what the caller gave, every property read once. */
function ownOptions(options) {
  if (options === null || typeof options !== "object") throw fault("options", "is not an object");
  const given = {};
  for (const name of read("options", () => Object.keys(options))) {
    if (!OPTIONS.includes(name)) throw unknown(name);
    const value = read(name, () => options[name]);
    if (value === undefined) {
      throw fault(name, `is given as undefined; leave it out to ${name in VARIABLES ? `read ${VARIABLES[name]}` : "have its default"}`);
    }
    given[name] = value;
  }
  // What is inherited or not enumerable is given too, if it has a value.
  for (const name of OPTIONS) {
    const value = hasOwn(given, name) ? undefined : read(name, () => options[name]);
    if (value !== undefined) given[name] = value;
  }
  return given;
}

function read(option, get) {
  try {
    return get();
  } catch (cause) {
    throw fault(option, "could not be read", { cause });
  }
}

function unknown(name) {
  const letters = (text) => text.toLowerCase().replace(/[^a-z]/g, "");
  const meant = OPTIONS.find((option) => letters(option) === letters(name));
  // A name of another form may be a value that came to the wrong place.
  const shown = /^[a-z]\w{0,23}$/i.test(name) ? name : "options";
  const what = shown === name ? "is no option of fromEnv" : "has a property that is no option of fromEnv";
  return fault(shown, meant ? `${what}; ${meant} is` : what);
}

function readVariable(platformEnv, option, variable) {
  let value;
  try {
    value = platformEnv(variable);
  } catch (cause) {
    const permission = `--allow-env=${Object.values(VARIABLES).join(",")}`;
    // By name: older releases of Deno have another class for it.
    const denied = ["NotCapable", "PermissionDenied"].includes(cause?.name);
    throw fault(option, denied ? `needs the variable ${variable}, which Deno may not read: run it with ${permission}`
      : `needs the variable ${variable}, which could not be read`, { cause });
  }
  // Cloudflare has bindings that are no text: a secrets store, a namespace.
  if (value !== undefined && value !== null && typeof value !== "string") throw fault(option, `needs ${variable} to be a text; it is a binding of another kind`);
  // Shells hardly tell an empty variable from one that is not set.
  return value || undefined;
}

function missing(option, given, platformEnv) {
  const isSet = (name) => {
    try {
      return Boolean(platformEnv(name));
    } catch {
      return false;
    }
  };
  let what = `is missing: ${VARIABLES[option]} is not set`;
  const foreign = FOREIGN[option].find(isSet);
  if (foreign) what += `; ${foreign} is, which this package does not read: set ${VARIABLES[option]} to the same value`;
  if (option === "apiKey" && !hasOwn(given, "apiSecret") && !isSet(VARIABLES.apiSecret)) {
    const secret = FOREIGN.apiSecret.find(isSet);
    what += `. Nor is ${VARIABLES.apiSecret}${secret ? `; ${secret} is` : ""}`;
  }
  return fault(option, what);
}

/** Own members only: a page may have put some on Object.prototype. */
const own = (object, name) => (object && hasOwn(object, name) ? object[name] : undefined);

function readPlatform(name) {
  // Deno first: its `process.env` says less when a permission is missing.
  const deno = own(globalThis, "Deno")?.env;
  if (typeof deno?.get === "function") return deno.get(name);
  return provided?.(name) ?? own(globalThis.process?.env, name);
}
