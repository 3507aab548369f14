// The API reference, as `npm run build` makes it of the package's declarations.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import * as api from "digitalpaye-auth";

const reference = fileURLToPath(new URL("../dist/api", import.meta.url));
const pages = readdirSync(reference, { recursive: true }).filter((name) => name.endsWith(".html"));

test("every export has a page, and nothing else has", () => {
  const of = (folder) => pages.filter((name) => name.startsWith(`${folder}/digitalpaye-auth.`)).map((name) => name.slice(folder.length + 18, -5)).sort();
  const classes = Object.keys(api).filter((name) => name !== "authenticate").sort();
  assert.deepEqual(of("classes"), classes);
  assert.deepEqual(of("functions"), ["authenticate"]);
  assert.deepEqual(of("types"), ["AuthErrorCode", "AuthEvent"]);
});

test("every entry has a page, and what it exports", () => {
  const { exports } = JSON.parse(readFileSync(new URL("../../pkg/package.json", import.meta.url), "utf8"));
  const entries = Object.keys(exports).filter((path) => path !== "./package.json");
  assert.deepEqual(
    pages.filter((name) => name.startsWith("modules/")).sort(),
    entries.map((path) => `modules/${`digitalpaye-auth${path.slice(1)}`.replaceAll("/", "_")}.html`).sort(),
  );
  for (const name of ["stores_redis.redisStore", "stores_workers-kv.workersKvStore", "stores_durable-object.durableObjectStore", "stores_testing.testStore", "emulator.createEmulator"]) {
    assert.ok(pages.includes(join("functions", `digitalpaye-auth_${name}.html`)), name);
  }
});

test("its first page is the front page of the README, and leads to every page of the documentation", () => {
  const html = readFileSync(join(reference, "index.html"), "utf8");
  assert.match(html, /Call the Digitalpaye API with a token that is always valid/);
  const documents = readdirSync(new URL("../../docs/", import.meta.url)).filter((name) => /^[\w-]+\.md$/.test(name));
  for (const name of documents) assert.ok(pages.includes(join("documents", name.replace(/\.md$/, ".html"))), name);
  for (const name of ["errors", "options", "events", "stores", "emulator"]) assert.ok(html.includes(`href="documents/${name}.html`), name);
});

test("its main entry is in groups", () => {
  const html = readFileSync(join(reference, "modules", "digitalpaye-auth.html"), "utf8");
  const groups = [...html.matchAll(/<h2 [^>]*>([^<]+)</g)].map(([, group]) => group);
  assert.deepEqual(groups, ["Tokens", "Options", "Errors", "Stores"]);
});

test("every link between its pages leads somewhere, and no page asks another machine for anything", () => {
  for (const page of pages) {
    const html = readFileSync(join(reference, page), "utf8");
    for (const [, address] of html.matchAll(/<(?:link|script|img)[^>]* (?:href|src)="([^"]*)"/g)) assert.doesNotMatch(address, /^(https?:)?\/\//, page);
    for (const [, address] of html.matchAll(/<a [^>]*href="([^"#]+)[^"]*"/g)) {
      if (/^https:/.test(address)) continue;
      assert.ok(readFileSync(join(reference, page, "..", address)), `${page}: ${address}`);
    }
  }
});
