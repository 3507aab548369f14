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
  const of = (folder) => pages.filter((name) => name.startsWith(`${folder}/index.`)).map((name) => name.slice(folder.length + 7, -5)).sort();
  const classes = Object.keys(api).filter((name) => name !== "authenticate").sort();
  assert.deepEqual(of("classes"), classes);
  assert.deepEqual(of("functions"), ["authenticate"]);
  assert.deepEqual(of("types"), ["AuthErrorCode", "AuthEvent"]);
  assert.ok(pages.includes(join("functions", "stores_redis.redisStore.html")));
  assert.ok(pages.includes(join("functions", "stores_workers-kv.workersKvStore.html")));
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
