// `npm test`: every check and test, stage by stage. See `usage`.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { buildPackage, buildPage } from "./build.mjs";
import { packAndInstall } from "./lib/package.mjs";
import { root } from "./lib/paths.mjs";
import { Failure, command } from "./lib/process.mjs";
import { cargoTests, checks, nodeTests } from "./lib/runners.mjs";
import { buildSandbox } from "./lib/sandbox.mjs";
import { duration } from "./lib/terminal.mjs";
import { program, setup } from "./setup.mjs";

const minutes = (count) => count * 60_000;
// On the command line, which goes over the environment, where wasm-pack names a runner.
const wasmRunner = ["--config", `target.wasm32-unknown-unknown.runner=${JSON.stringify([process.execPath, join(root, "scripts/lib/wasm-test-runner.mjs")])}`];
const wasm = ["--target", "wasm32-unknown-unknown", "--package", "digitalpaye-auth"];

/**
 * The stages in the order in which they run; those whose files are not there are left out. `needs` are tools that setup
 * installs for them. A stage with `suites` (folders of *.test.mjs) gets the installed package and the stand-in; `together` is how
 * many of its files run at once, in those that do not measure time.
 */
const stages = [
  { name: "fmt", work: () => checks(["cargo", "fmt", "--all", "--check"]) },
  { name: "clippy", work: () => checks(
    ["cargo", "clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"],
    ["cargo", "clippy", "--locked", ...wasm, ...wasmTests(), "--", "-D", "warnings"],
    ["cargo", "clippy", "--locked", "--target", "wasm32-unknown-unknown", "--package", "digitalpaye-auth-module",
      "--package", "digitalpaye-emulator-module", "--", "-D", "warnings"],
  ) },
  { name: "deny", needs: ["cargo-deny"], work: () => checks(
    // The advisories too, and npm's, by `npm run audit`: they are asked for over the network.
    ["cargo", "deny", "--locked", "--workspace", "check", "licenses", "bans", "sources"],
  ) },
  { name: "host", work: () => cargoTests(["cargo", "test", "--locked", "--workspace", "--no-fail-fast"]) },
  { name: "wasm-node", file: "tests/node.rs", work: () => cargoTests(
    ["wasm-pack", "test", "--mode", "no-install", "--node", "--", ...wasmRunner, "--test", "node"],
  ) },
  { name: "wasm-chromium", file: "tests/browser.rs", needs: ["chromium"], work: () => cargoTests(
    ["cargo", "test", "--locked", ...wasm, ...wasmRunner, "--test", "browser"],
    { WASM_TESTS_IN: "chromium", CHROMIUM: program("chromium") },
  ) },
  { name: "packaging", together: 2, suites: ["tests/packaging"] },
  { name: "types", together: 2, suites: ["tests/types"] },
  { name: "installed", suites: ["tests/installed"], needs: ["curl"] },
  { name: "doctor", together: 2, suites: ["tests/doctor"], needs: ["openssl"] },
  { name: "emulator", together: 2, suites: ["tests/emulator"], needs: ["curl"] },
  { name: "fuzz", suites: ["tests/fuzz"] },
  { name: "stores", suites: ["tests/stores"], needs: ["redis"] },
  { name: "workerd", suites: ["tests/workerd"] },
  { name: "faults", suites: ["tests/faults", "tests/soak"], needs: ["chromium", "openssl"] },
  { name: "conformance", suites: ["tests/conformance"], needs: ["chromium", "firefox"] },
  { name: "fetch-matrix", suites: ["tests/fetch-matrix"], needs: ["chromium"] },
  { name: "page", suites: ["www/tests"], needs: ["chromium", "firefox"], before: buildPage },
  { name: "budget", suites: ["tests/bench"] },
  { name: "commands", suites: ["tests/commands"] },
  { name: "examples", suites: ["tests/examples"], needs: ["curl", "ps", "redis"] },
  { name: "docs", together: 2, suites: ["tests/docs"], needs: ["curl", "redis"] },
];

const usage = `Usage: npm test [-- STAGE...] [-- --list]

Runs every stage, or those that are named. The last line of the output is "N passed, N failed".

  --list  name the stages

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

const rows = [];

/** Runs one stage and notes how it went; what it throws is one failure of it. */
async function stage(name, work) {
  process.stdout.write(`\n── ${name} ${"─".repeat(Math.max(0, 76 - name.length))}\n`);
  const begun = performance.now();
  const row = { name, passed: 0, failed: 0, skipped: 0 };
  let result;
  try {
    result = await work();
    Object.assign(row, result?.tally ?? { note: "done" });
  } catch (error) {
    row.failed = 1;
    if (error instanceof Failure) {
      if (error.output) process.stderr.write(`${error.output.trimEnd()}\n\n`);
      process.stderr.write(`${error.message}\n`);
      row.note = error.message.split("\n")[0].slice(0, 100);
    } else {
      console.error(error);
      row.note = String(error).slice(0, 100);
    }
  }
  row.time = performance.now() - begun;
  rows.push(row);
  return row.failed === 0 ? (result?.value ?? true) : undefined;
}

function table() {
  const cells = [
    ["stage", "passed", "failed", "skipped", "time", ""],
    ...rows.map((row) => [row.name, row.passed, row.failed, row.skipped, duration(row.time), row.note ?? ""].map(String)),
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
      allowPositionals: true, options: { list: { type: "boolean" }, help: { type: "boolean", short: "h" } },
    }));
    const unknown = positionals.find((name) => !stages.some((stage) => stage.name === name));
    if (unknown) throw new Error(`There is no stage "${unknown}". There are: ${stages.map(({ name }) => name).join(", ")}`);
  } catch (error) {
    throw new Failure(`${error.message}\n\n${usage}`, { exitCode: 2 });
  }
  if (values.help) process.stdout.write(usage);
  if (values.list) process.stdout.write(stages.map((each) => `${each.name}${isThere(each) ? "" : " (nothing there yet)"}\n`).join(""));
  if (values.help || values.list) return undefined;
  return stages.filter((each) => isThere(each) && (positionals.length === 0 || positionals.includes(each.name)));
}

await command(async () => {
  const chosen = chosenStages();
  if (!chosen) return 0;
  const begun = performance.now();
  const needs = [...new Set(chosen.flatMap((each) => each.needs ?? []))];
  const ready = await stage("setup", () => setup({ needs }));
  let consumer;
  let built = false;
  for (const each of ready ? chosen : []) {
    if (!each.suites) {
      await stage(each.name, async () => ({ tally: await each.work() }));
      continue;
    }
    if (!built) {
      built = true;
      consumer = await stage("build", async () => {
        await buildPackage();
        await buildSandbox();
        return { value: await packAndInstall() };
      });
    }
    // Without the package none of these can run, and the failed build is counted.
    if (consumer) await stage(each.name, async () => {
      await each.before?.();
      return { tally: await nodeTests(each.suites.flatMap(testFiles), {
        DIGITALPAYE_AUTH_CONSUMER: consumer, CHROMIUM: program("chromium") ?? "", FIREFOX: program("firefox") ?? "",
      }, { together: each.together }) };
    });
    else rows.push({ name: each.name, passed: 0, failed: 0, skipped: 0, time: 0, note: "not run" });
  }
  const total = (kind) => rows.reduce((sum, row) => sum + row[kind], 0);
  process.stdout.write(`\n${table()}\n\nin ${duration(performance.now() - begun)}\n${total("passed")} passed, ${total("failed")} failed\n`);
  return total("failed") === 0 ? 0 : 1;
});
