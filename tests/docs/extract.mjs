// What the tests of the documentation read out of Markdown: code blocks, headings, tables, links.

/**
 * The fenced code blocks. The info string of each is `LANGUAGE NAME`; readers see neither, tests know a block by its
 * name, which is also the file that it is saved as.
 */
export function blocksOf(markdown) {
  const blocks = [];
  let block;
  for (const [index, line] of markdown.split("\n").entries()) {
    const fence = /^( *)(`{3,}|~{3,})(.*)$/.exec(line);
    if (!block && fence) {
      const [language = "", name = ""] = fence[3].trim().split(/\s+/);
      block = { language, name, line: index + 1, fence: fence[2], lines: [] };
    } else if (block && fence && fence[2].startsWith(block.fence) && fence[3].trim() === "") {
      blocks.push({ language: block.language, name: block.name, line: block.line, code: `${block.lines.join("\n")}\n` });
      block = undefined;
    } else block?.lines.push(line);
  }
  if (block) throw new Error(`the code block that begins in line ${block.line} does not end`);
  return blocks;
}

/** The text without its code blocks, line for line. */
export function proseOf(markdown) {
  const lines = markdown.split("\n");
  for (const { line, code } of blocksOf(markdown)) {
    lines.fill("", line - 1, line + code.split("\n").length);
  }
  return lines.join("\n");
}

/** What of a block is no comment: the same in every language of the documentation. */
export function withoutComments({ language, code }) {
  const comment = language === "sh" ? /(^|\s)#.*$/ : /(^|\s)\/\/.*$/;
  return code
    .split("\n")
    .map((line) => line.replace(comment, "").trimEnd())
    .filter(Boolean)
    .join("\n");
}

/** A change's program before it and after it. */
export function sidesOf({ code }) {
  const side = (mark) => code.split("\n").filter((line) => line.startsWith(mark) || line.startsWith(" ") || line === "").map((line) => line.slice(1)).join("\n");
  return { before: side("-"), after: side("+") };
}

/** The headings, each with the anchor that GitHub gives it. */
export function headingsOf(markdown) {
  const seen = new Map();
  return [...proseOf(markdown).matchAll(/^(#{1,6}) (.+)$/gm)].map(([, hashes, text]) => {
    const slug = text.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").trim().replace(/\s/g, "-");
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    return { level: hashes.length, text, anchor: times === 0 ? slug : `${slug}-${times}` };
  });
}

/** The tables: their header's cells, and their rows' cells. */
export function tablesOf(markdown) {
  const cells = (line) => line.trim().slice(1, -1).split(/(?<!\\)\|/).map((cell) => cell.trim());
  return [...proseOf(markdown).matchAll(/^\|.+\|\n\|[ :|-]+\|\n(?:\|.+\|(?:\n|$))*/gm)].map(([text]) => {
    const [header, , ...rows] = text.trimEnd().split("\n").map(cells);
    return { header, rows };
  });
}

/** The targets of links and images. */
export function linksOf(markdown) {
  const prose = proseOf(markdown).replace(/`[^`\n]*`/g, "");
  return [...prose.matchAll(/\]\(<?([^()\s>]+)>?\)/g)].map(([, target]) => target);
}

/** The text in backticks at the beginning of a table's cell, which may be a link. */
export function codeOf(cell) {
  return /^\[?`([^`]+)`/.exec(cell)?.[1];
}

/** The part between `<!-- name:begin -->` and `<!-- name:end -->`, which a command writes. */
export function generatedPart(markdown, name) {
  return new RegExp(`<!-- ${name}:begin -->\n([^]*?)\n<!-- ${name}:end -->`).exec(markdown)?.[1];
}
