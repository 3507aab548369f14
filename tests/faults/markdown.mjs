// The table of faults, as README.md shows it.
const BEGIN = "<!-- faults:begin -->";
const END = "<!-- faults:end -->";

const row = (cells) => `| ${cells.join(" | ")} |`;
const cell = (ends) => (ends === undefined ? "" : ends === "token" ? "a token" : `\`${ends}\``);

/** The table of what runs found: `outcomes` has a map from a fault's id to how its call ended, by runtime. */
export function table(faults, outcomes) {
  const runtimes = Object.keys(outcomes);
  const rows = faults.map(({ id, stage, name }) => row([stage, name, ...runtimes.map((runtime) => cell(outcomes[runtime].get(id)))]));
  return [row(["Where", "Fault", ...runtimes]), row(["---", "---", ...runtimes.map(() => "---")]), ...rows].join("\n");
}

/** The table in a document. */
export function tableIn(document) {
  const [from, to] = marks(document);
  return document.slice(from, to).trim();
}

/** `document` with this table in it. */
export function withTable(document, text) {
  const [from, to] = marks(document);
  return `${document.slice(0, from)}\n${text}\n${document.slice(to)}`;
}

function marks(document) {
  const from = document.indexOf(BEGIN) + BEGIN.length;
  const to = document.indexOf(END);
  if (from < BEGIN.length || to < from) throw new Error(`a document has no ${BEGIN} before its ${END}`);
  return [from, to];
}
