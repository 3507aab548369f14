// `node tests/conformance/run.mjs NAME...`: runs the cells of these names, and prints their results as JSON lines. With
// DIGITALPAYE_AUTH_CONSUMER it takes the package that is installed in that project.
import { cells, nameOf, runCell, stopBrowsers } from "./lib/cells.mjs";

const names = process.argv.slice(2);
const unknown = names.find((name) => !cells.some((cell) => nameOf(cell) === name));
if (unknown !== undefined || names.length === 0) {
  process.stderr.write(`${unknown === undefined ? "Which cells?" : `There is no cell "${unknown}".`} There are:\n`);
  process.stderr.write(cells.map((cell) => `  ${nameOf(cell)}\n`).join(""));
  process.exit(2);
}
for (const name of names) {
  const result = await runCell(cells.find((cell) => nameOf(cell) === name));
  process.stdout.write(`${JSON.stringify({ name, ...result })}\n`);
  if (result.failures.length > 0) process.exitCode = 1;
}
await stopBrowsers();
