// docs/command.md and its French twin: their scripts are run as they are, their report is one that the doctor made.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { temporaryFolder } from "../../scripts/lib/temporary.mjs";
import { blocksOf, codeOf, headingsOf, proseOf, tablesOf } from "../docs/extract.mjs";
import { authority } from "../faults/authority.mjs";
import { installed } from "../lib/install.mjs";
import { startTokens } from "../lib/tokens.mjs";
import { PAGE } from "../lib/replies.mjs";
import { configured, credentials, doctor, startApi, stopAll } from "./command.mjs";

const api = await startTokens();
after(() => api.stop());
after(stopAll);
const documents = { english: "command.md", french: "command.fr.md" };
const [english, french] = Object.values(documents).map((name) => readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8"));
const block = (markdown, name) => blocksOf(markdown).find((each) => each.name === name).code;

/** Runs a script where the package is installed, against the test's API; `home` is a folder of its own. */
async function run(code, { env = configured, home } = {}) {
  const consumer = await installed();
  return new Promise((resolve) => {
    // npx would ask the registry whether there is a newer npm.
    const npm = { npm_config_update_notifier: "false", npm_config_offline: "true" };
    const child = execFile("sh", ["-c", code.replaceAll("https://api.digitalpaye.com", api.url)], {
      cwd: consumer, timeout: 60_000, env: { PATH: process.env.PATH, HOME: home ?? process.env.HOME, DIGITALPAYE_BASE_URL: api.url, ...npm, ...env },
    }, (error, stdout, stderr) => resolve({ status: child.exitCode, stdout, stderr }));
  });
}

describe("scripts", () => {
  for (const [language, markdown] of Object.entries({ english, french })) {
    test(`${language}: balance.sh`, async () => {
      const { status, stdout } = await run(block(markdown, "balance.sh"));
      assert.equal(status, 0);
      assert.equal(JSON.parse(stdout).headers.authorization, `Bearer ${api.tokens.at(-1)}`);
    });

    test(`${language}: payments.sh makes one exchange, and asks nothing without a token`, async () => {
      const [exchanges, requests] = [api.count, api.requests.length];
      assert.equal((await run(block(markdown, "payments.sh"))).status, 0);
      assert.deepEqual([api.count - exchanges, api.requests.length - requests], [1, 2]);
      const without = await run(block(markdown, "payments.sh"), { env: {} });
      assert.equal(without.status, 2);
      assert.match(without.stderr, /^invalid_options: /);
      assert.equal(api.requests.length - requests, 2);
    });

    test(`${language}: nightly.sh, with a token and without`, async () => {
      const home = temporaryFolder("digitalpaye-auth-cron");
      const variables = (secret) => writeFileSync(join(home, ".digitalpaye.env"), `DIGITALPAYE_API_KEY='${credentials.apiKey}'\nDIGITALPAYE_API_SECRET='${secret}'\n`);
      variables(credentials.apiSecret);
      assert.deepEqual(await run(block(markdown, "nightly.sh"), { env: {}, home }), { status: 0, stdout: "", stderr: "" });
      assert.equal(JSON.parse(readFileSync(join(home, "balance.json"), "utf8")).headers.authorization, `Bearer ${api.tokens.at(-1)}`);
      variables("");
      assert.deepEqual(await run(block(markdown, "nightly.sh"), { env: {}, home }), { status: 1, stdout: "", stderr: "no token: see digitalpaye.log\n" });
      assert.match(readFileSync(join(home, "digitalpaye.log"), "utf8"), /^invalid_options: /);
    });
  }
});

/** A report without what differs from machine to machine. */
const canonical = (report) => report
  .replace(/\d{4}-\d\d-\d\d \d\d:\d\d UTC/, "DATE")
  .replace(/^( {2}· digitalpaye-auth +)\S+$/m, "$1VERSION")
  .replace(/^ {2}· Node\.js .*$/m, "NODE")
  .replace(/^ {2}· NODE_EXTRA_CA_CERTS .*\n( {29}.*\n)?/m, "")
  .replace(/\d+ ms/g, "MS")
  // How far the clocks differ is a matter of when it is asked.
  .replace(/(?<=(?:to|à) )\d+(?= s\b)/, "SECONDS")
  .replace(/port \d+/, "PORT")
  .replace(/^ {2}[✓!] (TLS +TLSv1\.3, [\p{L} ]+?) (?:by|d[e’]) ?[Aa]uthor.*$/mu, "$1");

test("the report is one that the doctor made", async (t) => {
  // The name leads to this machine, and the report says another address, so that it looks like one.
  const preload = `import dns from "node:dns"; import { syncBuiltinESMExports } from "node:module";
    const { lookup } = dns;
    dns.lookup = (host, ...rest) => lookup(host.endsWith(".example") ? "127.0.0.1" : host, ...rest);
    dns.promises.lookup = async () => [{ address: "203.0.113.7", family: 4 }];
    syncBuiltinESMExports();`;
  const certificates = await authority();
  const server = await startApi((_, __, each) => each.json(401, PAGE[401]), { tls: certificates["wrong host"] });
  const env = {
    DIGITALPAYE_BASE_URL: `https://api.digitalpaye.example:${server.port}`, NODE_EXTRA_CA_CERTS: certificates.file,
    DIGITALPAYE_API_SECRET: "'quoted-secret'", DIGITALPAYE_PUBLIC_KEY: "pk-value-1",
  };
  for (const [locale, markdown] of [["en", english], ["fr", french]]) {
    await t.test(locale, async () => {
      const { stdout, status } = await doctor({ ...env, LC_ALL: locale }, [], { flags: ["--import", `data:text/javascript,${encodeURIComponent(preload)}`], secrets: ["quoted-secret", "pk-value-1"] });
      assert.equal(status, 1);
      assert.equal(canonical(stdout), canonical(block(markdown, "report")));
    });
  }
});

describe("English and French", () => {
  test("have the same headings, tables and blocks", () => {
    const shape = (markdown) => ({
      headings: headingsOf(markdown).map(({ level }) => level),
      tables: tablesOf(markdown).map(({ header, rows }) => [header.length, ...rows.map((row) => codeOf(row[0]))].filter((cell) => cell !== undefined)),
      blocks: blocksOf(markdown).filter(({ name }) => name !== "report"),
    });
    const [ours, theirs] = [english, french].map((markdown) => {
      const { blocks, ...rest } = shape(markdown);
      return { ...rest, blocks: blocks.map(({ language, name, code }) => ({ language, name, code })) };
    });
    assert.deepEqual(theirs, ours);
  });

  test("French is typeset", () => {
    const prose = proseOf(french).replace(/`[^`\n]*`/g, "");
    assert.deepEqual(prose.match(/.{0,20}\p{L}'\p{L}.{0,20}/gu) ?? [], []);
    assert.deepEqual(prose.match(/.{0,20} [:;?!»](?=[\s|*]).{0,20}/gu) ?? [], []);
  });
});
