// The samples of Digitalpaye's page on creating a token, as published but for the host and the credentials (those of the
// page are scrambled), against the stand-in: who answers the vendor's own clients answers as the vendor does.
//
// curl and axios have to be there. PHP and Java run where they are installed, which the output says: on Debian and
// Ubuntu, `apt-get install php-cli php-curl` and `apt-get install default-jdk-headless libokhttp-java`. The page's
// second PHP sample needs Guzzle, which only Composer's registry has; it is not run.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../../scripts/lib/temporary.mjs";
import { outcomeOf } from "../lib/child.mjs";
import { startSandbox, valuesOf } from "../lib/sandbox.mjs";

const HOST = "https://api.digitalpaye.com";
const CREDENTIALS = "i0yOWYwLTRjMWMtOGE2ZC0bGl2ZV9JlYzU4NiwY2MyMDk0ZjZhMzQkaWdpdGFscGF5ZTY3OTg3Njo1OW=";
const UNAUTHORIZED = '{"statusCode":401,"message":"UnauthorizedError","reason":"Identifiants API incorrects. '
  + 'Veuillez vérifier votre clé API et votre secret."}';
const here = fileURLToPath(new URL(".", import.meta.url));

const samples = {
  curl: `curl --location --request POST 'https://api.digitalpaye.com/v1/auth' \\
--header 'X-Environment: Production' \\
--header 'Authorization: Basic ${CREDENTIALS}' \\
--data ''`,

  axios: `const axios = require('axios');
let data = '';
let config = {
method: 'post',
maxBodyLength: Infinity,
url: 'https://api.digitalpaye.com/v1/auth',
headers: {
'X-Environment': 'Production',
'Authorization': 'Basic ${CREDENTIALS}'
},
data : data
};
axios.request(config)
.then((response) => {
console.log(JSON.stringify(response.data));
})
.catch((error) => {
console.log(error);
});`,

  php: `<?php
$curl = curl_init();
curl_setopt_array($curl, array(
CURLOPT_URL => 'https://api.digitalpaye.com/v1/auth',
CURLOPT_RETURNTRANSFER => true,
CURLOPT_ENCODING => '',
CURLOPT_MAXREDIRS => 10,
CURLOPT_TIMEOUT => 0,
CURLOPT_FOLLOWLOCATION => true,
CURLOPT_HTTP_VERSION => CURL_HTTP_VERSION_1_1,
CURLOPT_CUSTOMREQUEST => 'POST',
CURLOPT_HTTPHEADER => array(
'X-Environment: Production',
'Authorization: Basic ${CREDENTIALS}'
),
));
$response = curl_exec($curl);
curl_close($curl);
echo $response;`,

  java: `OkHttpClient client = new OkHttpClient().newBuilder()
.build();
MediaType mediaType = MediaType.parse("text/plain");
RequestBody body = RequestBody.create(mediaType, "");
Request request = new Request.Builder()
.url("https://api.digitalpaye.com/v1/auth")
.method("POST", body)
.addHeader("X-Environment", "Production")
.addHeader("Authorization", "Basic ${CREDENTIALS}")
.build();
Response response = client.newCall(request).execute();`,
};

// What each client adds by itself to the headers of the sample; its user agent is named apart.
const added = {
  curl: ["host", "accept", "content-length", "content-type"],
  axios: ["host", "accept", "accept-encoding", "connection", "content-length", "content-type"],
  php: ["host", "accept", "accept-encoding", "content-length"],
  java: ["host", "accept-encoding", "connection", "content-length", "content-type"],
};

const folder = temporaryFolder("vendor-samples");
let sandbox;
before(async () => (sandbox = await startSandbox({ apiKey: "clé-de-test", apiSecret: "secret : €" })));
after(() => sandbox?.stop());

/** The sample, for the stand-in and for credentials that decode. */
function pointed(name, secret = sandbox.apiSecret) {
  const encoded = Buffer.from(`${sandbox.apiKey}:${secret}`, "utf8").toString("base64");
  const sample = samples[name].replace(HOST, sandbox.url).replace(CREDENTIALS, encoded);
  assert.ok(sample.includes(sandbox.url) && sample.includes(encoded), "the sample names host and credentials");
  return sample;
}

/** Runs a program and gives what it printed; no proxy may come between it and the stand-in. */
async function output(program, args, input = "") {
  const environment = Object.entries(process.env).filter(([name]) => !/^(https?|all)_proxy$/i.test(name));
  const child = spawn(program, args, { cwd: here, env: Object.fromEntries(environment), timeout: 60_000 });
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const { code, signal, stdout, stderr } = await outcomeOf(child);
  if (code !== 0) throw new Error(`${program} ended with ${code ?? signal}: ${stderr.trim()}`);
  return stdout;
}

/** Why a program cannot run here, or `undefined`. */
function missing(program, args) {
  const { error, status } = spawnSync(program, args, { stdio: "ignore", timeout: 60_000 });
  if (error) return `${program} is not installed`;
  return status === 0 ? undefined : `${program} ${args.join(" ")} fails`;
}

const run = {
  // The sample is a command line, so a shell reads it. The page has no --silent, and the progress goes to stderr.
  curl: (sample) => output("sh", ["-c", sample]),
  axios: (sample) => output(process.execPath, ["--input-type=commonjs", "--eval", sample]),
  php: (sample) => output("php", [], sample),
  java(sample) {
    // The page's lines stand in a method, and print nothing.
    const file = join(folder, "Sample.java");
    writeFileSync(file, `import okhttp3.*;
public class Sample {
public static void main(String[] arguments) throws Exception {
${sample}
System.out.write(response.body().bytes());
System.out.flush();
client.connectionPool().evictAll();
client.dispatcher().executorService().shutdown();
}
}
`);
    return output("java", ["-cp", okhttp.join(delimiter), file]);
  },
};

/** Runs a sample, and checks both what it got and what it sent. */
async function works(name) {
  await sandbox.forget();
  const printed = await run[name](pointed(name));
  const { token, exp } = JSON.parse(printed).data;
  assert.equal(printed.trimEnd(), JSON.stringify({ statusCode: 200, message: "Successful", data: { token, exp } }));
  const claims = JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString("utf8"));
  assert.deepEqual(Object.keys(claims), ["companyId", "iat", "exp"]);
  assert.equal(claims.exp, exp);
  assert.equal(claims.exp - claims.iat, 600);

  const requests = await sandbox.requests();
  assert.equal(requests.length, 1);
  const [request] = requests;
  assert.equal(request.method, "POST");
  assert.equal(request.path, "/v1/auth");
  assert.equal(request.bodyLength, 0);
  assert.equal(request.outcome, "answered");
  assert.deepEqual(valuesOf(request, "X-Environment"), ["Production"]);
  const [authorization] = valuesOf(request, "Authorization");
  assert.equal(Buffer.from(authorization.replace("Basic ", ""), "base64").toString("utf8"), "clé-de-test:secret : €");
  const others = request.headers
    .map(([header]) => header.toLowerCase())
    .filter((header) => !["x-environment", "authorization", "user-agent", ...added[name]].includes(header));
  assert.deepEqual(others, [], "no header is sent that the sample and its client are not known to send");

  const answer = await fetch(`${sandbox.url}/v1/balance`, { headers: { Authorization: `Bearer ${token}` } });
  assert.equal(answer.status, 200, "the token opens what it is for");
}

test("the curl sample gets a token", async () => {
  const problem = missing("curl", ["--version"]);
  assert.equal(problem, undefined, `${problem}; "apt-get install curl" (or brew, winget) installs it`);
  await works("curl");
});

test("the curl sample with a wrong secret gets the page's 401", async () => {
  assert.equal(await run.curl(pointed("curl", "another")), UNAUTHORIZED);
});

test("the credentials of the page are none", async () => {
  const sample = samples.curl.replace(HOST, sandbox.url);
  assert.equal(await run.curl(sample), UNAUTHORIZED);
});

test("the axios sample gets a token", () => works("axios"));

test("the axios sample with a wrong secret reports the status", async () => {
  const printed = await run.axios(pointed("axios", "another"));
  assert.match(printed, /Request failed with status code 401/);
  assert.match(printed, /reason: 'Identifiants API incorrects\./);
});

const php = missing("php", ["-r", "exit(function_exists('curl_init') ? 0 : 1);"]);
if (php === undefined) test("the PHP sample gets a token", () => works("php"));
else console.log(`The PHP sample was not run: ${php}.`);

// Where Debian's libokhttp-java puts OkHttp and what it needs; Maven is not asked for them.
const okhttp = ["/usr/share/java/okhttp.jar", "/usr/share/java/okio.jar"];
const java = okhttp.every((jar) => existsSync(jar)) ? missing("java", ["--version"]) : "OkHttp is not installed";
if (java === undefined) test("the Java sample gets a token", () => works("java"));
else console.log(`The Java sample was not run: ${java}.`);
