// The documentation as the tarball has it: the front page and docs/, beside the declarations that name them.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { root } from "./paths.mjs";

/** The files, in both languages, as they are under the root and under pkg/. */
export function documents() {
  const pages = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md")).sort();
  return ["README.md", "README.fr.md", ...pages.map((name) => `docs/${name}`)];
}

/** Copies them into a folder that has none of them. */
export function copyDocuments(folder) {
  const files = documents();
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), withoutDeadLinks(readFileSync(join(root, file), "utf8"), file, [...files, "LICENSE"]));
  }
}

/**
 * The text of `file`, where a link to what is not among `files` is its words alone, and an image its description. Links to
 * other sites and within the page stay.
 */
export function withoutDeadLinks(markdown, file, files) {
  const there = (target) => /^(https:|#)/.test(target) || files.includes(posix.join(posix.dirname(file), target.replace(/#.*$/, "")));
  let fenced = false;
  return markdown.split("\n").map((line) => {
    if (/^ *(```|~~~)/.test(line)) fenced = !fenced;
    if (fenced) return line;
    return line.replace(/!?\[((?:[^[\]`]|`[^`]*`)*)\]\(([^()\s]+)\)/g, (link, words, target) => (there(target) ? link : words));
  }).join("\n");
}
