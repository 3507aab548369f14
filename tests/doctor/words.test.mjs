// The report's words: the same in both languages, typeset, and chosen by the locale.
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { installed } from "../lib/install.mjs";
import { typeset } from "../lib/typography.mjs";
import { doctor } from "./command.mjs";

const folder = join(await installed(), "node_modules", "digitalpaye-auth", "bin", "doctor");
const load = (name) => import(pathToFileURL(join(folder, `${name}.js`)));
const { english } = await load("english");
const { french } = await load("french");
const { wordsFor } = await load("language");

/** Every path in it, with its type and number of parameters. */
const shapeOf = (words, path = "") => Object.entries(words).flatMap(([name, value]) =>
  (typeof value === "object" ? shapeOf(value, `${path}${name}.`) : [`${path}${name}: ${typeof value}${typeof value === "function" ? value.length : ""}`]));

describe("English and French", () => {
  test("say the same things", () => {
    assert.ok(shapeOf(english).length > 100);
    assert.deepEqual(shapeOf(french).sort(), shapeOf(english).sort());
  });

  test("have summaries of one line", () => {
    for (const { summary, typeset: form } of [english, french]) {
      for (const [name, words] of Object.entries(summary)) {
        const longest = { runtime: ["unsupported_runtime"], missing: [["DIGITALPAYE_API_KEY", "DIGITALPAYE_API_SECRET"]] };
        const text = typeof words === "function" ? words(...(longest[name] ?? ["DIGITALPAYE_API_SECRET", "DIGITALPAYE_SECRET"])) : words;
        assert.ok(form(text).length <= 78, `${name}: ${text.length}: ${text}`);
      }
    }
  });

  test("have help of 80 columns, in the language of the locale", async () => {
    for (const [words, locale] of [[english, "C"], [french, "fr_FR.UTF-8"]]) {
      const { status, stdout } = await doctor({ LC_ALL: locale }, ["--help"]);
      assert.deepEqual([status, stdout], [0, words.help]);
    }
  });

  test("French is typeset: apostrophes, and spaces that do not break", () => {
    const texts = [];
    const collect = (words) => {
      for (const value of Object.values(words)) {
        if (typeof value === "string") texts.push(value);
        else if (typeof value === "object") collect(value);
      }
    };
    collect(french);
    for (const text of texts) {
      assert.doesNotMatch(text, /\p{L}'\p{L}/u);
      assert.equal(french.typeset(text), typeset(text).replaceAll("« ", "«\u00a0"));
    }
    assert.equal(french.typeset("a : « b » ; c ?"), "a\u00a0: «\u00a0b\u00a0»\u00a0; c\u00a0?");
  });

  test("count in their own way", () => {
    assert.match(english.network.secure("TLSv1.3", "R3", 1), /, 1 day left$/);
    assert.match(english.network.secure("TLSv1.3", "R3", 0), /, 0 days left$/);
    assert.match(french.network.secure("TLSv1.3", "R3", 1), /, encore 1 jour$/);
    assert.match(french.network.secure("TLSv1.3", "R3", 0), /, encore 0 jour$/);
    assert.match(french.network.secure("TLSv1.3", "R3", 67), /, encore 67 jours$/);
    for (const [seconds, words] of [[90, "90 s"], [900, "15 min"], [3_600, "1 h"], [7_200, "2 h"], [172_800, "2 d"]]) {
      assert.ok(english.clock.ahead(seconds, true).startsWith(words));
      assert.ok(french.clock.ahead(seconds, true).startsWith(`avance de ${words === "2 d" ? "2 j" : words}`));
    }
  });
});

test("the locale is the first of LC_ALL, LC_MESSAGES and LANG that is set", () => {
  const rows = [
    [{ LC_ALL: "fr_CI.UTF-8", LANG: "en_US.UTF-8" }, french],
    [{ LC_ALL: "C", LANG: "fr_FR.UTF-8" }, english],
    [{ LC_MESSAGES: "fr", LANG: "en_US" }, french],
    [{ LC_ALL: "", LC_MESSAGES: "", LANG: "fr_FR@euro" }, french],
    [{ LC_MESSAGES: "en_GB", LANG: "fr_FR" }, english],
    [{ LANG: "fr-CA" }, french],
    // Friulian and West Frisian are other languages.
    [{ LANG: "fur_IT" }, english],
    [{ LANG: "frr_DE" }, english],
    [{ LANG: "POSIX" }, english],
  ];
  for (const [env, words] of rows) assert.equal(wordsFor(env), words, JSON.stringify(env));
});

test("with none of them set, the platform's own", () => {
  const { DateTimeFormat } = Intl;
  try {
    for (const [locale, words] of [["fr-CI", french], ["en-US", english]]) {
      Intl.DateTimeFormat = () => ({ resolvedOptions: () => ({ locale }) });
      assert.equal(wordsFor({}), words);
    }
  } finally {
    Intl.DateTimeFormat = DateTimeFormat;
  }
});
