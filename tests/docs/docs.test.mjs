// The documentation says what the package is: names, codes, options, versions, links, and the tests that it names.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { describe, test } from "node:test";
import { root } from "../../scripts/lib/paths.mjs";
import { importInstalled } from "../lib/install.mjs";
import { partOf } from "../lib/marks.mjs";
import { blocksOf, codeOf, headingsOf, linksOf, tablesOf } from "./extract.mjs";
import { pages, read } from "./pages.mjs";
import { stages } from "../../scripts/lib/stages.mjs";

const frontPages = ["README.md", "README.fr.md"];
const documents = [...pages.flatMap(({ en, fr }) => [en, fr]), "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md",
  "tests/README.md", "tests/sandbox/README.md", "tests/faults/README.md", "tests/fuzz/README.md", "tests/soak/README.md", "tests/fuzz/rust/README.md"];
const types = read("pkg/index.d.ts");

/** The table whose first row begins with `code`. */
function tableOf(markdown, code) {
  const table = tablesOf(markdown).find(({ rows }) => codeOf(rows[0][0]) === code);
  assert.ok(table, `no table begins with ${code}`);
  return table.rows;
}

/** The members that the declarations give a type: name, and the comment above it. */
function membersOf(declaration, keyword = "interface") {
  const body = new RegExp(`export ${keyword} ${declaration} (?:extends \\w+ )?\\{\\n([^]*?)\\n\\}`).exec(types)[1];
  return [...body.matchAll(/^ {2}\/\*\*([^]*?)\*\/\n {2}(?:readonly )?(\w+|\[Symbol\.\w+\])(?=[?:(])/gm)]
    .map(([, comment, name]) => ({ name, comment: comment.replace(/\s*\n\s*\*?\s*/g, " ") }));
}

describe("the front page", () => {
  for (const document of frontPages) {
    test(`${document} has 200 lines at most, and begins with a payment`, () => {
      const markdown = read(document);
      assert.ok(markdown.split("\n").length - 1 <= 200);
      const [install, payment] = blocksOf(markdown);
      assert.equal(install.name, "install");
      assert.match(payment.code, /createEmulator\(\)[^]*auth\.fetch\("v1\/payments", \{\n {2}method: "POST"/);
    });

    test(`${document} leads to every code of an error, and to every page`, async () => {
      const { AuthError, ...exported } = await importInstalled();
      const codes = Object.values(exported).filter((value) => Object.getPrototypeOf(value) === AuthError).map((value) => new value("").code);
      const links = linksOf(read(document));
      const errors = links.filter((link) => link.startsWith("docs/errors")).map((link) => link.split("#")[1]);
      assert.deepEqual(errors.sort(), codes.sort());
      const language = document.includes(".fr.") ? "fr" : "en";
      const linked = new Set(links.map((link) => link.replace(/#.*/, "")));
      for (const page of pages) {
        if (page.en !== "README.md" && !/frameworks/.test(page.en)) assert.ok(linked.has(page[language]), `no link to ${page[language]}`);
      }
    });
  }
});

describe("generated tables", () => {
  for (const [name, places] of Object.entries({ runtimes: ["docs/runtimes.md", "docs/runtimes.fr.md"], bench: ["docs/performance.md", "docs/performance.fr.md"] })) {
    for (const place of places) test(`${place} has a place for ${name}`, () => assert.ok(partOf(read(place), name)));
  }
});

for (const document of ["docs/errors.md", "docs/errors.fr.md"]) {
  const markdown = read(document);
  describe(document, () => {
    test("the errors' table is that of the package", async () => {
      const exported = await importInstalled();
      const { AuthError } = exported;
      const classes = Object.values(exported).filter((value) => Object.getPrototypeOf(value) === AuthError);
      const yes = /^(yes|oui)$/;
      const no = /^(no|non)$/;
      const rows = tableOf(markdown, "InvalidOptionsError");
      assert.deepEqual(rows.map(([name]) => codeOf(name)).sort(), classes.map(({ name }) => name).sort());
      for (const [name, code, when, retryable, what] of rows) {
        const error = new exported[codeOf(name)]("");
        assert.equal(codeOf(code), error.code);
        if (error.code === "unexpected_status") {
          assert.match(retryable, /^408 (only|seulement)$/);
          assert.deepEqual([408, 404].map((status) => new exported[codeOf(name)]("", { status }).retryable), [true, false]);
        } else assert.match(retryable, error.retryable ? yes : no);
        assert.ok(when && what);
      }
    });

    test("each class is given for the statuses that the table says", async () => {
      const { AuthError, authenticate } = await importInstalled();
      for (const [name, , when] of tableOf(markdown, "InvalidOptionsError")) {
        for (const [, digits] of when.matchAll(/\b[Ss]tatuts? (\d[\dx]{2})|\b[Ss]tatus (\d[\dx]{2})/g)) {
          const status = Number((digits ?? /\d[\dx]{2}/.exec(when)[0]).replaceAll("x", "0"));
          const answer = () => new Response("{}", { status });
          await assert.rejects(
            authenticate({ apiKey: "key", apiSecret: "secret", maxRetries: 0, fetch: async () => answer() }),
            (error) => AuthError.is(error) && error.name === codeOf(name) && error.status === status,
          );
        }
      }
    });

    test("each code has an anchor, with its cause, what to do and an example; its class names the address", async () => {
      const { AuthError, ...exported } = await importInstalled();
      const classes = Object.values(exported).filter((value) => Object.getPrototypeOf(value) === AuthError);
      assert.equal(classes.length, 11);
      const declarations = read("pkg/errors.d.ts");
      for (const { name, prototype } of classes) {
        const { code } = new prototype.constructor("");
        assert.ok(headingsOf(markdown).some(({ anchor }) => anchor === code), code);
        const part = markdown.split(`\n## ${code}\n`)[1].split("\n## ")[0];
        assert.match(part, /^\n\*\*Cause\.\*\* /);
        assert.match(part, /^\*\*(What to do|Que faire)\.\*\* /m);
        const [example] = blocksOf(part);
        assert.ok(example.code.includes(`instanceof ${name}`), code);
        const comment = declarations.split(`export class ${name} `)[0].split("/**").at(-1);
        assert.ok(comment.includes(`@see [What to do](docs/errors.md#${code})\n`), `${name} does not name docs/errors.md#${code}`);
        const row = tableOf(markdown, "InvalidOptionsError").find(([cell]) => codeOf(cell) === name);
        assert.equal(row[1], `[\`${code}\`](#${code})`);
      }
    });
  });
}

for (const document of ["docs/options.md", "docs/options.fr.md"]) {
  const markdown = read(document);
  describe(document, () => {
    test("the options are those of the types, with their defaults", () => {
      const more = membersOf("ClientOptions").map(({ name }) => name);
      const names = (first) => tableOf(markdown, first).map(([name]) => codeOf(name));
      assert.deepEqual(names("apiKey"), membersOf("AuthOptions").map(({ name }) => name));
      assert.deepEqual(names("store"), more);
      const force = /getToken\(this: void, call\?: CallOptions & \{ (\w+)\?: boolean/.exec(types)[1];
      assert.deepEqual(names("signal"), [...membersOf("CallOptions").map(({ name }) => name), force]);

      const defaults = new Map(tableOf(markdown, "apiKey").map(([name, , value]) => [codeOf(name), codeOf(value)]));
      for (const { name, comment } of membersOf("AuthOptions")) {
        const documented = /@default ("[^"]+"|\d+)/.exec(comment)?.[1];
        assert.equal(name === "fetch" ? undefined : defaults.get(name), documented, name);
      }
    });

    test("the methods are those of the class", async () => {
      const { DigitalpayeAuth } = await importInstalled();
      const documented = tableOf(markdown, "getToken(call?)").map(([cell]) => codeOf(cell).split("(")[0]);
      assert.deepEqual(documented, membersOf("DigitalpayeAuth", "class").map(({ name }) => name).filter((name) => name !== "constructor"));
      for (const name of documented) {
        assert.equal(typeof DigitalpayeAuth.prototype[name === "[Symbol.dispose]" ? Symbol.dispose ?? Symbol.for("Symbol.dispose") : name], "function");
      }
    });
  });
}

for (const document of ["docs/events.md", "docs/events.fr.md"]) {
  test(`${document} has every event of the types, with its members`, () => {
    const union = /export type AuthEvent =\n([^]*?);\n\n/.exec(types)[1];
    const events = union.split(/^ {2}\| /m).filter(Boolean).map((text) => {
      const members = [...text.matchAll(/readonly (\w+)\??:/g)].map(([, name]) => name).filter((name) => name !== "type");
      return [/type: "(\w+)"/.exec(text)[1], members.sort()];
    });
    assert.equal(events.length, 5);
    const rows = tableOf(read(document), "token");
    assert.deepEqual(rows.map(([type, , members]) => [codeOf(type), [...members.matchAll(/`(\w+)`/g)].map(([, name]) => name).sort()]), events);
    const explained = tableOf(read(document), "error").map(([name]) => codeOf(name));
    // What their row says of itself.
    const said = ["source", "problem"];
    assert.deepEqual(explained.sort(), [...new Set(events.flatMap(([, members]) => members))].filter((name) => !said.includes(name)).sort());
  });
}

describe("links", () => {
  for (const document of documents) {
    test(document, () => {
      for (const target of linksOf(read(document))) {
        if (/^https?:/.test(target)) {
          assert.ok(target.startsWith("https:"), target);
          continue;
        }
        const [path, anchor] = target.split("#");
        const file = path === "" ? document : posix.join(dirname(document), path);
        assert.ok(existsSync(join(root, file)), `${document} links to ${target}`);
        if (anchor !== undefined) {
          assert.ok(headingsOf(read(file)).some((heading) => heading.anchor === anchor), `${document} links to ${target}`);
        }
      }
    });
  }
});

describe("SECURITY.md", () => {
  // `path`: "name of a test", or, of Rust, `path`: `function`; an ellipsis in a name is what the test fills in.
  const promises = [...read("SECURITY.md").matchAll(/`(tests\/[^`]+|src\/[^`]+)`: ((?:(?:"[^"]+"|`\w+`)(?:, )?)+)/g)]
    .flatMap(([, path, names]) => [...names.matchAll(/"([^"]+)"|`(\w+)`/g)].map(([, text, rust]) => ({ path, name: text ?? rust, rust: Boolean(rust) })));

  test("names the tests of its promises", () => {
    assert.ok(promises.length >= 20);
    const rows = tablesOf(read("SECURITY.md")).filter(({ header }) => /tests?$/i.test(header.at(-1))).flatMap(({ rows }) => rows);
    assert.ok(rows.length >= 15);
    for (const row of rows) assert.match(row.at(-1), /`(tests|src)\/[^`]+`: /, `no test backs "${row[0]}"`);
  });

  for (const { path, name, rust } of promises) {
    test(`${path}: ${name}`, () => {
      assert.ok(existsSync(join(root, path)), `there is no ${path}`);
      const source = read(path);
      if (rust) assert.match(source, new RegExp(`#\\[test\\][^]*\\bfn ${name}\\(`));
      else {
        const literal = name.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("\\$\\{[^}]+\\}");
        assert.match(source, new RegExp(`\\b(test|describe)\\(["\`]${literal}["\`]`), `${path} has no test of this name`);
      }
    });
  }
});

describe("versions", () => {
  const version = JSON.parse(read("pkg/package.json")).version;

  test("are one: npm's, Cargo's, and the newest in CHANGELOG.md", () => {
    for (const manifest of ["Cargo.toml", "module/Cargo.toml"]) {
      assert.equal(/^\[package\]\n(?:[^[].*\n)*?version = "(.+)"$/m.exec(read(manifest))[1], version, manifest);
    }
    const [newest] = [...read("CHANGELOG.md").matchAll(/^## \[(\d[^\]]*)\] - (\d{4}-\d\d-\d\d)$/gm)];
    assert.equal(newest[1], version);
    assert.ok(!Number.isNaN(Date.parse(newest[2])));
  });

  test("what is compared is this one", () => {
    for (const page of ["docs/performance.md", "docs/performance.fr.md"]) assert.ok(read(page).includes(`| digitalpaye-auth ${version} |`));
  });
});

describe("CONTRIBUTING.md", () => {
  const text = read("CONTRIBUTING.md");
  const { scripts } = JSON.parse(read("package.json"));

  test("its commands exist", () => {
    const code = [...blocksOf(text).map((block) => block.code), ...[...text.matchAll(/`([^`\n]+)`/g)].map(([, words]) => words)];
    const commands = code.flatMap((words) => [...words.matchAll(/^npm (?:run )?([a-z][a-z:]*)/gm)].map(([, name]) => name))
      .filter((name) => name !== "publish");
    assert.ok(commands.length >= 6);
    for (const name of commands) assert.ok(scripts[name], `npm has no script ${name}`);
  });

  test("names each stage of npm test", () => {
    const names = stages.map(({ name }) => name);
    const named = tableOf(text, "fmt").flatMap(([cell]) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name));
    assert.deepEqual(named.toSorted(), names.toSorted());
  });

  test("its code blocks have a language", () => {
    for (const { language, line } of blocksOf(text)) assert.ok(["sh", "text"].includes(language), `line ${line}`);
  });
});
