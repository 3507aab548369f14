// The report's form: lines of 80 columns under headings, and no secret in any of them.
import { oneLine, print } from "../output.js";

const WIDTH = 80;
const INDENT = 4;
const LABEL = 25;
const MARKS = { good: "✓", info: "·", hint: "!", fault: "✗", more: " " };
const COLOURS = { good: 32, info: 2, hint: 33, fault: 31, more: 0 };

/** What stands in the place of a text that must not be shown. */
const HIDDEN = "[…]";

export class Report {
  #secrets = [];
  #colours;
  #typeset;
  /** Whether it could not be written: then nothing more is. */
  failed = false;

  /** `typeset` makes a text of a language look as it is printed. */
  constructor({ colours, typeset }) {
    this.#colours = colours;
    this.#typeset = typeset;
  }

  /** Texts that no line may show from now on. Shorter ones than four characters are in any text. */
  hide(...texts) {
    this.#secrets.push(...texts.filter((text) => typeof text === "string" && text.length >= 4));
    // The longest first: one may be a part of another.
    this.#secrets.sort((a, b) => b.length - a.length);
  }

  /** Whether a text repeats one of those. */
  repeatsSecret(text) {
    return this.#secrets.some((secret) => text.includes(secret));
  }

  /** The beginning of somebody else's text. What must not be shown goes before it is cut: a part of it would stay. */
  excerpt(text, length) {
    const visible = this.#redacted(oneLine(text));
    return visible.length > length ? `${pieces(visible, length - 1)[0]}…` : visible;
  }

  title(text) {
    return this.#print(`${this.#paint(1, this.#clean(text))}\n`);
  }

  heading(text) {
    return this.#print(`\n${this.#paint(1, this.#clean(text))}\n`);
  }

  /** One finding: how good it is (`more`: as the one before), what it is about, and what there is to say. */
  line(level, label, text) {
    const name = this.#clean(label);
    const lines = wrap(this.#clean(text), WIDTH - INDENT - LABEL);
    const margin = " ".repeat(INDENT + LABEL);
    // A label that is longer than its column has a line of its own.
    const first = name.length < LABEL ? `${name.padEnd(LABEL)}${lines.shift() ?? ""}`.trimEnd() : wrap(name, WIDTH - INDENT)[0];
    return this.#print(`  ${this.#paint(COLOURS[level], MARKS[level])} ${first}\n${lines.map((each) => `${margin}${each}\n`).join("")}`);
  }

  /** What to do, in the last line. */
  summary(level, text) {
    const [first, ...rest] = wrap(this.#clean(text), WIDTH - 2);
    return this.#print(`\n${this.#paint(COLOURS[level], MARKS[level])} ${[first, ...rest.map((each) => `  ${each}`)].join("\n")}\n`);
  }

  #clean(text) {
    return this.#typeset(oneLine(this.#redacted(text)));
  }

  #redacted(text) {
    return this.#secrets.reduce((rest, secret) => rest.split(secret).join(HIDDEN), text);
  }

  async #print(text) {
    if (!this.failed) this.failed = (await print(text)) !== 0;
  }

  #paint(colour, text) {
    return this.#colours ? `\u001b[${colour}m${text}\u001b[0m` : text;
  }
}

/** Where a line may end: not at a space that does not break, nor between a number and its unit. */
const BREAKS = /(?<!\d) | (?!\p{L}{1,5}(?!\p{L}))/u;

/** Lines of so many characters at most. */
function wrap(text, width) {
  const lines = [];
  let line = "";
  for (const word of text.split(BREAKS).flatMap((each) => pieces(each, width))) {
    if (line && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line ? `${line} ${word}` : word;
  }
  if (line) lines.push(line);
  return lines.length > 0 ? lines : [""];
}

/** A word that is longer than a line, in pieces. None ends within a pair of surrogates, which would be two broken characters. */
function pieces(word, width) {
  const found = [];
  let rest = word;
  while (rest.length > width) {
    const end = /[\ud800-\udbff]/.test(rest[width - 1]) ? width - 1 : width;
    found.push(rest.slice(0, end));
    rest = rest.slice(end);
  }
  return [...found, rest];
}
