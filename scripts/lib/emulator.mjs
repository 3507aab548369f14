// The emulator's part of the package: a wasm module of its own, its glue, and its CommonJS twin.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bytesModule } from "./bytes.mjs";
import { pkg, root } from "./paths.mjs";
import { Failure, environment, must } from "./process.mjs";
import { step } from "./terminal.mjs";

const minutes = (count) => count * 60_000;

/**
 * Adds the emulator's files to `staging`/wasm and `staging`/cjs. `flags` are those that the package's own module is
 * compiled with, so that crates which both have are compiled once.
 */
export async function buildEmulator(staging, flags = []) {
  const out = join(staging, "emulator");
  await step("Compiling the emulator", (report) => must("wasm-pack", ["build", "--release", "--mode", "no-install",
    "--target", "bundler", "--no-pack", "--no-typescript", "--out-dir", out, "--out-name", "digitalpaye_emulator", join(root, "emulator", "module")], {
    env: environment({ CARGO_ENCODED_RUSTFLAGS: flags.join("\u001f") }),
    timeout: minutes(15), onStdout: report, onStderr: report,
  }));
  for (const folder of ["wasm", "cjs"]) mkdirSync(join(staging, folder), { recursive: true });
  for (const name of ["digitalpaye_emulator_bg.js", "digitalpaye_emulator_bg.wasm"]) cpSync(join(out, name), join(staging, "wasm", name));
  const module = readFileSync(join(out, "digitalpaye_emulator_bg.wasm"));
  writeFileSync(join(staging, "wasm", "emulator-bytes.js"), bytesModule(module));
  rmSync(out, { recursive: true });
  await bundle(staging);
  cpSync(join(pkg, "emulator.d.ts"), join(staging, "cjs", "emulator.d.cts"));
}

async function bundle(staging) {
  const { build } = await import("esbuild");
  const { warnings } = await build({
    absWorkingDir: pkg,
    entryPoints: [join(pkg, "emulator.js")],
    outfile: join(staging, "cjs", "emulator.cjs"),
    bundle: true,
    format: "cjs",
    platform: "node",
    target: "es2022",
    legalComments: "none",
    logLevel: "silent",
    plugins: [{
      // pkg/wasm is of the last build, or not there yet.
      name: "wasm-of-this-build",
      setup(esbuild) {
        esbuild.onResolve({ filter: /\/wasm\/[^/]+$/ }, ({ path }) => ({ path: join(staging, "wasm", path.split("/").at(-1)) }));
      },
    }],
  }).catch((error) => {
    throw new Failure("The emulator's CommonJS bundle could not be made.", { output: error.message, cause: error });
  });
  if (warnings.length > 0) throw new Failure("esbuild has warnings.", { output: warnings.map(({ text }) => text).join("\n") });
}
