// A page in French says what its English twin says: the same headings, code, tables and links.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { root } from "../../scripts/lib/paths.mjs";
import { typeset } from "../lib/typography.mjs";
import { blocksOf, codeOf, headingsOf, linksOf, proseOf, tablesOf, withoutComments } from "./extract.mjs";
import { elsewhere, pages, read } from "./pages.mjs";

const isDrawing = ({ language }) => language === "text";

test("every page has a twin", () => {
  assert.ok(pages.length >= 12);
  for (const { fr } of pages) assert.ok(existsSync(join(root, fr)), fr);
});

for (const page of pages.filter(({ en }) => !elsewhere.test(en))) {
  const [en, fr] = [read(page.en), read(page.fr)];

  describe(page.en, () => {
    test("is one language's, and leads to the other", () => {
      const name = (path) => path.replace("docs/", "");
      assert.ok(linksOf(en).includes(name(page.fr)));
      assert.ok(linksOf(fr).includes(name(page.en)));
    });

    test("headings", () => {
      const levels = (markdown) => headingsOf(markdown).map(({ level }) => level);
      assert.ok(levels(en).length >= 2);
      assert.deepEqual(levels(fr), levels(en));
    });

    test("code, comments aside", () => {
      const code = (markdown) => blocksOf(markdown).filter((block) => !isDrawing(block))
        .map((block) => ({ language: block.language, name: block.name, code: withoutComments(block) }));
      assert.deepEqual(code(fr), code(en));
      assert.deepEqual(blocksOf(fr).map(({ name }) => name), blocksOf(en).map(({ name }) => name));
    });

    test("comments, as many, each in its language", () => {
      const comments = (markdown) => blocksOf(markdown).filter((block) => !isDrawing(block)).map(({ code }) => code.match(/^\s*(\/\/|#).+$/gm) ?? []);
      const [ours, theirs] = [comments(en), comments(fr)];
      assert.deepEqual(theirs.map((each) => each.length), ours.map((each) => each.length));
      for (const [index, comment] of theirs.flat().entries()) assert.notEqual(comment, ours.flat()[index]);
    });

    test("tables, cell for cell where cells are code", () => {
      const shape = (markdown) => tablesOf(markdown).map(({ header, rows }) => [header.length, ...rows.map((row) => [row.length, ...row.map(codeOf)])]);
      assert.deepEqual(shape(fr), shape(en));
    });

    test("links, anchors and their own language aside", () => {
      // A page in French leads to pages in French.
      const targets = (markdown) => linksOf(markdown).map((target) => target.replace(/#.*/, "")).map((target) => target.replace(/\.fr\.md$/, ".md"));
      assert.deepEqual(targets(fr), targets(en));
      for (const target of linksOf(fr)) {
        const path = target.replace(/#.*/, "");
        if (path.endsWith(".md") && !path.endsWith(".fr.md") && path !== page.en.replace("docs/", "")) {
          assert.ok(!existsSync(join(root, page.fr.startsWith("docs/") ? "docs" : "", path.replace(/\.md$/, ".fr.md"))), `${page.fr} leads to ${path} in English`);
        }
      }
    });

    test("typography: French has its apostrophes and spaces, neither has a tab", () => {
      const prose = proseOf(fr).replace(/`[^`\n]*`/g, "");
      assert.deepEqual(prose.match(/.{0,20}\p{L}'\p{L}.{0,20}/gu) ?? [], []);
      assert.deepEqual(prose.match(/.{0,20}« (?=\S)/gu) ?? [], []);
      const text = prose.replace(/^.*<!--.*$|^\|[ :|-]+\|$/gm, "");
      assert.equal(typeset(text), text);
      assert.deepEqual(text.match(/.{0,20} [:;?!»](?=[\s|*]).{0,20}/gu) ?? [], []);
      for (const markdown of [en, fr]) {
        assert.ok(!markdown.includes("\t"));
        // What somebody copies is typed, not typeset.
        assert.deepEqual((proseOf(markdown).match(/`[^`\n]*`/g) ?? []).filter((code) => /[’\u00a0]/.test(code)), []);
      }
    });

    test("every block has a language that is run or drawn, and a name", () => {
      for (const markdown of [en, fr]) {
        for (const { language, name, line } of blocksOf(markdown)) {
          assert.ok(["js", "ts", "sh", "diff", "text"].includes(language), `line ${line}: ${language}`);
          assert.ok(name, `line ${line}: no name`);
        }
      }
    });
  });
}
