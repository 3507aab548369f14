// What the tests of the documentation read out of Markdown: code blocks, headings, tables, links.
import MarkdownIt from "markdown-it";

const parser = new MarkdownIt({ html: true });
// Links as they are written, not as a browser asks for them.
parser.normalizeLink = (target) => target;
const tokensOf = (markdown) => parser.parse(markdown, {});

/**
 * The fenced code blocks. The info string of each is `LANGUAGE NAME`; readers see neither, tests know a block by its
 * name, which is also the file that it is saved as.
 */
export function blocksOf(markdown) {
  const lines = markdown.split("\n");
  return tokensOf(markdown).filter(({ type }) => type === "fence").map(({ info, map: [start, end], markup, content }) => {
    if (!lines[end - 1].trim().startsWith(markup)) throw new Error(`the code block that begins in line ${start + 1} does not end`);
    const [language = "", name = ""] = info.trim().split(/\s+/);
    return { language, name, line: start + 1, code: content };
  });
}

/** The text without its code blocks, line for line. */
export function proseOf(markdown) {
  const lines = markdown.split("\n");
  for (const { type, map } of tokensOf(markdown)) if (type === "fence") lines.fill("", ...map);
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
  const tokens = tokensOf(markdown);
  return tokens.filter(({ type }) => type === "heading_open").map((heading) => {
    const text = tokens[tokens.indexOf(heading) + 1].content;
    const slug = text.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").trim().replace(/\s/g, "-");
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    return { level: Number(heading.tag.slice(1)), text, anchor: times === 0 ? slug : `${slug}-${times}` };
  });
}

/** The tables: their header's cells, and their rows' cells. */
export function tablesOf(markdown) {
  const tables = [];
  for (const { type, content, map } of tokensOf(markdown)) {
    if (type === "table_open") tables.push([]);
    else if (type === "tr_open") tables.at(-1).push([]);
    // Of all text, cells alone are not told the line that they are in.
    else if (type === "inline" && !map) tables.at(-1).at(-1).push(content);
  }
  return tables.map(([header, ...rows]) => ({ header, rows }));
}

/** The targets of links and images. */
export function linksOf(markdown) {
  const inline = tokensOf(markdown).flatMap(({ children }) => children ?? []);
  return inline.flatMap((token) => token.attrGet("href") ?? token.attrGet("src") ?? []);
}

/** The text in backticks at the beginning of a table's cell, which may be a link. */
export function codeOf(cell) {
  return /^\[?`([^`]+)`/.exec(cell)?.[1];
}
