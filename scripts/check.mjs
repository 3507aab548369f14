// `npm run check`: what takes longer than `npm test`, or needs more than it. See `usage`.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { root } from "./lib/paths.mjs";
import { Failure, command, environment } from "./lib/process.mjs";

/** Each check's words, where it is, and what is to be known of it in a line. */
const checks = {
  runtimes: ["tests/conformance/table.mjs", "the conformance suite in every runtime, WebKit too; --write puts the table into the docs"],
  frameworks: ["tests/frameworks/run.mjs", "what people build with, built and asked over HTTP; a name runs one, floors the oldest releases"],
  examples: ["tests/examples/command.mjs", "the examples, with Next.js and wrangler too; --write notes how long a newcomer takes"],
  faults: ["tests/faults/table.mjs", "every fault of a network and a server; --write puts the table into its README"],
  soak: ["tests/soak/command.mjs", "random faults for random callers; --minutes 10"],
  wpt: ["tests/fetch-matrix/wpt/command.mjs", "the Web Platform Tests for fetch, by auth.fetch and by the platform's"],
  fuzz: ["tests/fuzz/command.mjs", "hostile inputs for the installed package; --minutes 10"],
  "fuzz-rust": ["tests/fuzz/rust/run.mjs", "random bytes for the pure stages, by cargo-fuzz; --minutes 3"],
  simulation: ["cargo", "fleets of processes, seed by seed; see tests/simulation/README.md"],
  mutants: ["scripts/mutants.mjs", "the pure files with one thing changed, which a test has to notice; whole, or a file"],
  reproducible: ["scripts/reproducible.mjs", "two builds in two folders, byte by byte"],
  audit: ["scripts/audit.mjs", "whether anything is known against a dependency; asks over the network"],
};

const width = Math.max(...Object.keys(checks).map((name) => name.length));
const usage = `Usage: npm run check NAME [-- OPTION...]

${Object.entries(checks).map(([name, [, what]]) => `  ${name.padEnd(width)}  ${what}`).join("\n")}

`;

await command(async () => {
  const [name, ...options] = process.argv.slice(2);
  if (name === undefined || name === "--help") {
    process.stdout.write(usage);
    return 0;
  }
  if (!Object.hasOwn(checks, name)) throw new Failure(`There is no check "${name}".\n\n${usage}`, { exitCode: 2 });
  // In a process of its own, as if it had been called itself: each reads its own options.
  const [file] = checks[name];
  const words = file === "cargo" ? ["cargo", "run", "--profile", "simulation", "--package", "digitalpaye-simulation", "--"] : [process.execPath, join(root, file)];
  const child = spawn(words[0], [...words.slice(1), ...options], { cwd: root, stdio: "inherit", env: environment() });
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => child.once("error", reject).once("exit", (code) => resolve(code ?? 1)));
});
