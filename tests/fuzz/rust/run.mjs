// `npm run check fuzz-rust [-- TARGET...] [-- --minutes N]`: each pure stage under libFuzzer for a while, from the seeds here and
// from what earlier runs have found. Prints executions, coverage and finds.
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "../../../scripts/lib/paths.mjs";
import { Failure, command, environment, run, which } from "../../../scripts/lib/process.mjs";

const here = join(root, "tests", "fuzz", "rust");
const all = readdirSync(join(here, "targets")).map((file) => file.replace(/\.rs$/, "")).sort();
// No sanitizer: there is no unsafe code to watch, and so a stable toolchain is enough.
const fuzz = (work, ...rest) => ["fuzz", work, "--fuzz-dir", here, "--sanitizer", "none", ...rest];

await command(async () => {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { minutes: { type: "string", default: "3" } } });
  const seconds = Math.round(Number(values.minutes) * 60);
  const unknown = positionals.find((name) => !all.includes(name));
  if (unknown || !(seconds > 0)) throw new Failure(unknown ? `There is no target "${unknown}". There are: ${all.join(", ")}` : "--minutes takes a number above 0.", { exitCode: 2 });
  if (!which("cargo-fuzz")) throw new Failure("cargo-fuzz is missing. Install it with: cargo install cargo-fuzz --locked");
  const options = { env: environment(), onStderr: undefined };
  let failed = 0;
  for (const name of positionals.length > 0 ? positionals : all) {
    const folders = ["corpus", "seeds"].map((kind) => join(here, kind, name));
    for (const folder of folders) if (!existsSync(folder)) mkdirSync(folder, { recursive: true });
    const { code, output } = await run("cargo", fuzz("run", name, ...folders, "--", `-max_total_time=${seconds}`, "-max_len=8192", "-timeout=10", "-print_final_stats=1"), {
      ...options, timeout: (seconds + 900) * 1_000,
    });
    const executions = /stat::number_of_executed_units: (\d+)/.exec(output)?.[1];
    const [, edges, features] = [...output.matchAll(/cov: (\d+) ft: (\d+)/g)].at(-1) ?? [];
    process.stdout.write(`${name}: ${executions} executions in ${seconds} s, ${edges} edges, ${features} features${code === 0 ? "" : ", FAILED"}\n`);
    if (code !== 0) {
      failed += 1;
      process.stderr.write(`${output.split("\n").slice(-40).join("\n")}\n`);
    }
  }
  return failed === 0 ? 0 : 1;
});
