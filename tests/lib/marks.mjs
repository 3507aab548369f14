// The part of a document that a command writes: between `<!-- name:begin -->` and `<!-- name:end -->`.
import { readFileSync, writeFileSync } from "node:fs";

function places(document, name) {
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const from = document.indexOf(begin) + begin.length;
  const to = document.indexOf(end);
  if (from < begin.length || to < from) throw new Error(`a document has no ${begin} before its ${end}`);
  return [from, to];
}

/** The text of that part. */
export const partOf = (document, name) => document.slice(...places(document, name)).trim();

/** `document` with another text in that part. */
export function withPart(document, name, text) {
  const [from, to] = places(document, name);
  return `${document.slice(0, from)}\n${text}\n${document.slice(to)}`;
}

/** Puts a text into that part of a file. */
export const writePart = (file, name, text) => writeFileSync(file, withPart(readFileSync(file, "utf8"), name, text));
