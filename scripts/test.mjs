// `npm test`: every check and test, stage by stage. See `usage`.
import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { buildPackage, buildPage } from "./build.mjs";
import { packAndInstall } from "./lib/package.mjs";
import { root } from "./lib/paths.mjs";
import { Failure, command } from "./lib/process.mjs";
import { runners } from "./lib/runners.mjs";
import { buildSandbox, keepSandbox } from "./lib/sandbox.mjs";
import { sideBySide } from "./lib/side-by-side.mjs";
import { isThere, stages, stagesReachedBy, testFiles } from "./lib/stages.mjs";
import { duration } from "./lib/terminal.mjs";
import { setup } from "./setup.mjs";

const usage = `Usage: npm test [-- STAGE...] [-- --changed [--since COMMIT]] [-- --together N] [-- --list]

Runs every stage, or those that are named. The last line of the output is "N passed, N failed".

  --changed     only the stages that what has changed since COMMIT (default: the last one) can reach
  --together N  run N jobs at a time (default: two more than there are processors, as most wait for something)
  --list        name the stages

`;

/** A stage's row of the table: what its jobs counted, and their time. */
const rowOf = (name) => ({ name, passed: 0, failed: 0, skipped: 0, time: 0, note: "" });

function heading(text) {
  return `\n── ${text} ${"─".repeat(Math.max(0, 76 - text.length))}\n`;
}

/** Runs one job of a stage and adds to its row how it went; what it throws is one failure. True if nothing failed. */
async function run(row, work) {
  const begun = performance.now();
  let tally;
  try {
    tally = await work();
  } catch (error) {
    if (!(error instanceof Failure)) console.error(error);
    if (error.output) process.stderr.write(`${error.output.trimEnd()}\n\n`);
    process.stderr.write(`${error.message}\n`);
    tally = { failed: 1, note: String(error.message).split("\n")[0].slice(0, 100) };
  }
  for (const kind of ["passed", "failed", "skipped"]) row[kind] += tally?.[kind] ?? 0;
  row.note ||= tally?.note ?? "";
  row.time += performance.now() - begun;
  return !tally?.failed;
}

/** A job whose output comes whole when it has ended, so that those beside each other can be read. */
function job({ row, title, work, ...rest }) {
  const output = [];
  const heard = (text) => output.push(text);
  return { ...rest, run: async () => {
    const begun = performance.now();
    await run(row, () => work(runners({ stdout: heard, stderr: heard })));
    process.stdout.write(`${heading(`${title}, ${duration(performance.now() - begun)}`)}${output.join("")}`);
  } };
}

/** The jobs of a stage: one of cargo's, or one for each test file. */
function jobsOf(stage, row, shared) {
  if (stage.work) return [job({ row, title: stage.name, lane: stage.lane ?? "cargo", work: stage.work })];
  return stage.suites.flatMap(testFiles).map((file) => job({
    row, title: `${stage.name}: ${file}`, alone: stage.alone, lane: stage.lane, work: ({ nodeTests }) => nodeTests([file], shared),
  }));
}

function table(rows) {
  const cells = [
    ["stage", "passed", "failed", "skipped", "time", ""],
    ...rows.map((row) => [row.name, row.passed, row.failed, row.skipped, duration(row.time), row.note].map(String)),
  ];
  const widths = cells[0].map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  return cells
    .map((row) => row.map((cell, column) => (column === 0 || column === 5 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join("  ").trimEnd())
    .join("\n");
}

function changedFiles(since) {
  const ask = (...args) => {
    const { status, stdout, stderr } = spawnSync("git", args, { cwd: root, encoding: "utf8" });
    if (status !== 0) throw new Failure(stderr.trim() || "git cannot say what has changed.", { exitCode: 2 });
    return stdout.split("\n").filter(Boolean);
  };
  return [...ask("diff", "--name-only", since, "--"), ...ask("ls-files", "--others", "--exclude-standard")];
}

function chosenStages() {
  let values;
  let positionals;
  try {
    ({ values, positionals } = parseArgs({
      allowPositionals: true, options: {
        changed: { type: "boolean" }, since: { type: "string", default: "HEAD" },
        together: { type: "string", default: String(availableParallelism() + 2) }, list: { type: "boolean" }, help: { type: "boolean", short: "h" },
      },
    }));
    const unknown = positionals.find((name) => !stages.some((stage) => stage.name === name));
    if (!/^[1-9]\d?$/.test(values.together)) throw new Error(`--together must be a number from 1 to 99, not "${values.together}".`);
    if (unknown) throw new Error(`There is no stage "${unknown}". There are: ${stages.map(({ name }) => name).join(", ")}`);
  } catch (error) {
    throw new Failure(`${error.message}\n\n${usage}`, { exitCode: 2 });
  }
  if (values.help) process.stdout.write(usage);
  if (values.list) process.stdout.write(stages.map((each) => `${each.name}${isThere(each) ? "" : " (nothing there yet)"}\n`).join(""));
  if (values.help || values.list) return undefined;
  const reached = values.changed ? stagesReachedBy(changedFiles(values.since)) : stages;
  return {
    stages: reached.filter((each) => isThere(each) && (positionals.length === 0 || positionals.includes(each.name))),
    together: Number(values.together),
  };
}

await command(async () => {
  const chosen = chosenStages();
  if (!chosen) return 0;
  const begun = performance.now();
  const rows = [];
  // What comes before all others, one by one and for all to see.
  const first = (name, work) => {
    const row = rowOf(name);
    rows.push(row);
    process.stdout.write(heading(name));
    return run(row, work);
  };
  // The environment by which all test files have one and the same.
  let shared;
  const ready = await first("setup", () => setup({ needs: [...new Set(chosen.stages.flatMap((each) => each.needs ?? []))] }))
    && (chosen.stages.every((each) => each.work) || await first("build", async () => {
      await buildPackage();
      await buildSandbox();
      if (chosen.stages.some(({ name }) => name === "page")) await buildPage();
      shared = { DIGITALPAYE_AUTH_CONSUMER: await packAndInstall(), DIGITALPAYE_SANDBOX_BIN: keepSandbox() };
    }));
  const jobs = chosen.stages.flatMap((stage) => {
    const row = rowOf(stage.name);
    rows.push(row);
    if (ready) return jobsOf(stage, row, shared);
    row.note = "not run";
    return [];
  });
  await sideBySide(jobs, chosen.together);
  const total = (kind) => rows.reduce((sum, row) => sum + row[kind], 0);
  process.stdout.write(`\n${table(rows)}\n\nin ${duration(performance.now() - begun)}\n${total("passed")} passed, ${total("failed")} failed\n`);
  return total("failed") === 0 ? 0 : 1;
});
