// `npm test`: every check and test, stage by stage. See `usage`.
import { existsSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { buildPackage, buildPage } from "./build.mjs";
import { packAndInstall } from "./lib/package.mjs";
import { root } from "./lib/paths.mjs";
import { Failure, command } from "./lib/process.mjs";
import { runners } from "./lib/runners.mjs";
import { buildSandbox } from "./lib/sandbox.mjs";
import { sideBySide } from "./lib/side-by-side.mjs";
import { duration } from "./lib/terminal.mjs";
import { program, setup } from "./setup.mjs";

// On the command line, which goes over the environment, where wasm-pack names a runner.
const wasmRunner = ["--config", `target.wasm32-unknown-unknown.runner=${JSON.stringify([process.execPath, join(root, "scripts/lib/wasm-test-runner.mjs")])}`];
const wasm = ["--target", "wasm32-unknown-unknown", "--package", "digitalpaye-auth"];

/**
 * The stages in the order of their rows. Those with `work` are cargo's: they take turns, and run beside the others. One with
 * `suites` (folders of *.test.mjs) gets the installed package and the stand-in; each of its files is a job of its own, several
 * at a time; with `alone`, one after another when nothing else runs. `needs` are the tools that setup installs for it.
 * A stage whose files are not there is left out.
 */
const stages = [
  { name: "fmt", work: ({ checks }) => checks(["cargo", "fmt", "--all", "--check"]) },
  { name: "clippy", work: ({ checks }) => checks(
    ["cargo", "clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"],
    ["cargo", "clippy", "--locked", ...wasm, ...wasmTests(), "--", "-D", "warnings"],
    ["cargo", "clippy", "--locked", "--target", "wasm32-unknown-unknown", "--package", "digitalpaye-auth-module",
      "--package", "digitalpaye-emulator-module", "--", "-D", "warnings"],
  ) },
  { name: "deny", needs: ["cargo-deny"], work: ({ checks }) => checks(
    // The advisories too, and npm's, by `npm run audit`: they are asked for over the network.
    ["cargo", "deny", "--locked", "--workspace", "check", "licenses", "bans", "sources"],
  ) },
  { name: "host", work: ({ cargoTests }) => cargoTests(["cargo", "test", "--locked", "--workspace", "--no-fail-fast"]) },
  { name: "wasm-node", file: "tests/node.rs", work: ({ cargoTests }) => cargoTests(
    ["wasm-pack", "test", "--mode", "no-install", "--node", "--", ...wasmRunner, "--test", "node"],
  ) },
  { name: "wasm-chromium", file: "tests/browser.rs", needs: ["chromium"], work: ({ cargoTests }) => cargoTests(
    ["cargo", "test", "--locked", ...wasm, ...wasmRunner, "--test", "browser"],
    { WASM_TESTS_IN: "chromium", CHROMIUM: program("chromium") },
  ) },
  { name: "packaging", suites: ["tests/packaging"] },
  { name: "types", suites: ["tests/types"] },
  { name: "installed", suites: ["tests/installed"], needs: ["curl"] },
  { name: "doctor", suites: ["tests/doctor"], needs: ["openssl"] },
  { name: "emulator", suites: ["tests/emulator"], needs: ["curl"] },
  { name: "fuzz", suites: ["tests/fuzz"] },
  { name: "stores", suites: ["tests/stores"], needs: ["redis"] },
  { name: "workerd", suites: ["tests/workerd"] },
  { name: "faults", suites: ["tests/faults", "tests/soak"], needs: ["chromium", "openssl"] },
  { name: "conformance", suites: ["tests/conformance"], needs: ["chromium", "firefox"] },
  { name: "fetch-matrix", suites: ["tests/fetch-matrix"], needs: ["chromium"] },
  { name: "page", suites: ["www/tests"], needs: ["chromium", "firefox"] },
  { name: "commands", suites: ["tests/commands"] },
  { name: "examples", suites: ["tests/examples"], needs: ["curl", "ps", "redis"] },
  { name: "docs", suites: ["tests/docs"], needs: ["curl", "redis"] },
  // It measures time.
  { name: "budget", suites: ["tests/bench"], alone: true },
];

const usage = `Usage: npm test [-- STAGE...] [-- --together N] [-- --list]

Runs every stage, or those that are named. The last line of the output is "N passed, N failed".

  --together N  run N jobs at a time (default: one more than there are processors, as most wait for something)
  --list        name the stages

`;

/** The test files in a folder and in those below it. */
function testFiles(folder) {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const name = join(folder, entry.name);
      if (entry.isDirectory()) return entry.name === "node_modules" ? [] : testFiles(name);
      return entry.name.endsWith(".test.mjs") ? [name] : [];
    });
}

function isThere({ file, suites }) {
  if (file) return existsSync(join(root, file));
  return !suites || suites.some((folder) => testFiles(folder).length > 0);
}

// The tests that are compiled to wasm; the others are for the host.
function wasmTests() {
  return ["--lib", ...["node", "browser"].flatMap((name) => (existsSync(join(root, "tests", `${name}.rs`)) ? ["--test", name] : []))];
}

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
function jobsOf(stage, row, consumer) {
  if (stage.work) return [job({ row, title: stage.name, lane: "cargo", work: stage.work })];
  const env = { DIGITALPAYE_AUTH_CONSUMER: consumer, CHROMIUM: program("chromium") ?? "", FIREFOX: program("firefox") ?? "" };
  return stage.suites.flatMap(testFiles).map((file) => job({
    row, title: `${stage.name}: ${file}`, alone: stage.alone, work: ({ nodeTests }) => nodeTests([file], env),
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

function chosenStages() {
  let values;
  let positionals;
  try {
    ({ values, positionals } = parseArgs({
      allowPositionals: true, options: {
        together: { type: "string", default: String(availableParallelism() + 1) }, list: { type: "boolean" }, help: { type: "boolean", short: "h" },
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
  return {
    stages: stages.filter((each) => isThere(each) && (positionals.length === 0 || positionals.includes(each.name))),
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
  let consumer;
  const ready = await first("setup", () => setup({ needs: [...new Set(chosen.stages.flatMap((each) => each.needs ?? []))] }))
    && (chosen.stages.every((each) => each.work) || await first("build", async () => {
      await buildPackage();
      await buildSandbox();
      if (chosen.stages.some(({ name }) => name === "page")) await buildPage();
      consumer = await packAndInstall();
    }));
  const jobs = chosen.stages.flatMap((stage) => {
    const row = rowOf(stage.name);
    rows.push(row);
    if (ready) return jobsOf(stage, row, consumer);
    row.note = "not run";
    return [];
  });
  await sideBySide(jobs, chosen.together);
  const total = (kind) => rows.reduce((sum, row) => sum + row[kind], 0);
  process.stdout.write(`\n${table(rows)}\n\nin ${duration(performance.now() - begun)}\n${total("passed")} passed, ${total("failed")} failed\n`);
  return total("failed") === 0 ? 0 : 1;
});
