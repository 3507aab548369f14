// `npx digitalpaye-auth`: one line of JSON, or one line that says why not, and an exit status for scripts.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { installed } from "../lib/install.mjs";
import { credentialForms, leak } from "../lib/leaks.mjs";
import { startRaw } from "../lib/raw.mjs";
import { PAGE, PAGE_TOKEN, failure, jwt, reply, success } from "../lib/replies.mjs";

const raw = await startRaw();
after(() => raw.stop());
const consumer = await installed();
const command = join(consumer, "node_modules", ".bin", "digitalpaye-auth");
const { version } = JSON.parse(readFileSync(join(consumer, "node_modules", "digitalpaye-auth", "package.json"), "utf8"));

const credentials = { apiKey: "merchant-4711", apiSecret: "xK9-tr0mbone-é!" };
const FORMS = credentialForms(credentials);
const configured = { DIGITALPAYE_API_KEY: credentials.apiKey, DIGITALPAYE_API_SECRET: credentials.apiSecret, DIGITALPAYE_BASE_URL: raw.url };

/** Runs it with these variables, and no others that it could read. */
function run(env = configured, args = []) {
  return new Promise((resolve) => {
    const started = performance.now();
    const child = execFile(command, args, { cwd: consumer, env: { PATH: process.env.PATH, ...env }, timeout: 40_000, killSignal: "SIGKILL" }, (error, stdout, stderr) => {
      const took = performance.now() - started;
      assert.equal(leak(stdout + stderr, FORMS), undefined);
      resolve({ status: child.exitCode, stdout, stderr, took });
    });
  });
}

test("a token: one line of JSON, nothing else, status 0", async () => {
  raw.reset(reply(200, PAGE[200]));
  const { status, stdout, stderr, took } = await run();
  assert.equal(stdout, `${JSON.stringify(PAGE_TOKEN)}\n`);
  assert.equal(stderr, "");
  assert.equal(status, 0);
  assert.ok(took < 10_000, `${took} ms`);
  const [request] = raw.requests;
  assert.equal(raw.requests.length, 1);
  assert.equal(request.line, "POST /v1/auth HTTP/1.1");
  assert.deepEqual(request.values("authorization"), [`Basic ${Buffer.from(`${credentials.apiKey}:${credentials.apiSecret}`).toString("base64")}`]);
  assert.deepEqual(request.values("x-environment"), ["Production"]);
});

test("--token prints the token alone, --header the line for curl --header @-", async () => {
  for (const [args, line] of [[["--token"], PAGE_TOKEN.token], [["--header"], `Authorization: Bearer ${PAGE_TOKEN.token}`], [["--token", "--token"], PAGE_TOKEN.token]]) {
    raw.reset(reply(200, PAGE[200]));
    assert.deepEqual({ ...await run(configured, args), took: 0 }, { status: 0, stdout: `${line}\n`, stderr: "", took: 0 });
    assert.equal(raw.requests.length, 1);
  }
});

test("DIGITALPAYE_ENVIRONMENT and a path in DIGITALPAYE_BASE_URL are used", async () => {
  raw.reset(reply(200, PAGE[200]));
  const { status } = await run({ ...configured, DIGITALPAYE_ENVIRONMENT: "Sandbox", DIGITALPAYE_BASE_URL: `${raw.url}/p/` });
  assert.equal(status, 0);
  assert.equal(raw.requests[0].line, "POST /p/v1/auth HTTP/1.1");
  assert.deepEqual(raw.requests[0].values("x-environment"), ["Sandbox"]);
});

test("an empty variable is one that is not set", async () => {
  raw.reset(reply(200, PAGE[200]));
  const { status } = await run({ ...configured, DIGITALPAYE_ENVIRONMENT: "" });
  assert.equal(status, 0);
  assert.deepEqual(raw.requests[0].values("x-environment"), ["Production"]);
});

test("an answer that comes slowly is waited for", async () => {
  raw.reset((exchange) => setTimeout(() => exchange.end(reply(200, PAGE[200])), 1_000));
  const { status, stdout } = await run();
  assert.equal(status, 0);
  assert.deepEqual(JSON.parse(stdout), PAGE_TOKEN);
});

describe("failures: `CODE: message` on one line of stderr, nothing on stdout, status 1", () => {
  const rows = [
    ["400", [reply(400, PAGE[400])], "bad_request", 1, "Les identifiants API (apikey et apisecret) sont requis."],
    ["401", [reply(401, PAGE[401])], "unauthorized", 1, "Identifiants API incorrects. Veuillez vérifier votre clé API et votre secret."],
    ["429, with a wait that does not fit", [reply(429, failure(429, "trop"), { "Retry-After": "3600" })], "rate_limited", 1, "trop"],
    ["500", [reply(500, PAGE[500])], "internal_server_error", 3, "Une erreur est survenue. Veuillez réessayer"],
    ["a redirect", [reply(302, "", { Location: "/" })], "unexpected_status", 1, "302"],
    ["a 200 without a token", [reply(200, "{}")], "invalid_response", 1, ""],
    ["a token past its life", [reply(200, success(jwt({ iat: 5, exp: 4 }), 4))], "invalid_response", 1, ""],
    ["no reply", [""], "network", 3, "(UND_ERR_SOCKET)"],
  ];
  for (const [name, script, code, requests, words] of rows) {
    test(name, async () => {
      raw.reset(...script);
      const { status, stdout, stderr, took } = await run();
      assert.equal(status, 1);
      assert.equal(stdout, "");
      assert.match(stderr, new RegExp(`^${code}: [^\\n]+\\n$`));
      assert.ok(stderr.includes(words), stderr);
      assert.equal(raw.requests.length, requests);
      assert.ok(took < 12_000, `${took} ms`);
    });
  }

  test("nobody listens", async () => {
    const { status, stderr } = await run({ ...configured, DIGITALPAYE_BASE_URL: "http://127.0.0.1:24" });
    assert.equal(status, 1);
    assert.match(stderr, /^network: .*\(ECONNREFUSED\)\n$/);
  });

  // Ports of other protocols, where no fetch asks (Fetch standard, "port blocking").
  test("a port that fetch refuses", async () => {
    const { status, stderr } = await run({ ...configured, DIGITALPAYE_BASE_URL: "http://127.0.0.1:6000" });
    assert.equal(status, 1);
    assert.match(stderr, /^network: .*\(bad port\)\n$/);
  });

  test("words of several lines, or of control characters, stay one harmless line", async () => {
    raw.reset(reply(401, JSON.stringify({ reason: "un\r\ndeux\ttrois\u2028quatre\u001b[2Jcinq\u0007\u009b31m\u0000\u202e" })));
    const { status, stderr } = await run();
    assert.equal(status, 1);
    assert.match(stderr, /^unauthorized: .*un deux trois quatre/);
    assert.doesNotMatch(stderr.slice(0, -1), /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
    assert.equal(stderr.at(-1), "\n");
  });

  test("words that repeat the secret are left out", async () => {
    raw.reset(reply(401, failure(401, `not ${credentials.apiSecret}`)));
    const { status, stderr } = await run();
    assert.equal(status, 1);
    assert.match(stderr, /^unauthorized: /);
  });
});

describe("configuration that cannot be used: status 2, and nothing is sent", () => {
  const rows = {
    "no key": [{ DIGITALPAYE_API_KEY: undefined }, "DIGITALPAYE_API_KEY"],
    "an empty key": [{ DIGITALPAYE_API_KEY: "" }, "DIGITALPAYE_API_KEY"],
    "no secret": [{ DIGITALPAYE_API_SECRET: undefined }, "DIGITALPAYE_API_SECRET"],
    "an empty secret": [{ DIGITALPAYE_API_SECRET: "" }, "DIGITALPAYE_API_SECRET"],
    "a key with a colon": [{ DIGITALPAYE_API_KEY: "a:b" }, "apiKey"],
    "a secret with a line break": [{ DIGITALPAYE_API_SECRET: `${credentials.apiSecret}\n` }, "apiSecret"],
    "an environment with a space": [{ DIGITALPAYE_ENVIRONMENT: "San dbox" }, "environment"],
    "a base URL that is none": [{ DIGITALPAYE_BASE_URL: "nonsense" }, "baseUrl"],
    "http to another machine": [{ DIGITALPAYE_BASE_URL: "http://h.example" }, "baseUrl"],
    "a base URL with user info": [{ DIGITALPAYE_BASE_URL: raw.url.replace("//", `//user:${encodeURIComponent(credentials.apiSecret)}@`) }, "baseUrl"],
  };
  for (const [name, [change, named]] of Object.entries(rows)) {
    test(name, async () => {
      raw.reset(reply(200, PAGE[200]));
      const { status, stdout, stderr } = await run({ ...configured, ...change });
      assert.equal(status, 2);
      assert.equal(stdout, "");
      assert.match(stderr, /^invalid_options: [^\n]+\n$/);
      assert.ok(stderr.includes(named), stderr);
      assert.equal(raw.requests.length, 0);
    });
  }

  test("nothing at all", async () => {
    const { status, stdout, stderr } = await run({});
    assert.deepEqual([status, stdout], [2, ""]);
    assert.match(stderr, /^invalid_options: .*DIGITALPAYE_API_KEY.*--help.*\n$/);
  });

  test("only the vendor's names: the message says which is set and which is read", async () => {
    const { status, stderr } = await run({ DIGITALPAYE_PUBLIC_KEY: "pk-4711", DIGITALPAYE_SECRET: credentials.apiSecret });
    assert.equal(status, 2);
    assert.match(stderr, /DIGITALPAYE_API_KEY is not set; DIGITALPAYE_PUBLIC_KEY is, .*DIGITALPAYE_API_SECRET; DIGITALPAYE_SECRET is/);
    assert.ok(!stderr.includes("pk-4711"));
  });

  test("an unusable value: the message names its variable too", async () => {
    const { stderr } = await run({ ...configured, DIGITALPAYE_BASE_URL: "nonsense" });
    assert.match(stderr, /^invalid_options: baseUrl .*\(DIGITALPAYE_BASE_URL\)\n$/);
  });

  test("two outputs at once, and an option that takes no value", async () => {
    raw.reset(reply(200, PAGE[200]));
    const both = await run(configured, ["--token", "--header"]);
    assert.deepEqual([both.status, both.stdout, both.stderr], [2, "", "invalid_options: --token and --header cannot be combined (see --help)\n"]);
    const value = await run(configured, ["--token=yes"]);
    assert.deepEqual([value.status, value.stdout, value.stderr], [2, "", "invalid_options: --token takes no value (see --help)\n"]);
    assert.equal(raw.requests.length, 0);
  });

  test("an option is named, a word that may be a secret is not", async () => {
    for (const [arg, message] of [["--nonsense", "unknown option --nonsense"], ["-x", "unknown option -x"], [`--secret=${credentials.apiSecret}`, "unknown option --secret"],
      [credentials.apiSecret, "unknown argument"], [`-p${credentials.apiSecret}`, "unknown option"], ["doktor", "unknown argument"]]) {
      for (const args of [[arg], ["--token", arg]]) assert.equal((await run(configured, args)).stderr, `invalid_options: ${message} (see --help)\n`);
    }
  });

  test("arguments that it does not know, which are not repeated with their values", async () => {
    for (const args of [["--nonsense"], ["extra"], [`--secret=${credentials.apiSecret}`], ["-x"], [""]]) {
      raw.reset(reply(200, PAGE[200]));
      const { status, stdout, stderr } = await run(configured, args);
      assert.deepEqual([status, stdout], [2, ""], args[0]);
      assert.match(stderr, /^invalid_options: [^\n]+\n$/);
      assert.equal(raw.requests.length, 0);
    }
  });
});

test("--help says what it reads and what it exits with", async () => {
  for (const args of [["--help"], ["-h"], ["--help", "extra"]]) {
    const { status, stdout, stderr } = await run({}, args);
    assert.deepEqual([status, stderr], [0, ""]);
    for (const word of ["digitalpaye-auth", "DIGITALPAYE_API_KEY", "DIGITALPAYE_API_SECRET", "DIGITALPAYE_ENVIRONMENT", "DIGITALPAYE_BASE_URL", "--help", "--version", "--token", "--header", "doctor", "emulator", "Production", "https://api.digitalpaye.com"]) {
      assert.ok(stdout.includes(word), word);
    }
  }
});

test("--version", async () => {
  const { status, stdout, stderr } = await run({}, ["--version"]);
  assert.deepEqual([status, stdout, stderr], [0, `${version}\n`, ""]);
});
