// `npx digitalpaye-auth emulator`, from the installed package: served, asked by the vendor's own samples, ended.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { delimiter, join } from "node:path";
import { describe, test } from "node:test";
import { createInterface } from "node:readline";
import { must, which } from "../../scripts/lib/process.mjs";
import { temporaryFolder } from "../../scripts/lib/temporary.mjs";
import { blocksOf } from "../docs/extract.mjs";
import { outcomeOf } from "../lib/child.mjs";
import { installed } from "../lib/install.mjs";
import { startServer } from "../lib/server.mjs";
import { UNAUTHORIZED, cases } from "./cases.mjs";
import { runCases } from "./run.mjs";

const command = join(await installed(), "node_modules", ".bin", "digitalpaye-auth");

/** Starts it on a free port, and waits until it listens. */
async function start(t, args = ["--port", "0"]) {
  const child = spawn(command, ["emulator", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(child, "exit");
  t.after(() => child.kill("SIGKILL"));
  let output = "";
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text) => { errors += text; });
  const lines = createInterface({ input: child.stdout }).on("line", (line) => { output += `${line}\n`; });
  const value = (name) => new RegExp(`^ +${name} +(.+)$`, "m").exec(output)?.[1];
  while (!output.includes("Ctrl-C")) {
    const [line] = await Promise.race([once(lines, "line"), ended.then(() => [])]);
    if (line === undefined) throw new Error(`it ended: ${errors}`);
  }
  return {
    child, ended, url: value("DIGITALPAYE_BASE_URL"), apiKey: value("DIGITALPAYE_API_KEY"), apiSecret: value("DIGITALPAYE_API_SECRET"),
    output: () => output, errors: () => errors,
  };
}

const run = (...args) => spawnSync(command, ["emulator", ...args], { encoding: "utf8", timeout: 30_000 });

test("it gives tokens and takes them, and logs without secrets", async (t) => {
  const api = await start(t);
  assert.deepEqual([api.apiKey, api.apiSecret], ["emulator_key", "emulator_secret"]);
  const basic = btoa(`${api.apiKey}:${api.apiSecret}`);
  const answer = await fetch(`${api.url}/v1/auth?secret=in-a-query`, { method: "POST", headers: { Authorization: `Basic ${basic}` } });
  const { data: { token } } = await answer.json();
  assert.equal((await fetch(`${api.url}/v1/balance`, { headers: { Authorization: `Bearer ${token}` } })).status, 200);
  assert.equal((await fetch(`${api.url}/v1/balance`, { headers: { Authorization: "a-secret-by-itself" } })).status, 401);
  assert.equal((await fetch(`${api.url}/v1/auth`, { method: "POST", body: "x".repeat(1e6) })).status, 400);
  api.child.kill("SIGTERM");
  assert.deepEqual(await api.ended, [0, null]);
  const log = api.output().split("Ctrl-C stops it.\n\n")[1].trim().split("\n").map((line) => line.replace(/, \d+ ms$/, ""));
  assert.deepEqual(log, ["POST /v1/auth (Basic ***): 200", "GET /v1/balance (Bearer ***): 200", "GET /v1/balance (***): 401", "POST /v1/auth: 400"]);
  for (const secret of [basic, token, "in-a-query", "a-secret-by-itself"]) assert.ok(!api.output().includes(secret));
  assert.equal(api.errors(), "");
});

test("it answers as the emulator does: the cases that need no script and no clock", async (t) => {
  const api = await start(t);
  const plain = cases.filter(({ steps }) => steps.every(({ script, advance, revoke }) => !script && !advance && !revoke))
    .filter(({ steps }) => steps.every(({ status, company }) => status !== 200 && !company))
    // A browser's preflight, too.
    .concat({ name: "preflight", steps: cases.find(({ headers }) => headers === "any").steps.slice(1, 3) });
  assert.ok(plain.length >= 4);
  const results = await runCases(plain, () => ({ url: api.url, fetch }));
  assert.deepEqual(results.filter(({ error }) => error), []);
});

for (const signal of ["SIGINT", "SIGTERM"]) {
  test(`${signal} ends it with 0, also while a client keeps its connection`, async (t) => {
    const api = await start(t);
    await (await fetch(`${api.url}/`)).text();
    api.child.kill(signal);
    assert.deepEqual(await api.ended, [0, null]);
  });
}

test("what no request can be made of is answered, and ends nothing", async (t) => {
  const api = await start(t);
  for (const head of ["TRACE / HTTP/1.1", "GET http://other.example/ HTTP/1.1", "OPTIONS * HTTP/1.1"]) {
    const socket = connect(Number(new URL(api.url).port), "127.0.0.1");
    socket.end(`${head}\r\nHost: h\r\nConnection: close\r\n\r\n`);
    let text = "";
    for await (const chunk of socket) text += chunk;
    assert.match(text, /^HTTP\/1\.1 400 /, head);
  }
  assert.equal((await fetch(`${api.url}//x/..%2f`)).status, 404);
});

test("a port that is taken is one line and exit code 1", async () => {
  const { port, stop } = await startServer();
  const { code: status, stdout, stderr } = await outcomeOf(spawn(command, ["emulator", "--port", String(port)]));
  await stop();
  assert.deepEqual([status, stdout], [1, ""]);
  assert.equal(stderr, `digitalpaye-auth emulator: port ${port} is taken on 127.0.0.1; --port 0 takes a free one\n`);
});

test("a bad option is one line and exit code 2", () => {
  for (const args of [["--prot", "1"], ["--port"], ["--port", "x"], ["--port", "-1"], ["--port", "65536"], ["--port", "1", "--port", "2"], ["here"], ["--port", "1.5"], ["--port", ""], ["--port="], ["--port=1", "--port=2"],
    ["--help=yes"], ["-x"], ["--"], ["--port", "1", "here"]]) {
    const { status, stdout, stderr } = run(...args);
    assert.equal(status, 2, args.join(" "));
    assert.equal(stdout, "");
    assert.match(stderr, /^digitalpaye-auth emulator: [^\n]+ \(see --help\)\n$/);
  }
});

test("without WebAssembly: one line and exit code 1", () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--jitless", command, "emulator", "--port", "0"], { encoding: "utf8", timeout: 30_000 });
  assert.deepEqual([status, stdout], [1, ""]);
  // Node.js has a line of its own for the flag.
  assert.match(stderr, /^(?:Warning: [^\n]+\n)?digitalpaye-auth emulator: this runtime has no WebAssembly[^\n]+\n$/);
});

test("what is no option of it may be a secret, and is not repeated", () => {
  for (const args of [["sk-value-1"], ["--apiSecret=sk-value-1"], ["--port", "sk-value-1"], ["--sk-value-1"], ["-h=sk-value-1"]]) {
    const { status, stderr } = run(...args);
    assert.equal(status, 2, args.join(" "));
    assert.doesNotMatch(stderr, /value-1/);
  }
  assert.match(run("--prot", "1").stderr, /: unknown option --prot \(/);
});

test("--help is the whole of it", () => {
  for (const args of [["--help"], ["-h"], ["--port", "x", "--help"]]) {
    const { status, stdout, stderr } = run(...args);
    assert.deepEqual([status, stderr], [0, ""]);
    assert.match(stdout, /--port N/);
  }
});

test("a reader that has gone ends nothing", async (t) => {
  const api = await start(t);
  api.child.stdout.destroy();
  api.child.stderr.destroy();
  for (let count = 0; count < 3; count++) assert.equal((await fetch(`${api.url}/`)).status, 404);
  api.child.kill("SIGTERM");
  assert.deepEqual(await api.ended, [0, null]);
});

describe("the vendor's samples, as the pages have them", () => {
  const okhttp = ["/usr/share/java/okhttp.jar", "/usr/share/java/okio.jar"];
  const folder = temporaryFolder("digitalpaye-auth-samples");
  const programs = {
    "token.sh": { there: () => which("curl"), run: (file) => ["sh", [file]] },
    "token.php": { there: () => which("php") && spawnSync("php", ["-r", "exit(function_exists('curl_init') ? 0 : 1);"]).status === 0, run: (file) => ["php", [file]] },
    "token.java": {
      there: () => which("java") && okhttp.every((jar) => existsSync(jar)),
      wrap: (code) => `import okhttp3.*;\npublic class Sample {\npublic static void main(String[] arguments) throws Exception {\n${code}System.out.write(response.body().bytes());\nSystem.out.flush();\nclient.connectionPool().evictAll();\nclient.dispatcher().executorService().shutdown();\n}\n}\n`,
      run: (file) => ["java", ["-cp", okhttp.join(delimiter), file]],
    },
  };
  for (const page of ["emulator.md", "emulator.fr.md"]) {
    const blocks = blocksOf(readFileSync(new URL(`../../docs/${page}`, import.meta.url), "utf8"));
    for (const [name, { there, wrap = (code) => code, run: how }] of Object.entries(programs)) {
      if (!there()) {
        assert.notEqual(name, "token.sh", "curl has to be there");
        console.log(`${name} of ${page} was not run: it is not installed.`);
        continue;
      }
      test(`${name} of ${page} gets a token, and the page's 401 with another secret`, async (t) => {
        const api = await start(t);
        const { code } = blocks.find((block) => block.name === name);
        const given = btoa(`${api.apiKey}:${api.apiSecret}`);
        assert.ok(code.includes(given) && code.includes("http://127.0.0.1:8787/"));
        const output = async (credentials) => {
          const file = join(folder, name.replace("token.java", "Sample.java"));
          writeFileSync(file, wrap(code.replace("127.0.0.1:8787", new URL(api.url).host).replace(given, credentials)));
          const [program, args] = how(file);
          return (await must(program, args, { timeout: 60_000 })).stdout.trim();
        };
        const { token, exp } = JSON.parse(await output(given)).data;
        assert.equal(JSON.parse(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"))).exp, exp);
        assert.equal((await fetch(`${api.url}/v1/balance`, { headers: { Authorization: `Bearer ${token}` } })).status, 200);
        assert.equal(await output(btoa("emulator_key:another")), UNAUTHORIZED);
      });
    }
  }
});
