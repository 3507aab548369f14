// A crate, compiled to one of the package's wasm modules by wasm-pack, binaryen and esbuild.
import { createHash } from "node:crypto";
import { cpSync, existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { root, target } from "../paths.mjs";
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
    await finishUnlessDone({ name, folder, formats });
  });
}

// Optimizing takes longer than all the rest when nothing has changed, so what came out of it is kept: the last one of each name, under
// what went in.
async function finishUnlessDone({ name, folder, formats }) {
  const kept = join(target, "modules", `${name}-${hashOf(name, folder)}`);
  if (existsSync(kept)) {
    rmSync(folder, { recursive: true });
    cpSync(kept, folder, { recursive: true });
    return;
  }
  await finishModule({ name, folder, formats });
  const others = existsSync(dirname(kept)) ? readdirSync(dirname(kept)).filter((each) => each.startsWith(`${name}-`)) : [];
  for (const each of others) rmSync(join(dirname(kept), each), { recursive: true, force: true });
  // Copied under another name and renamed, so that an interrupted build leaves nothing that passes for whole.
  const half = `${kept}.${process.pid}`;
  cpSync(folder, half, { recursive: true });
  try {
    renameSync(half, kept);
  } catch (error) {
    // Another build beside this one was faster.
    if (!existsSync(kept)) throw error;
    rmSync(half, { recursive: true });
  }
}

// Of all that the outcome depends on: what wasm-pack made, the steps here, and the tools that they call.
function hashOf(name, folder) {
  const here = dirname(fileURLToPath(import.meta.url));
  const files = [join(folder, `${name}_bg.js`), join(folder, `${name}_bg.wasm`), ...readdirSync(here).sort().map((file) => join(here, file)),
    ...["esbuild", "binaryen"].map((tool) => join(root, "node_modules", tool, "package.json")), join(root, "scripts", "build.mjs")];
  const hash = createHash("sha256");
  for (const file of files) hash.update(createHash("sha256").update(readFileSync(file)).digest());
  return hash.digest("hex").slice(0, 32);
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
