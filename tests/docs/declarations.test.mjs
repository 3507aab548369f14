// What the declarations say of themselves: an example where one can be given, defaults, and what is thrown.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { read } from "./pages.mjs";

const files = ["index", "errors", "emulator", "stores/redis", "stores/workers-kv", "stores/durable-object", "stores/testing"];
const entries = files.filter((file) => file !== "errors");

/** Every comment of a file with what stands under it: `{ comment, code }`. */
const commented = (text) => [...text.matchAll(/\/\*\*((?:(?!\*\/)[^])*)\*\/\s*\n([^\n]+)/g)].map(([, comment, code]) => ({ comment, code: code.trim() }));

/** The members of an interface or a class, by their lines. */
const bodyOf = (text, name) => new RegExp(`export (?:interface|class) ${name} [^]*?\\{\\n([^]*?)\\n\\}`).exec(text)[1];

for (const file of files) {
  const text = read(`pkg/${file}.d.ts`);
  describe(`pkg/${file}.d.ts`, () => {
    test("every class and function has an example", () => {
      const exported = [...text.matchAll(/^export (?:class|function) (\w+)/gm)].map(([, name]) => name);
      const shown = commented(text).filter(({ comment }) => comment.includes("@example")).map(({ code }) => /^export (?:class|function) (\w+)/.exec(code)?.[1]);
      assert.deepEqual(exported.filter((name) => !shown.includes(name)), []);
    });

    test("every example is a block of code", () => {
      for (const { comment } of commented(text)) {
        for (const example of comment.split("@example").slice(1)) assert.match(example, /^[^\n]*\n\s*\* ```(js|ts)\n/);
      }
    });
  });
}

for (const file of entries) {
  test(`pkg/${file}.d.ts says which entry it is`, () => {
    const module = `digitalpaye-auth${file === "index" ? "" : `/${file}`}`;
    assert.match(read(`pkg/${file}.d.ts`), new RegExp(`^/\\*\\*\\n \\* [^]*?@module ${module}\\n \\*/\\n`));
  });
}

test("every method has an example, and says what it throws", () => {
  const methods = [["index", "DigitalpayeAuth"], ["emulator", "Emulator"]].flatMap(([file, name]) =>
    commented(bodyOf(read(`pkg/${file}.d.ts`), name)).filter(({ code }) => /^(static )?(\w+|\[Symbol\.dispose\])\(/.test(code)));
  assert.equal(methods.length, 11);
  for (const { comment, code } of methods) {
    assert.ok(comment.includes("@example"), code);
    // What cannot throw for want of an argument.
    if (!/^(requests|reset|\[Symbol\.dispose\])\(/.test(code)) assert.ok(comment.includes("@throws"), code);
  }
});

test("every optional setting has its default", () => {
  const interfaces = { index: ["AuthOptions", "ClientOptions", "CallOptions", "StoredToken"], emulator: ["EmulatorConfig", "Behaviour"], "stores/redis": ["RedisStoreOptions"], "stores/testing": ["TestStoreOptions"] };
  let settings = 0;
  for (const [file, names] of Object.entries(interfaces)) {
    for (const name of names) {
      for (const { comment, code } of commented(bodyOf(read(`pkg/${file}.d.ts`), name)).filter(({ code }) => code.includes("?:"))) {
        assert.ok(comment.includes("@default"), `${name}: ${code}`);
        settings += 1;
      }
    }
  }
  assert.ok(settings >= 20, `${settings} settings`);
});
