// The tables of docs/frameworks.md, between marks: what runs writes its row, the other rows stay.
import { join } from "node:path";
import { root } from "../../../scripts/lib/paths.mjs";
import { partOf, withPart } from "../../lib/marks.mjs";
import { typeset } from "../../lib/typography.mjs";

export const documents = { en: join(root, "docs", "frameworks.md"), fr: join(root, "docs", "frameworks.fr.md") };

const words = {
  en: { head: ["Framework", "Version", "What was run", "Result", "Date"], works: "a token", emulated: "a token, from the emulator", not: "no" },
  fr: { head: ["Outil", "Version", "Ce qui a tourné", "Résultat", "Date"], works: "un jeton", emulated: "un jeton, de l’émulateur", not: "non" },
};

/** What a row says of a cell that ran as it should. */
export function noteOf({ limit, emulated, needs }, language) {
  const { works, emulated: fromEmulator, not } = words[language];
  if (limit) return `${not}: ${limit[language]}`;
  return [emulated ? fromEmulator : works, needs?.[language]].filter(Boolean).join("; ");
}

/** `document` with the rows of what ran in its table of cells. */
export function withRows(document, ran, { language, cells }) {
  const keyOf = ({ title, how }) => `| ${title} | ${how[language]} `;
  const old = new Map(partOf(document, "cells").split("\n").filter((line) => line.startsWith("| ")).map((line) => {
    const [, title, , how] = line.split(" | ".trim()).map((part) => part.trim());
    return [`| ${title} | ${how} `, line];
  }));
  const { head } = words[language];
  const finish = language === "fr" ? typeset : (text) => text;
  const rows = cells.map((cell) => {
    const found = ran.find((each) => each.cell === cell);
    if (!found) return old.get(finish(keyOf(cell)));
    return finish(`| ${cell.title} | ${found.version} | ${cell.how[language]} | ${noteOf(cell, language)} | ${found.date} |`);
  }).filter(Boolean);
  return withPart(document, "cells", [`| ${head.join(" | ")} |`, `| ${head.map(() => "---").join(" | ")} |`, ...rows].join("\n"));
}
