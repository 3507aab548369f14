// A crate, compiled to one of the package's wasm modules by wasm-pack, binaryen and esbuild.
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, sep } from "node:path";
import { Failure, environment, must } from "../process.mjs";
import { step } from "../terminal.mjs";
import { bytesModule } from "./bytes.mjs";
import { bundleGlue } from "./glue.mjs";
import { optimize } from "./optimize.mjs";

const minutes = (count) => count * 60_000;

/**
 * Compiles the crate in the folder `crate`. Puts three files into `folder`, which has to be new or empty: NAME_bg.wasm,
 * bytes.js, which exports its bytes, and NAME_bg.js, which exports what Rust does, `__wbg_set_wasm` and `instantiate(module)`.
 * `formats`: whether the crate formats text, other than for panics.
 */
export async function buildModule({ title, crate, name, folder, formats = false }) {
  // Unpacks the sources of the dependencies, whose folders have to be known ahead.
  await must("cargo", ["fetch", "--quiet", "--target", "wasm32-unknown-unknown"], { timeout: minutes(10) });
  await step(title, async (report) => {
    await must("wasm-pack", ["build", "--release", "--mode", "no-install", "--target", "bundler", "--no-pack",
      "--no-typescript", "--out-dir", folder, "--out-name", name, crate], {
      env: environment({ CARGO_ENCODED_RUSTFLAGS: withoutFolders().join("\u001f") }),
      timeout: minutes(15), onStdout: report, onStderr: report,
    });
    await finishModule({ name, folder, formats });
  });
}

/** Makes of what wasm-pack left in `folder` what the package has. */
export async function finishModule({ name, folder, formats = false }) {
  const [glue, wasm] = [`${name}_bg.js`, `${name}_bg.wasm`];
  // npm pack would obey the ignore file that wasm-pack writes, and leave the module out without a word.
  const generated = new Set([glue, wasm]);
  for (const entry of readdirSync(folder)) {
    if (!generated.delete(entry)) rmSync(join(folder, entry), { recursive: true });
  }
  if (generated.size > 0) throw new Failure(`wasm-pack did not make ${[...generated].join(" and ")}.`);
  const names = await bundleGlue(join(folder, glue), join(folder, wasm));
  optimize(join(folder, wasm), names, { formats });
  writeFileSync(join(folder, "bytes.js"), bytesModule(readFileSync(join(folder, wasm))));
}

// Panics name the source files of dependencies: without the folder that these are in, the module is the same whoever
// builds it, and tells nobody where.
function withoutFolders() {
  const sources = join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "registry", "src");
  return existsSync(sources) ? readdirSync(sources).sort().map((name) => `--remap-path-prefix=${join(sources, name)}${sep}=`) : [];
}
