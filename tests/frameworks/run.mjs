// `npm run check frameworks [-- NAME...] [--write]`: see `usage`.
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { checkBuilt } from "../../scripts/lib/package.mjs";
import { Failure, command } from "../../scripts/lib/process.mjs";
import { cells } from "./cells/index.mjs";
import { runFloors } from "./floors/run.mjs";
import { runCell } from "./lib/cell.mjs";
import { documents, noteOf, withRows } from "./lib/table.mjs";

const usage = `Usage: npm run check frameworks [-- NAME...] [--write] [--list]

Runs the cells of these names, or all: each is a project of its own under target/frameworks, with the packed tarball and
pinned packages of the registry in it, that is built, started and asked. The package has to be built.
The name "floors" stands for the oldest releases of engines that work, and what those below them say.
The last line of the output is "N passed, N failed".

  --write  put the rows of what ran into docs/frameworks.md and docs/frameworks.fr.md
  --list   name the cells
`;

function options() {
  let given;
  try {
    given = parseArgs({
      allowPositionals: true, options: { write: { type: "boolean" }, list: { type: "boolean" }, help: { type: "boolean", short: "h" } },
    });
    const unknown = given.positionals.find((name) => name !== "floors" && !cells.some((cell) => cell.name === name));
    if (unknown) throw new Error(`There is no cell "${unknown}".`);
  } catch (error) {
    throw new Failure(`${error.message}\n\n${usage}`, { exitCode: 2 });
  }
  return { ...given.values, names: given.positionals };
}

await command(async () => {
  const { names, write, list, help } = options();
  if (help) return void process.stdout.write(usage);
  if (list) return void process.stdout.write(cells.map(({ name }) => `${name}\n`).join(""));
  checkBuilt();
  const date = new Date().toISOString().slice(0, 10);
  let failed = 0;
  let passed = 0;
  if (names.includes("floors")) ({ passed, failed } = await runFloors());
  for (const cell of cells.filter(({ name }) => names.length === 0 || names.includes(name))) {
    const { version, ms, failure } = await runCell(cell);
    process.stdout.write(`${cell.name} (${version}): ${failure === undefined ? noteOf(cell, "en") : "FAILED"}, ${Math.round(ms / 1_000)} s\n`);
    if (failure === undefined) {
      passed += 1;
      // At once: a run takes long, and what is interrupted keeps what it has.
      if (write) putRow({ cell, version, date });
    } else {
      failed += 1;
      process.stdout.write(`  ${failure.trimEnd().split("\n").slice(-60).join("\n  ")}\n`);
    }
  }
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
});

function putRow(row) {
  for (const [language, file] of Object.entries(documents)) writeFileSync(file, withRows(readFileSync(file, "utf8"), [row], { language, cells }));
}
