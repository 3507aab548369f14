// What the examples consist of: small, the same in both languages, and nothing that only a clone has.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { describe, test } from "node:test";
import { pkg, root } from "../../scripts/lib/paths.mjs";
import { ask } from "../../scripts/lib/process.mjs";
import { blocksOf, headingsOf, linksOf, proseOf, tablesOf } from "../docs/extract.mjs";
import { EXAMPLES, LANGUAGES, folderOf } from "./project.mjs";

const { version } = JSON.parse(readFileSync(join(pkg, "package.json"), "utf8"));
const read = (name, file) => readFileSync(join(folderOf(name), file), "utf8");
const lines = (text) => text.trimEnd().split("\n").length;
const filesOf = (name) => ask("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { cwd: folderOf(name) }).split("\n");
const isCode = (file) => /\.(js|mjs|ts|tsx)$/.test(file);

for (const name of EXAMPLES) {
  describe(name, () => {
    const manifest = JSON.parse(read(name, "package.json"));
    const declared = { ...manifest.dependencies, ...manifest.devDependencies };
    const code = filesOf(name).filter(isCode);

    test("is of this version of the package", () => assert.equal(manifest.dependencies["digitalpaye-auth"], version));

    test("is small: 20 to 60 lines of code besides dev.js, none of them longer than 140 characters", () => {
      const counts = code.filter((file) => !/^dev\.m?js$/.test(file)).map((file) => lines(read(name, file)));
      assert.ok(Math.max(...counts) >= 20 && Math.max(...counts) <= 60, `${counts}`);
      for (const file of code) for (const line of read(name, file).split("\n")) assert.ok(line.length <= 140, `${file}: ${line}`);
    });

    test("imports what it declares, and declares what it imports", () => {
      const packages = code.flatMap((file) => [...read(name, file).matchAll(/^(?:import|export)\b.*?"([^".][^"]*)";$/gm)])
        .map(([, specifier]) => specifier).filter((specifier) => !specifier.startsWith("node:") && specifier !== "cloudflare:workers");
      for (const specifier of packages) {
        assert.ok(!builtinModules.includes(specifier), `${specifier} without node:`);
        // Next.js brings this one.
        const found = specifier === "server-only" || Object.keys(declared).some((each) => specifier === each || specifier.startsWith(`${each}/`));
        assert.ok(found, specifier);
      }
      assert.ok(packages.includes("digitalpaye-auth"));
    });

    test("takes key and secret from the environment, tells of events, and has no secret of its own", () => {
      const text = code.map((file) => read(name, file)).join("\n");
      assert.match(text, /DigitalpayeAuth\.fromEnv\(/);
      assert.match(text, /onEvent:/);
      assert.match(text, /"Idempotency-Key": `/);
      assert.doesNotMatch(text, /apiKey|apiSecret/);
      const sample = filesOf(name).filter((file) => file.endsWith(".example"));
      assert.equal(sample.length, 1);
      assert.match(read(name, sample[0]), /^DIGITALPAYE_API_KEY=\nDIGITALPAYE_API_SECRET=\n/);
      assert.ok(read(name, ".gitignore").split("\n").includes(sample[0].replace(".example", "")));
    });

    test("its READMEs have at most 30 lines, and say the same", () => {
      const [english, french] = LANGUAGES.map((file) => read(name, file));
      for (const text of [english, french]) {
        assert.ok(lines(text) <= 30);
        assert.ok(text.split("\n").every((line) => line.length <= 140));
      }
      assert.deepEqual(blocksOf(french).map(({ name: block, code: body }) => [block, body]), blocksOf(english).map(({ name: block, code: body }) => [block, body]));
      assert.deepEqual(headingsOf(french).map(({ level }) => level), headingsOf(english).map(({ level }) => level));
      assert.deepEqual(tablesOf(french).map(({ rows }) => rows.length), tablesOf(english).map(({ rows }) => rows.length));
      const names = (text) => [...proseOf(text).matchAll(/`([^`\n]+)`/g)].map(([, word]) => word).sort();
      assert.deepEqual(names(french), names(english));
      const prose = proseOf(french).replace(/`[^`\n]*`/g, "");
      assert.doesNotMatch(prose, /\p{L}'\p{L}| [:;?!»](?=[\s|*])/u);
    });

    test("its READMEs name files and scripts that are there", () => {
      for (const readme of LANGUAGES) {
        const text = read(name, readme);
        for (const [, file] of text.matchAll(/`([\w./[\]-]+\.(?:js|ts|tsx|json|example))`/g)) assert.ok(existsSync(join(folderOf(name), file)), file);
        for (const [, script] of text.matchAll(/npm (?:run )?(dev|build|start|deploy|pay)\b/g)) assert.ok(manifest.scripts[script], script);
      }
    });
  });
}

test("links lead somewhere, French ones to pages in French", () => {
  for (const folder of ["", ...EXAMPLES]) {
    for (const readme of LANGUAGES) {
      const targets = linksOf(read(folder, readme)).filter((target) => !target.startsWith("https:"));
      assert.ok(targets.length > 0);
      for (const target of targets) assert.ok(existsSync(join(folderOf(folder), target)), `${folder}/${readme}: ${target}`);
    }
  }
  assert.deepEqual(linksOf(read("", "README.fr.md")).slice(1), linksOf(read("", "README.md")).slice(1).map((target) => target.replace("README.md", "README.fr.md")));
});

test("the list of examples has each, and the times of each, in both languages", () => {
  const numbers = LANGUAGES.map((readme) => {
    const [what, times] = tablesOf(read("", readme));
    for (const { rows } of [what, times]) assert.deepEqual(rows.map(([cell]) => /^\[(\w+)\]/.exec(cell)[1]), EXAMPLES);
    for (const [, ...cells] of times.rows) {
      const [install, token, together] = cells.map((cell) => Number(cell.replace(",", ".").replace(/\ss$/, "")));
      assert.ok(Math.abs(install + token - together) < 0.11, `${cells}`);
    }
    assert.match(read("", readme), /\d{4}-\d\d-\d\d[^\n]*`npm run check examples -- --write`/);
    return times.rows.map((row) => row.slice(1).map((cell) => cell.replace(",", ".").replace("\u00a0", " ")));
  });
  assert.deepEqual(numbers[1], numbers[0]);
});

test("dev.js is the same everywhere, but for how wrangler is told of variables", () => {
  const scripts = EXAMPLES.map((name) => [name, read(name, name === "next" ? "dev.mjs" : "dev.js")]);
  const [, usual] = scripts.find(([name]) => name === "express");
  const different = scripts.filter(([, text]) => text !== usual);
  assert.deepEqual(different.map(([name]) => name), ["workers"]);
  const starts = /\n {2}const bindings.*|\n {2}program = node\(.*/g;
  assert.equal(different[0][1].replaceAll(starts, ""), usual.replaceAll(starts, ""));
});

test("no README holds their code", () => {
  const readmes = ["README.md", "README.fr.md", ...EXAMPLES.flatMap((name) => LANGUAGES.map((file) => join("examples", name, file)))];
  for (const readme of readmes) assert.doesNotMatch(readFileSync(join(root, readme), "utf8"), /^const PAYMENTS = /m, readme);
});
