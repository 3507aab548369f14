// What a keyboard does not give: apostrophes, and spaces that do not break. The words are written without them, so that
// they can be read and searched.

const NO_BREAK = "\u00a0";
const NARROW = "\u202f";

const rules = {
  en: [],
  fr: [
    [/ (?=[;!?])/g, NARROW],
    [/ (?=[:»])/g, NO_BREAK],
    [/(?<=«) /g, NO_BREAK],
  ],
};
const common = [
  [/'/g, "’"],
  [/(?<=\d) (?=(?:ms|s|min|h|%|Ko|KB)(?![\p{L}\p{N}]))/gu, NO_BREAK],
];

/** The text as it is set in `language`. What is between backticks is code and stays. */
export function typeset(text, language) {
  return text.split(/(`[^`]*`)/).map((part) => (part.startsWith("`") ? part
    : [...common, ...rules[language]].reduce((set, [from, to]) => set.replace(from, to), part))).join("");
}
