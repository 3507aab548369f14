// `npm run check runtimes [-- --write]`: every cell of the table of runtimes, those that `npm test` leaves out included, and
// whether the tables in docs/runtimes.md and its French twin say what the run found. `--write` puts the table there.
import { existsSync, readFileSync } from "node:fs";
import { arch, platform, release } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildPackage } from "../../scripts/build.mjs";
import { packAndInstall } from "../../scripts/lib/package.mjs";
import { root } from "../../scripts/lib/paths.mjs";
import { Failure, command } from "../../scripts/lib/process.mjs";
import { buildSandbox } from "../../scripts/lib/sandbox.mjs";
import { setup } from "../../scripts/setup.mjs";
import { writePart } from "../lib/marks.mjs";

export const documents = { en: join(root, "docs", "runtimes.md"), fr: join(root, "docs", "runtimes.fr.md") };

const usage = `Usage: npm run check runtimes [-- --write]

Runs the conformance suite in every runtime, and compares the tables of docs/runtimes.md and docs/runtimes.fr.md with what it found.
The last line of the output is "N passed, N failed".

  --write  put the table into both
`;

function options() {
  try {
    return parseArgs({ options: { write: { type: "boolean" }, help: { type: "boolean", short: "h" } } }).values;
  } catch (error) {
    throw new Failure(`${error.message}\n\n${usage}`, { exitCode: 2 });
  }
}

await command(async () => {
  const { write, help } = options();
  if (help) return void process.stdout.write(usage);
  await setup({ needs: ["chromium", "firefox", "xvfb", "webkit"] });
  if (process.env.DIGITALPAYE_AUTH_CONSUMER === undefined) {
    await buildPackage();
    await buildSandbox();
    process.env.DIGITALPAYE_AUTH_CONSUMER = await packAndInstall();
  }
  // Not before: they need what setup installs.
  const { cells, nameOf, runCell, stopBrowsers } = await import("./lib/cells.mjs");
  const { differences, table } = await import("./lib/markdown.mjs");

  const results = [];
  for (const cell of cells) {
    const result = await runCell(cell);
    results.push(result);
    process.stdout.write(`${nameOf(cell)} (${result.version}): ${result.passed} of ${result.total}, ${result.ms} ms\n`);
    for (const failure of result.failures) process.stdout.write(`  ${failure.replaceAll("\n", "\n  ")}\n`);
  }
  await stopBrowsers();

  const date = new Date().toISOString().slice(0, 10);
  const machine = `${{ linux: "Linux", darwin: "macOS" }[platform()] ?? platform()} ${release().split(".").slice(0, 2).join(".")} ${arch()}`;
  process.stdout.write(`\n${table(results, { language: "en", date, platform: machine })}\n\n`);
  let failed = results.filter(({ failures }) => failures.length > 0).length;
  const passed = results.length - failed;
  for (const [language, file] of Object.entries(documents)) {
    if (!existsSync(file)) continue;
    if (write) writePart(file, "runtimes", table(results, { language, date, platform: machine }));
    else for (const difference of differences(readFileSync(file, "utf8"), results, { language, whole: true })) {
      failed += 1;
      process.stdout.write(`${file}: ${difference}\n`);
    }
  }
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
});
