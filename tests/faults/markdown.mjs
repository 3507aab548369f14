// The table of faults, as README.md shows it.
const row = (cells) => `| ${cells.join(" | ")} |`;
const cell = (ends) => (ends === undefined ? "" : ends === "token" ? "a token" : `\`${ends}\``);

/** The table of what runs found: `outcomes` has a map from a fault's id to how its call ended, by runtime. */
export function table(faults, outcomes) {
  const runtimes = Object.keys(outcomes);
  const rows = faults.map(({ id, stage, name }) => row([stage, name, ...runtimes.map((runtime) => cell(outcomes[runtime].get(id)))]));
  return [row(["Where", "Fault", ...runtimes]), row(["---", "---", ...runtimes.map(() => "---")]), ...rows].join("\n");
}
