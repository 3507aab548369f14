// `npm run check reproducible`: whether the package is the same bytes wherever it is built. See `usage`.
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { root, tools } from "./lib/paths.mjs";
import { Failure, ask, command, environment, must } from "./lib/process.mjs";
import { differences, entries, sha256 } from "./lib/tarball.mjs";
import { temporaryFolder } from "./lib/temporary.mjs";
import { say, step } from "./lib/terminal.mjs";
import { setup } from "./setup.mjs";

const usage = `Usage: npm run check reproducible

Builds the package from nothing in two folders, under circumstances that should make no difference, and compares the
tarballs, file by file. Takes two to three minutes; the compiled tools of the build are not built again.
`;

const cargoHome = process.env.CARGO_HOME ?? join(homedir(), ".cargo");

/** Throws unless two builds, in folders of their own, give the same tarball; resolves to that. */
export async function checkReproducible() {
  await setup();
  const [one, other] = [
    await build("one", {}),
    await build(join("another", "folder", "with", "a", "longer", "path"), {
      CARGO_HOME: ownCargoHome(), CARGO_BUILD_JOBS: "1", TZ: "Pacific/Kiritimati", LC_ALL: "C", LANG: "C",
    }),
  ];
  const different = differences(one, other);
  if (different.length > 0) throw new Failure(`Two builds differ in ${different.join(", ")}.`);
  return one;
}

/** Builds a copy of what git knows or would, in a new folder of this name; resolves to the tarball. */
async function build(name, changes) {
  const folder = join(temporaryFolder("digitalpaye-auth-build"), name);
  const files = ask("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
  if (files === undefined) throw new Failure("git cannot say which files the package is built from.");
  for (const file of new Set(files.split("\0"))) {
    if (!file || !existsSync(join(root, file))) continue;
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(root, file), join(folder, file));
  }
  // The compiled tools are pinned, and take longer than all the rest.
  const bin = join(folder, "target", "tools", "bin");
  mkdirSync(bin, { recursive: true });
  for (const tool of ["wasm-pack", "wasm-bindgen", "wasm-bindgen-test-runner"]) symlinkSync(join(tools, "bin", tool), join(bin, tool));
  const env = environment(changes);
  delete env.CARGO_TARGET_DIR;
  env.PATH = [bin, ...env.PATH.split(delimiter).filter((path) => path !== join(tools, "bin")), join(cargoHome, "bin")].join(delimiter);
  const work = `
    const { buildPackage } = await import("./scripts/build.mjs");
    const { pack } = await import("./scripts/lib/package.mjs");
    await buildPackage();
    console.log(await pack(process.cwd()));`;
  const { stdout } = await step(`Building in ${folder}`, (report) => must(process.execPath, ["--input-type=module", "--eval", work], {
    cwd: folder, env, timeout: 15 * 60_000, onStdout: report, onStderr: report,
  }));
  return stdout.trim().split("\n").at(-1);
}

/** A home for cargo in which the crates' sources are unpacked anew, from what was downloaded already. */
function ownCargoHome() {
  const folder = join(temporaryFolder("digitalpaye-auth-cargo"), "home");
  mkdirSync(join(folder, "registry"), { recursive: true });
  for (const shared of ["config.toml", join("registry", "index"), join("registry", "cache")]) {
    if (existsSync(join(cargoHome, shared))) symlinkSync(join(cargoHome, shared), join(folder, shared));
  }
  return folder;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await command(async () => {
    try {
      parseArgs({ options: {} });
    } catch (error) {
      throw new Failure(`${error.message}\n\n${usage}`, { exitCode: 2 });
    }
    const tarball = await checkReproducible();
    for (const [name, content] of entries(tarball)) process.stdout.write(`${sha256(content)}  ${name}\n`);
    process.stdout.write(`Two builds gave the same tarball: ${sha256(readFileSync(tarball))}\n`);
  });
}
