// The pages of the documentation, in both languages.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../scripts/lib/paths.mjs";

export const read = (path) => readFileSync(join(root, path), "utf8");

/** Every page by its English file: `{ en, fr }`, files of this repository. */
export const pages = ["README.md", ...readdirSync(join(root, "docs")).filter((name) => /^[\w-]+\.md$/.test(name)).map((name) => `docs/${name}`)]
  .map((en) => ({ en, fr: en.replace(/\.md$/, ".fr.md") }));

/** Those whose blocks and twins have tests of their own, beside what they document. */
export const elsewhere = /^docs\/(command|emulator|stores|frameworks.*)\.md$/;
