// The stages of `npm test`, and which of them a change can reach.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setup } from "../setup.mjs";
import { root, target } from "./paths.mjs";

// On the command line, which goes over the environment, where wasm-pack names a runner.
const wasmRunner = ["--config", `target.wasm32-unknown-unknown.runner=${JSON.stringify([process.execPath, join(root, "scripts/lib/wasm-test-runner.mjs")])}`];
const wasm = ["--target", "wasm32-unknown-unknown", "--package", "digitalpaye-auth"];

// What the package is made of, and what its tests share: a change there reaches every stage that has the package.
const packaged = /^(src|module|emulator|pkg|tests\/lib|tests\/sandbox)\/|^(Cargo|package|rust-toolchain)|^scripts\/(build|lib)/;
const rust = /\.rs$|Cargo\.(toml|lock)$|^rust/;
const inWasm = /^(src|tests\/wasm)\/|^tests\/(node|browser)\.rs$|^pkg\/\w+\.js$|Cargo\.|^rust/;

/**
 * The stages in the order of their rows. Those with `work` are cargo's, which compile into one folder: they take turns, as all of one
 * `lane` do, and run beside the others. One with `suites` (folders of *.test.mjs) gets the installed package and the stand-in; each of
 * its files is a job of its own, several at a time; with `alone`, one after another when nothing else runs. `needs` are the tools that
 * setup installs for it.
 * A stage whose files are not there is left out. `by` is which files, beside those of the suites, can change what it says.
 */
export const stages = [
  { name: "fmt", by: rust, work: ({ checks }) => checks(
    ["cargo", "fmt", "--all", "--check"],
    ["cargo", "fmt", "--manifest-path", "tests/fuzz/rust/Cargo.toml", "--check"],
  ) },
  { name: "clippy", by: rust, work: ({ checks }) => checks(
    ["cargo", "clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"],
    ["cargo", "clippy", "--locked", ...wasm, ...wasmTests(), "--", "-D", "warnings"],
    ["cargo", "clippy", "--locked", "--target", "wasm32-unknown-unknown", "--package", "digitalpaye-auth-module",
      "--package", "digitalpaye-emulator-module", "--", "-D", "warnings"],
    // A workspace of its own, whose programs nothing else here compiles. Without libFuzzer, which is C++.
    ["cargo", "clippy", "--locked", "--manifest-path", "tests/fuzz/rust/Cargo.toml", "--target-dir", target, "--no-default-features", "--", "-D", "warnings"],
    ["cargo", "rustdoc", "--locked", "--package", "digitalpaye-auth", "--", "-D", "warnings"],
    ["cargo", "rustdoc", "--locked", "--package", "digitalpaye-emulator", "--", "-D", "warnings"],
  ) },
  { name: "deny", by: /Cargo\.|^deny/, lane: "deny", work: async ({ checks }) => {
    // Compiled here, while other jobs wait for something, and not before all of them.
    await setup({ needs: ["cargo-deny"] });
    // The advisories too, and npm's, by `npm run check audit`: they are asked for over the network.
    return checks(["cargo", "deny", "--locked", "--workspace", "check", "licenses", "bans", "sources"]);
  } },
  { name: "host", by: rust, work: ({ cargoTests }) => cargoTests(["cargo", "test", "--locked", "--workspace", "--no-fail-fast"]) },
  { name: "wasm-node", by: inWasm, file: "tests/node.rs", work: ({ cargoTests }) => cargoTests(
    ["wasm-pack", "test", "--mode", "no-install", "--node", "--", ...wasmRunner, "--test", "node"],
  ) },
  { name: "wasm-chromium", by: inWasm, file: "tests/browser.rs", needs: ["chromium"], work: ({ cargoTests }) => cargoTests(
    ["cargo", "test", "--locked", ...wasm, ...wasmRunner, "--test", "browser"],
    { WASM_TESTS_IN: "chromium" },
  ) },
  { name: "packaging", by: /^(docs|README)/, suites: ["tests/packaging"], needs: ["git"] },
  { name: "types", by: /^pkg\/.*\.d\.ts$|^pkg\/package/, suites: ["tests/types"] },
  { name: "installed", suites: ["tests/installed"], needs: ["curl"] },
  { name: "doctor", suites: ["tests/doctor"], needs: ["openssl"] },
  { name: "emulator", suites: ["tests/emulator"], needs: ["curl"] },
  { name: "fuzz", suites: ["tests/fuzz"] },
  { name: "stores", suites: ["tests/stores"], needs: ["redis"] },
  { name: "workerd", suites: ["tests/workerd"] },
  { name: "conformance", suites: ["tests/conformance"], needs: ["chromium", "firefox"] },
  { name: "fetch-matrix", suites: ["tests/fetch-matrix"], needs: ["chromium"] },
  { name: "page", by: /^www\//, suites: ["www/tests"], needs: ["chromium", "firefox"] },
  // `npm start` compiles, and would wait for whoever of cargo's does.
  { name: "commands", by: /^scripts\//, suites: ["tests/commands"], lane: "cargo", needs: ["git"] },
  { name: "examples", by: /^examples\//, suites: ["tests/examples"], needs: ["curl", "git", "ps", "redis"] },
  { name: "docs", by: /\.md$|^(docs|scripts)\//, suites: ["tests/docs"], needs: ["curl", "git", "redis"] },
  // These measure time.
  { name: "faults", suites: ["tests/faults", "tests/soak"], alone: true, needs: ["chromium", "openssl"] },
  { name: "budget", suites: ["tests/bench"], alone: true },
];

/** The test files in a folder and in those below it. */
export function testFiles(folder) {
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

/** Whether its files are there. */
export function isThere({ file, suites }) {
  if (file) return existsSync(join(root, file));
  return !suites || suites.some((folder) => testFiles(folder).length > 0);
}

// The tests that are compiled to wasm; the others are for the host.
function wasmTests() {
  return ["--lib", ...["node", "browser"].flatMap((name) => (existsSync(join(root, "tests", `${name}.rs`)) ? ["--test", name] : []))];
}

/** The stages that a change of these files can reach: all of them if there is a file of which none knows. */
export function stagesReachedBy(files) {
  const isReachedBy = (file) => ({ by, suites }) =>
    by?.test(file) || (suites && (packaged.test(file) || suites.some((folder) => file.startsWith(`${folder}/`))));
  const reached = files.map((file) => stages.filter(isReachedBy(file)));
  return reached.some((some) => some.length === 0) ? stages : stages.filter((stage) => reached.some((some) => some.includes(stage)));
}
