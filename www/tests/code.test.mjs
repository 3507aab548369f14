// The examples of the third tab, run as they are shown, over the installed package; and the words of the page.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import test, { after, before } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { temporaryFolder } from "../../scripts/lib/temporary.mjs";
import { installed } from "../../tests/lib/install.mjs";
import { startSandbox } from "../../tests/lib/sandbox.mjs";
import { places } from "../src/code/snippets.js";
import { decode, lifeOf, stageOf, windowsOf } from "../src/token.js";
import { typeset } from "../src/typography.js";
import en from "../src/words/en.js";
import fr from "../src/words/fr.js";

const run = promisify(execFile);
const books = { en, fr };
const folder = temporaryFolder("digitalpaye-auth-examples");
let sandbox;
let env;

before(async () => {
  sandbox = await startSandbox({});
  cpSync(join(await installed(), "node_modules"), join(folder, "node_modules"), { recursive: true });
  env = {
    PATH: process.env.PATH, PORT: "0", DIGITALPAYE_API_KEY: sandbox.apiKey, DIGITALPAYE_API_SECRET: sandbox.apiSecret,
    DIGITALPAYE_BASE_URL: sandbox.url, DIGITALPAYE_ENVIRONMENT: "Sandbox",
  };
});

after(() => sandbox?.stop());

function write(id, language) {
  for (const { name, source } of places.find((place) => place.id === id).files) {
    writeFileSync(join(folder, name), source(books[language].comments));
  }
}

for (const language of Object.keys(books)) {
  test(`the example for Node, ${language}`, async () => {
    write("node", language);
    const { stdout } = await run(process.execPath, ["token.mjs"], { cwd: folder, env, timeout: 20_000 });
    assert.match(stdout, /^\d+ characters, until \d{4}-[^]*\n200 /);
    const refused = await run(process.execPath, ["token.mjs"], { cwd: folder, env: { ...env, DIGITALPAYE_API_SECRET: "wrong" }, timeout: 20_000 })
      .catch((error) => error);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /^unauthorized Identifiants API incorrects/);
  });

  test(`the example for a worker, ${language}`, async () => {
    write("worker", language);
    const { default: worker } = await import(`${pathToFileURL(join(folder, "worker.mjs"))}?${language}`);
    const response = await worker.fetch(new Request("https://worker.example/"), env);
    assert.equal(response.status, 200);
    assert.equal((await response.json()).statusCode, 200);
  });

  test(`the example for a page and its server, ${language}`, async () => {
    write("page", language);
    const server = spawn(process.execPath, ["server.mjs"], { cwd: folder, env, stdio: ["ignore", "pipe", "inherit"] });
    try {
      const [url] = await new Promise((line, fail) => {
        createInterface({ input: server.stdout }).once("line", (text) => line([text]));
        server.once("exit", (code) => fail(new Error(`the server ended with ${code}`)));
      });
      assert.match(await (await fetch(url)).text(), /fetch\("\/api\/balance"\)/);
      assert.equal((await (await fetch(`${url}api/balance`)).json()).statusCode, 200);
    } finally {
      server.kill();
    }
  });
}

test("both languages say the same things, with the same values", () => {
  const shape = (book, path = "") => Object.entries(book).flatMap(([key, entry]) => {
    if (typeof entry === "object") return shape(entry, `${path}${key}.`);
    const values = typeof entry === "string" ? [...entry.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort().join() : "function";
    return [`${path}${key} ${values}`];
  });
  assert.deepEqual(shape(fr).sort(), shape(en).sort());
});

test("French is set with its spaces, code is left alone", () => {
  assert.equal(typeset("Quoi ? « l'API » : `a : b ?` 20 s", "fr"), "Quoi\u202f? «\u00a0l’API\u00a0»\u00a0: `a : b ?` 20\u00a0s");
  assert.equal(typeset("It's 20 s: `it's`", "en"), "It’s 20\u00a0s: `it's`");
});

test("a token is read as the package reads it", () => {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const jwt = (claims) => `${part({ alg: "HS256" })}.${part(claims)}.c2ln`;
  assert.equal(lifeOf({ token: jwt({ iat: 1_000, exp: 1_600 }), exp: 1_600 }), 600);
  assert.equal(lifeOf({ token: jwt({ iat: 1_000, exp: 1_600 }), exp: 1_300 }), 300);
  assert.equal(Math.round(lifeOf({ token: "opaque", exp: Math.round(Date.now() / 1_000) + 60 })), 60);
  assert.equal(decode(jwt({ companyId: "Société à l’œuvre" })).claims.companyId, "Société à l’œuvre");
  for (const odd of ["", "a.b", "a.b.c", `${part([])}.${part({})}.x`, `${part({})}.${part(null)}.x`]) assert.equal(decode(odd), undefined);
  assert.deepEqual(windowsOf(600), { soft: 120, hard: 10 });
  assert.deepEqual(windowsOf(20), { soft: 4, hard: 1 });
  assert.deepEqual([10, 4, 1, 0].map((left) => stageOf(left, windowsOf(20))), ["fresh", "soft", "hard", "past"]);
});
