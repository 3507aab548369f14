// `npm run check mutants [-- FILE...] [-- --jobs N]`: changes the pure files, one place at a time, and runs the tests on the host
// against each change. One that no test notices is named, and is a failure. Without a FILE (`date`, `refresh`), all of them.
import { mkdirSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root, target } from "./lib/paths.mjs";
import { Failure, command, environment, run } from "./lib/process.mjs";
import { setup } from "./setup.mjs";

const KINDS = { CaughtMutant: "caught", Timeout: "timeout", MissedMutant: "missed", Unviable: "unviable" };
const files = readdirSync(join(root, "src")).filter((name) => name.endsWith(".rs")).map((name) => name.slice(0, -3));
const hours = (count) => count * 3_600_000;

/** Of each file, how many mutants came to what; from the record that cargo-mutants keeps. */
function counts(folder) {
  const { outcomes } = JSON.parse(readFileSync(join(folder, "mutants.out", "outcomes.json"), "utf8"));
  const rows = {};
  for (const { scenario, summary } of outcomes) {
    if (!scenario.Mutant || !KINDS[summary]) continue;
    const row = (rows[scenario.Mutant.file] ??= { caught: 0, timeout: 0, missed: 0, unviable: 0 });
    row[KINDS[summary]] += 1;
  }
  return rows;
}

function table(rows) {
  const all = { caught: 0, timeout: 0, missed: 0, unviable: 0 };
  for (const row of Object.values(rows)) for (const kind of Object.keys(all)) all[kind] += row[kind];
  const line = (name, { caught, timeout, missed, unviable }) => {
    const viable = caught + timeout + missed;
    const share = viable === 0 ? "" : ` ${((100 * (caught + timeout)) / viable).toFixed(1)} %`;
    return `| ${name} | ${viable + unviable} | ${unviable} | ${caught} | ${timeout} | ${missed} |${share} |`;
  };
  return [
    "| File | Mutants | Do not compile | Caught | By the time limit | Missed | Killed |",
    "|---|---|---|---|---|---|---|",
    ...Object.entries(rows).sort(([a], [b]) => (a < b ? -1 : 1)).map(([file, row]) => line(`\`${file}\``, row)),
    line("all", all),
  ].join("\n");
}

await command(async () => {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { jobs: { type: "string", default: "2" } } });
  const unknown = positionals.find((name) => !files.includes(name));
  if (unknown) throw new Failure(`There is no src/${unknown}.rs. There are: ${files.join(", ")}`, { exitCode: 2 });
  if (!/^[1-9]\d?$/.test(values.jobs)) throw new Failure("--jobs takes a whole number above 0.", { exitCode: 2 });
  await setup({ needs: ["cargo-mutants"] });
  const folder = join(target, "mutants");
  mkdirSync(folder, { recursive: true });
  const some = positionals.length > 0 ? ["--re", `^src/(${positionals.join("|")})\\.rs:`] : [];
  // The same random cases each time, and few: a mutant that only one in thousands notices is to be caught by example.
  const env = environment({ HOST_CASES: "64", PROPTEST_RNG_SEED: "1" });
  // Each job compiles in a copy of the tree.
  delete env.CARGO_TARGET_DIR;
  const { code, output } = await run("cargo-mutants", ["mutants", "--jobs", values.jobs, "--output", folder, ...some], {
    env, timeout: hours(6), onStdout: (text) => process.stdout.write(text), onStderr: (text) => process.stderr.write(text),
  });
  // 2: some were missed; 3: some ran into the time limit. Everything else is no result.
  if (![0, 2, 3].includes(code)) throw new Failure(`cargo mutants exited with ${code}.`, { output });
  const rows = counts(folder);
  process.stdout.write(`\n${table(rows)}\n`);
  return Object.values(rows).some(({ missed }) => missed > 0) ? 1 : 0;
});
