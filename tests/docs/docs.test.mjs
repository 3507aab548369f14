// The documentation says what the package is: names, codes, options, versions, links, and the tests that it names.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { importInstalled } from "../lib/install.mjs";
import { blocksOf, codeOf, generatedPart, headingsOf, linksOf, proseOf, tablesOf, withoutComments } from "./extract.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const read = (path) => readFileSync(join(root, path), "utf8");

const english = read("README.md");
const french = read("README.fr.md");
const readmes = { "README.md": english, "README.fr.md": french };
const documents = ["README.md", "README.fr.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "tests/sandbox/README.md", "tests/faults/README.md",
  "tests/fuzz/README.md", "tests/soak/README.md", "fuzz/README.md"];
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

describe("the READMEs", () => {
  test("have the same headings, but for their language", () => {
    const levels = (markdown) => headingsOf(markdown).map(({ level }) => level);
    assert.ok(levels(english).length > 15);
    assert.deepEqual(levels(french), levels(english));
  });

  test("have the same code blocks, comments aside", () => {
    const runnable = (markdown) => blocksOf(markdown).filter(({ language }) => language !== "text");
    const [ours, theirs] = [english, french].map((markdown) => runnable(markdown).map((block) => ({
      language: block.language, name: block.name, code: withoutComments(block),
    })));
    assert.deepEqual(theirs, ours);
    assert.deepEqual(blocksOf(french).map(({ name }) => name), blocksOf(english).map(({ name }) => name));
  });

  test("comment their code as often, each in its language", () => {
    const comments = (markdown) => blocksOf(markdown).filter(({ language }) => language !== "text")
      .map(({ code }) => code.match(/^\s*(\/\/|#).+$/gm) ?? []);
    const [ours, theirs] = [comments(english), comments(french)];
    assert.deepEqual(theirs.map((each) => each.length), ours.map((each) => each.length));
    for (const [index, comment] of theirs.flat().entries()) assert.notEqual(comment, ours.flat()[index]);
  });

  test("have the same tables, cell for cell where cells are code", () => {
    const shape = (markdown) => tablesOf(markdown).map(({ header, rows }) => [header.length, ...rows.map((row) => [row.length, ...row.map(codeOf)])]);
    assert.ok(shape(english).length >= 6);
    assert.deepEqual(shape(french), shape(english));
  });

  test("have the same links, anchors and their own language aside", () => {
    // A page in French leads to pages in French.
    const targets = (markdown) => linksOf(markdown).filter((target) => !target.startsWith("#") && !target.startsWith("README"))
      .map((target) => target.replace(/^(docs\/\w+)\.fr\.md/, "$1.md"));
    assert.deepEqual(targets(french), targets(english));
  });

  test("have places for the tables that commands write", () => {
    for (const [document, markdown] of Object.entries(readmes)) {
      for (const name of ["runtimes", "bench"]) {
        assert.ok(generatedPart(markdown, name)?.trim(), `${document} has nothing between the markers of ${name}`);
      }
    }
  });

  test("are typeset: French has its apostrophes and spaces, neither has a tab", () => {
    const prose = proseOf(french).replace(/`[^`\n]*`/g, "");
    assert.deepEqual(prose.match(/.{0,20}\p{L}'\p{L}.{0,20}/gu) ?? [], []);
    assert.deepEqual(prose.replace(/^.*<!--.*$|^\|[ :|-]+\|$/gm, "").match(/.{0,20} [:;?!»](?=[\s|*]).{0,20}/gu) ?? [], []);
    for (const markdown of Object.values(readmes)) assert.ok(!markdown.includes("\t"));
  });
});

for (const [document, markdown] of Object.entries(readmes)) {
  describe(document, () => {
    test("every block has a language that is run or drawn, and a name", () => {
      for (const { language, name, line } of blocksOf(markdown)) {
        assert.ok(["js", "ts", "sh", "text"].includes(language), `line ${line}: ${language}`);
        assert.ok(name, `line ${line}: no name`);
      }
    });

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

  test("the READMEs compare this one", () => {
    for (const markdown of Object.values(readmes)) assert.ok(markdown.includes(`| digitalpaye-auth ${version} |`));
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

  test("names no stage of npm test that there is not", () => {
    const stages = [...read("scripts/test.mjs").matchAll(/^ {2}\{ name: "([\w-]+)"/gm)].map(([, name]) => name);
    assert.ok(stages.includes("docs"));
    const named = tableOf(text, "fmt").flatMap(([cell]) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name));
    assert.deepEqual(named.filter((name) => !stages.includes(name)), []);
  });

  test("its code blocks have a language", () => {
    for (const { language, line } of blocksOf(text)) assert.ok(["sh", "text"].includes(language), `line ${line}`);
  });
});
