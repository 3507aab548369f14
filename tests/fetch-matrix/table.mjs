// `node tests/fetch-matrix/table.mjs`: runs the matrix in every runtime and writes its table into README.md beside this file.
import { writePart } from "../lib/marks.mjs";
import { compare } from "./compare.mjs";
import { known, sift } from "./known.mjs";
import { runtimes, stopBrowser } from "./runtimes.mjs";

const rows = [];
for (const runtime of runtimes) {
  const { total, possible, found } = await compare(runtime);
  const { unknown } = sift(runtime.name, found);
  const cases = new Set(found.map(({ form, first }) => `${form} ${first}`));
  for (const { form, first, what } of unknown) console.error(`${runtime.name}: ${form}, first ${first}: ${what}`);
  rows.push(`| ${runtime.name} | ${possible} of ${total} | ${possible - cases.size} | ${cases.size} |`);
  if (unknown.length > 0) process.exitCode = 1;
}
await stopBrowser();

const reasons = known.map(({ runtimes, forms, why }) => `| ${runtimes.join(", ")} | \`${forms.source.replaceAll("|", "\\|")}\` | ${why} |`);
writePart(new URL("README.md", import.meta.url), "matrix", [
  "| Runtime | Cases it can make | The same | Different |", "|---|---|---|---|", ...rows, "",
  "| Runtimes | Forms | Why they differ |", "|---|---|---|", ...reasons,
].join("\n"));
