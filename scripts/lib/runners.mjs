// Running checks and tests, and counting what ran from what the runners print.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { environment, run } from "./process.mjs";
import { temporaryFolder } from "./temporary.mjs";
import { plain } from "./terminal.mjs";

const minutes = (count) => count * 60_000;

const toTheTerminal = { stdout: (text) => process.stdout.write(text), stderr: (text) => process.stderr.write(text) };

/** The runners. What they run is heard as it comes: on the terminal, or by the two functions of `heard`. */
export function runners(heard = toTheTerminal) {
  // A command's output as it comes, and also to be counted from.
  function show(words, { env, timeout = minutes(20) } = {}) {
    const [first, ...rest] = words;
    const colours = process.stdout.isTTY ? { CARGO_TERM_COLOR: "always", FORCE_COLOR: "1" } : {};
    return run(first, rest, { timeout, env: environment({ ...colours, ...env }), onStdout: heard.stdout, onStderr: heard.stderr });
  }
  const name = (words) => heard.stderr(`$ ${words.join(" ")}\n`);

  return {
    /** Each command is one check. */
    async checks(...commands) {
      const tally = { passed: 0, failed: 0, skipped: 0 };
      for (const words of commands) {
        name(words);
        if ((await show(words)).code === 0) tally.passed++;
        else tally.failed++;
      }
      return tally;
    },

    /** A command that runs tests under Rust's test harness or wasm-bindgen's. */
    async cargoTests(words, env = {}) {
      name(words);
      const result = await show(words, { env: { WASM_BINDGEN_TEST_TIMEOUT: "300", ...env } });
      return verdict(libtest(result.stdout), result);
    },

    /** Test files under Node.js' test runner, one after another, a process each. */
    async nodeTests(files, env = {}, { fileTimeout = minutes(5) } = {}) {
      const report = join(temporaryFolder("digitalpaye-auth-report"), "report.tap");
      const result = await show([process.execPath, "--test", "--test-concurrency=1", `--test-timeout=${fileTimeout}`,
        "--test-reporter=spec", "--test-reporter-destination=stdout",
        "--test-reporter=tap", `--test-reporter-destination=${report}`, ...files], {
        env,
        timeout: Math.min(minutes(60), fileTimeout * files.length + minutes(1)),
      });
      return verdict(tap(existsSync(report) ? readFileSync(report, "utf8") : ""), result);
    },
  };
}

/** Sums the `test result:` lines. */
export function libtest(output) {
  const tally = { passed: 0, failed: 0, skipped: 0 };
  for (const [, passed, failed, ignored] of plain(output).matchAll(
    /^test result: (?:ok|FAILED)\. (\d+) passed; (\d+) failed; (\d+) ignored/gm,
  )) {
    tally.passed += Number(passed);
    tally.failed += Number(failed);
    tally.skipped += Number(ignored);
  }
  return tally;
}

// The totals at the end of what Node.js' TAP reporter writes.
function tap(output) {
  const total = (name) => Number(new RegExp(`^# ${name} (\\d+)$`, "m").exec(output)?.[1] ?? 0);
  return { passed: total("pass"), failed: total("fail") + total("cancelled"), skipped: total("skipped") + total("todo") };
}

/** A runner that failed without a failed test, or ran none, counts as one failure: nothing may pass by not running. */
export function verdict(tally, { code, signal, timedOut }) {
  if (timedOut) return { ...tally, failed: Math.max(1, tally.failed), note: "stopped: it took too long" };
  if (code !== 0 && tally.failed === 0) return { ...tally, failed: 1, note: signal ? `ended by ${signal}` : `exited with ${code}` };
  if (code === 0 && tally.passed + tally.failed === 0) return { ...tally, failed: 1, note: "no test ran" };
  return tally;
}
