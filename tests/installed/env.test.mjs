// `DigitalpayeAuth.fromEnv`: options out of variables, under those that are given; whatever is doubtful is an error.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { engine } from "../conformance/lib/engines.mjs";
import { importInstalled, installed, requireInstalled } from "../lib/install.mjs";
import { leak } from "../lib/leaks.mjs";
import { startTokens } from "../lib/tokens.mjs";
import { NEWEST_DATE, askWorker } from "../lib/workerd.mjs";

const api = await startTokens();
after(() => api.stop());
const consumer = await installed();
const { DigitalpayeAuth, InvalidOptionsError } = await importInstalled();

const KEY = "merchant-4711";
const SECRET = "xK9-tr0mbone";
const configured = { DIGITALPAYE_API_KEY: KEY, DIGITALPAYE_API_SECRET: SECRET, DIGITALPAYE_BASE_URL: api.url };
const basic = (key, secret) => `Basic ${Buffer.from(`${key}:${secret}`).toString("base64")}`;

/** Calls `use` with these variables of ours, and no others. */
async function withEnv(variables, use) {
  const before = { ...process.env };
  const ours = () => Object.keys(process.env).filter((name) => name.startsWith("DIGITALPAYE_"));
  for (const name of ours()) delete process.env[name];
  Object.assign(process.env, variables);
  try {
    return await use();
  } finally {
    for (const name of ours()) delete process.env[name];
    Object.assign(process.env, before);
  }
}

/** What the exchange of a client that was made with these variables and options holds. */
async function exchangeOf(variables, options, Class = DigitalpayeAuth) {
  const auth = await withEnv(variables, () => Class.fromEnv(options));
  assert.ok(auth instanceof Class);
  const { token } = await auth.getToken();
  assert.equal(token, api.tokens.at(-1));
  return api.exchanges.at(-1).headers;
}

/** The error that it throws; neither it nor what can be reached from it shows a value. */
async function refusal(variables, ...args) {
  let error;
  await withEnv(variables, () => assert.throws(() => DigitalpayeAuth.fromEnv(...args), (thrown) => {
    error = thrown;
    return true;
  }));
  assert.ok(error instanceof InvalidOptionsError, String(error));
  assert.equal(leak(error, [SECRET, KEY]), undefined);
  assert.ok(error.message.startsWith(error.option), error.message);
  return error;
}

describe("options", () => {
  test("come from the four variables", async () => {
    const headers = await exchangeOf({ ...configured, DIGITALPAYE_ENVIRONMENT: "Sandbox" });
    assert.equal(headers.authorization, basic(KEY, SECRET));
    assert.equal(headers["x-environment"], "Sandbox");
  });

  test("an empty variable counts as none", async () => {
    assert.equal((await exchangeOf({ ...configured, DIGITALPAYE_ENVIRONMENT: "" }))["x-environment"], "Production");
    assert.equal((await refusal({ ...configured, DIGITALPAYE_API_SECRET: "" })).option, "apiSecret");
  });

  test("that are given stand above variables, which are not needed then", async () => {
    const headers = await exchangeOf({ ...configured, DIGITALPAYE_ENVIRONMENT: "Sandbox" }, { apiKey: "other", environment: "Production" });
    assert.equal(headers.authorization, basic("other", SECRET));
    assert.equal(headers["x-environment"], "Production");
    assert.equal((await exchangeOf({}, { apiKey: "a", apiSecret: "b", baseUrl: api.url })).authorization, basic("a", "b"));
  });

  test("without a variable are passed on", async () => {
    let used = 0;
    await exchangeOf(configured, { fetch: (...args) => fetch(...args, used += 1), maxRetries: 0, timeout: 5_000 });
    assert.equal(used, 1);
    assert.equal((await refusal(configured, { timeout: -1 })).option, "timeout");
  });

  test("that are inherited count", async () => {
    const headers = await exchangeOf(configured, Object.create({ apiKey: "inherited" }));
    assert.equal(headers.authorization, basic("inherited", SECRET));
  });

  test("are read once", async () => {
    let reads = 0;
    await exchangeOf(configured, { get apiKey() { reads += 1; return "once"; } });
    assert.equal(reads, 1);
  });

  test("make a client of the class that was asked", async () => {
    class Client extends DigitalpayeAuth {}
    await exchangeOf(configured, {}, Client);
  });

  test("by require too", async () => {
    const { DigitalpayeAuth: Required } = await requireInstalled();
    assert.equal((await exchangeOf(configured, undefined, Required)).authorization, basic(KEY, SECRET));
  });
});

describe("an InvalidOptionsError that names", () => {
  test("the variable that is missing, and both when both are", async () => {
    const secret = await refusal({ ...configured, DIGITALPAYE_API_SECRET: "" });
    assert.equal(secret.message, "apiSecret is missing: DIGITALPAYE_API_SECRET is not set");
    const both = await refusal({});
    assert.equal(both.option, "apiKey");
    assert.equal(both.message, "apiKey is missing: DIGITALPAYE_API_KEY is not set. Nor is DIGITALPAYE_API_SECRET");
    assert.equal((await refusal({ DIGITALPAYE_API_SECRET: SECRET })).message, "apiKey is missing: DIGITALPAYE_API_KEY is not set");
  });

  test("the vendor's variable that is set in its place", async () => {
    const { message } = await refusal({ DIGITALPAYE_PUBLIC_KEY: KEY, DIGITALPAYE_SECRET: SECRET });
    assert.match(message, /DIGITALPAYE_API_KEY is not set; DIGITALPAYE_PUBLIC_KEY is, which this package does not read/);
    assert.match(message, /Nor is DIGITALPAYE_API_SECRET; DIGITALPAYE_SECRET is$/);
    const secret = await refusal({ DIGITALPAYE_API_KEY: KEY, DIGITALPAYE_SECRET_KEY: SECRET });
    assert.match(secret.message, /^apiSecret .*DIGITALPAYE_SECRET_KEY is/);
  });

  for (const [option, variable] of [["apiKey", "DIGITALPAYE_API_KEY"], ["apiSecret", "DIGITALPAYE_API_SECRET"], ["environment", "DIGITALPAYE_ENVIRONMENT"], ["baseUrl", "DIGITALPAYE_BASE_URL"]]) {
    test(`${option}, given as undefined, and its variable`, async () => {
      const error = await refusal(configured, { [option]: undefined });
      assert.equal(error.option, option);
      assert.ok(error.message.includes(variable), error.message);
    });
  }

  test("any other option that is given as undefined", async () => {
    for (const option of ["timeout", "maxRetries", "fetch", "store", "waitUntil", "onEvent"]) {
      assert.equal((await refusal(configured, { [option]: undefined })).option, option);
    }
  });

  test("an option that there is not, and the one that is likely meant", async () => {
    for (const [name, meant] of [["apikey", "apiKey"], ["api_secret", "apiSecret"], ["baseURL", "baseUrl"], ["base_url", "baseUrl"]]) {
      const error = await refusal(configured, { [name]: "value" });
      assert.equal(error.option, name);
      assert.equal(error.message, `${name} is no option of fromEnv; ${meant} is`);
    }
    assert.equal((await refusal(configured, { secretKey: SECRET })).message, "secretKey is no option of fromEnv");
  });

  test("no name that may be a value", async () => {
    for (const name of [SECRET, "merchant_secret_0123456789_and_more", "a b"]) {
      const error = await refusal(configured, { [name]: true });
      assert.equal(error.option, "options");
      assert.ok(!error.message.includes(name));
    }
  });

  test("options that are no object", async () => {
    for (const options of [null, "text", 5, true, Symbol("s"), () => {}]) assert.equal((await refusal(configured, options)).option, "options");
  });

  test("options that cannot be read, with what was thrown as its cause", async () => {
    const thrown = new Error("no");
    const error = await refusal(configured, { get apiKey() { throw thrown; } });
    assert.deepEqual([error.option, error.cause], ["apiKey", thrown]);
    assert.equal((await refusal(configured, new Proxy({}, { ownKeys() { throw thrown; } }))).option, "options");
  });

  test("an unusable value of a variable, by its option", async () => {
    assert.equal((await refusal({ ...configured, DIGITALPAYE_BASE_URL: "nonsense" })).option, "baseUrl");
  });
});

const program = join(consumer, "from-env.mjs");
writeFileSync(program, `
import { DigitalpayeAuth } from "digitalpaye-auth";
try {
  const { token } = await DigitalpayeAuth.fromEnv(JSON.parse(process.argv[2] ?? "{}")).getToken();
  console.log(JSON.stringify({ token }));
} catch ({ name, option, message }) {
  console.log(JSON.stringify({ name, option, message }));
}
`);

async function runIn(name, { flags = [], env = configured, options = {} } = {}) {
  const path = await engine(name);
  return new Promise((resolve, reject) => {
    execFile(path, [...flags, program, JSON.stringify(options)], { cwd: consumer, env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env }, timeout: 60_000 }, (error, stdout, stderr) =>
      (error ? reject(new Error(`${error.message}${stderr}`)) : resolve(JSON.parse(stdout))));
  });
}

describe("the platform's environment", () => {
  const deno = (permissions) => ["run", "--no-prompt", "--allow-net", "--allow-read", ...permissions];
  for (const [name, flags] of [["Node 20", []], ["Node 26", []], ["Bun", []], ["Deno", deno(["--allow-env"])]]) {
    test(name, async () => {
      assert.equal((await runIn(name, { flags })).token, api.tokens.at(-1));
      assert.match((await runIn(name, { flags, env: {} })).message, /^apiKey is missing: DIGITALPAYE_API_KEY is not set/);
    });
  }

  test("Deno without permission: which variable, and which permission", async () => {
    const all = "--allow-env=DIGITALPAYE_API_KEY,DIGITALPAYE_API_SECRET,DIGITALPAYE_ENVIRONMENT,DIGITALPAYE_BASE_URL";
    const none = await runIn("Deno", { flags: deno([]) });
    assert.deepEqual([none.name, none.option], ["InvalidOptionsError", "apiKey"]);
    assert.equal(none.message, `apiKey needs the variable DIGITALPAYE_API_KEY, which Deno may not read: run it with ${all}`);
    // A variable that may not be read could name another account or environment.
    const some = await runIn("Deno", { flags: deno(["--allow-env=DIGITALPAYE_API_KEY,DIGITALPAYE_API_SECRET"]) });
    assert.equal(some.option, "environment");
    assert.ok(some.message.includes("DIGITALPAYE_ENVIRONMENT"));
    assert.equal((await runIn("Deno", { flags: deno([all]) })).token, api.tokens.at(-1));
  });

  test("Deno needs none for what is given", async () => {
    const options = { apiKey: KEY, apiSecret: SECRET, environment: "Production", baseUrl: api.url };
    assert.equal((await runIn("Deno", { flags: deno([]), options })).token, api.tokens.at(-1));
  });

  const entry = fileURLToPath(new URL("env-worker.mjs", import.meta.url));
  const workers = {
    "workerd, by cloudflare:workers": [{ bindings: configured }, true],
    "workerd whose cloudflare:workers has no env, with Node.js compatibility": [{ bindings: configured, platformWaitUntil: false, compatibilityDate: NEWEST_DATE, flags: ["nodejs_compat"] }, true],
    "workerd whose cloudflare:workers has no env": [{ bindings: configured, platformWaitUntil: false, compatibilityDate: "2024-09-01" }, false],
    "workerd without bindings": [{}, false],
  };
  for (const [name, [settings, has]] of Object.entries(workers)) {
    test(name, async () => {
      const { start, request } = (await askWorker({ entry, ...settings })).answer;
      for (const outcome of [start, request]) {
        if (has) assert.ok(api.tokens.includes(outcome.token), JSON.stringify(outcome));
        else assert.match(outcome.message, /^apiKey is missing: DIGITALPAYE_API_KEY is not set/);
      }
    });
  }
});
