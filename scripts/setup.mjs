// `node scripts/setup.mjs [TOOL...]`: installs what the other commands need and a machine with rustup, Node.js and npm
// lacks. Takes less than a second when nothing is missing. Only Node's own modules may be imported here and in what
// this imports: it runs before `npm ci`.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { pkg, root, target, tests, tools, www } from "./lib/paths.mjs";
import { Failure, ask, command, environment, must, which } from "./lib/process.mjs";
import { sayOnce, step } from "./lib/terminal.mjs";

const wasm = "wasm32-unknown-unknown";
const wasmPack = "0.15.1";
const cargoDeny = { crate: "cargo-deny", version: "0.20.2", commands: ["cargo-deny"], locked: true };
// It answers only as `cargo mutants` calls it.
const cargoMutants = { crate: "cargo-mutants", version: "27.1.0", commands: ["cargo-mutants"], asked: ["mutants", "--version"], locked: true };
/** Those that only some commands need. */
const optionalTools = [cargoDeny, cargoMutants];

// Measured from a clone to the token with nothing downloaded or compiled before, other work on the machine: 4 min 44 s,
// 3 min of it for the two tools.
const firstBuild = "The first build takes about 5 minutes on two cores: wasm-pack and wasm-bindgen are compiled. Later ones take seconds.";

const minutes = (count) => count * 60_000;

function read(...path) {
  return readFileSync(join(...path), "utf8");
}

function readJson(...path) {
  try {
    return JSON.parse(read(...path));
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw new Failure(`${join(...path)} cannot be read: ${error.message}`);
  }
}

function checkSystem() {
  if (process.platform === "win32") throw new Failure("The commands need Linux or macOS. On Windows, use WSL: https://learn.microsoft.com/windows/wsl/install");
  const major = Number(process.versions.node.split(".")[0]);
  if (major < 20) {
    throw new Failure(`Node.js 20 or newer is needed, this is ${process.versions.node}. See https://nodejs.org/en/download`);
  }
}

/** What npm would have to do: nothing, install what the lock file says, or bring the lock file up to date first. */
function npmWork() {
  const lock = readJson(root, "package-lock.json");
  if (!lock) return "install";
  for (const folder of [root, pkg, tests, www]) {
    const wanted = readJson(folder, "package.json");
    const locked = lock.packages[relative(root, folder)] ?? {};
    for (const kind of ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"]) {
      if (JSON.stringify(sorted(wanted?.[kind])) !== JSON.stringify(sorted(locked[kind]))) return "install";
    }
  }
  // npm notes what it has installed in a lock file of its own when it is done. What is optional may be for another
  // system; anything else that is not there was removed by hand.
  const installed = readJson(root, "node_modules", ".package-lock.json");
  if (!installed) return "ci";
  for (const [path, { version, link, optional, devOptional }] of Object.entries(lock.packages)) {
    if (!path.includes("node_modules/")) continue;
    const found = installed.packages[path];
    const there = found && existsSync(join(root, path));
    if (!there && (optional || devOptional)) continue;
    if (!there || found.version !== version || Boolean(found.link) !== Boolean(link)) return "ci";
  }
  return undefined;
}

function sorted(record = {}) {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
}

async function installNpmPackages() {
  const work = npmWork();
  if (!work) return;
  if (!which("npm")) throw new Failure("npm is missing. It comes with Node.js: https://nodejs.org/en/download");
  // Older releases of npm would run the install scripts of dependencies, newer ones do not: none that we use needs to.
  await step(`npm ${work}`, (report) => must("npm", [work, "--ignore-scripts", "--no-audit", "--no-fund"], {
    timeout: minutes(10), onStdout: report, onStderr: report,
  }));
}

function toolchain() {
  const text = read(root, "rust-toolchain.toml");
  const list = (name) => (new RegExp(`^${name}\\s*=\\s*\\[([^\\]]*)\\]`, "m").exec(text)?.[1] ?? "")
    .split(",").map((item) => item.trim().replaceAll('"', "")).filter(Boolean);
  return { channel: /^channel\s*=\s*"([^"]+)"/m.exec(text)?.[1] ?? "stable", components: list("components"), targets: list("targets") };
}

async function installRust() {
  if (!which("cargo")) {
    throw new Failure("Rust is missing. Install it with: curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y");
  }
  const { channel, components, targets } = toolchain();
  if (!which("rustup")) {
    // A toolchain from elsewhere is fine when it can do the same.
    const library = ask("rustc", ["--print", "target-libdir", "--target", wasm]);
    if (library && existsSync(library)) return;
    throw new Failure(`This Rust cannot compile for ${wasm}, and there is no rustup to add it. Install rustup from https://rustup.rs`);
  }
  // rustup may be told not to install by itself what rust-toolchain.toml lists, so this asks for it by name.
  const rustup = (title, args) => step(title, (report) => must("rustup", args, {
    timeout: minutes(10), onStdout: report, onStderr: report,
  }));
  let present = ask("rustup", ["target", "list", "--installed"]);
  if (present === undefined) {
    await rustup(`Installing Rust ${channel}`, ["toolchain", "install", channel, "--profile", "minimal",
      ...components.flatMap((name) => ["--component", name]), ...targets.flatMap((name) => ["--target", name])]);
    present = ask("rustup", ["target", "list", "--installed"]) ?? "";
  }
  if (!present.split(/\s+/).includes(wasm)) await rustup(`Installing Rust's ${wasm}`, ["target", "add", wasm]);
  const installed = ask("rustup", ["component", "list", "--installed"])?.split(/\s+/) ?? [];
  const missing = components.filter((name) => !installed.some((have) => have === name || have.startsWith(`${name}-`)));
  if (missing.length > 0) await rustup(`Installing Rust's ${missing.join(" and ")}`, ["component", "add", ...missing]);
}

function version(name, asked = ["--version"]) {
  const path = which(name);
  return path && ask(path, asked)?.split(/\s+/)[1];
}

/** The command-line half of wasm-bindgen has to be of the same version as the crate that the module links. */
export function wasmBindgenVersion() {
  const locked = /name = "wasm-bindgen"\nversion = "([^"]+)"/.exec(read(root, "Cargo.lock"));
  if (!locked) throw new Failure("Cargo.lock does not name wasm-bindgen.");
  return locked[1];
}

function wasmTools() {
  return [
    { crate: "wasm-pack", version: wasmPack, commands: ["wasm-pack"], locked: true },
    // Not --locked: the lock file that it was published with names a crate release that was withdrawn.
    { crate: "wasm-bindgen-cli", version: wasmBindgenVersion(), commands: ["wasm-bindgen", "wasm-bindgen-test-runner"], locked: false },
  ];
}

function missingOf(cargoTools) {
  return cargoTools.filter((tool) => tool.commands.some((name) => version(name, tool.asked) !== tool.version));
}

async function installCargoTools(wanted) {
  const missing = missingOf(wanted);
  if (missing.length === 0) return;
  // One target folder, so that what both depend on is compiled once; it is of no use afterwards.
  const scratch = join(tools, "build");
  for (const tool of missing) {
    await step(`Compiling ${tool.crate} ${tool.version}`, (report) => must("cargo", ["install", tool.crate,
      "--version", tool.version, ...(tool.locked ? ["--locked"] : []), "--root", tools, "--force", "--no-track", "--debug"], {
      // Unoptimised: they run for a second or two per build, and optimising them would double the time of the first.
      env: environment({ CARGO_TARGET_DIR: scratch, CARGO_PROFILE_DEV_DEBUG: "0", CARGO_INCREMENTAL: "0" }),
      timeout: minutes(45), onStdout: report, onStderr: report,
    }));
    for (const name of tool.commands) {
      if (version(name, tool.asked) !== tool.version) throw new Failure(`${which(name) ?? name} is not of version ${tool.version}.`);
    }
  }
  rmSync(scratch, { recursive: true, force: true });
}

// What the tests need and no language's package manager brings. Each is a list of names under any of which it may be
// found, and its packages by the command that installs them.
const programs = {
  cc: { names: ["cc", "gcc", "clang"], debian: ["build-essential"], ubuntu: ["build-essential"], dnf: ["gcc"], brew: ["gcc"] },
  chromium: {
    names: ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
    debian: ["chromium"], ubuntu: ["chromium-browser"], dnf: ["chromium"], brew: ["chromium"],
  },
  firefox: {
    names: ["firefox-esr", "firefox"],
    debian: ["firefox-esr"], ubuntu: ["firefox"], dnf: ["firefox"], brew: ["firefox"],
  },
  webkit: {
    names: ["WebKitWebDriver"],
    debian: ["webkit2gtk-driver"], ubuntu: ["webkit2gtk-driver"], dnf: ["webkit2gtk-driver"], brew: [],
  },
  xvfb: { names: ["Xvfb"], debian: ["xvfb"], ubuntu: ["xvfb"], dnf: ["xorg-x11-server-Xvfb"], brew: [] },
  curl: { names: ["curl"], debian: ["curl"], ubuntu: ["curl"], dnf: ["curl"], brew: ["curl"] },
  ps: { names: ["ps"], debian: ["procps"], ubuntu: ["procps"], dnf: ["procps-ng"], brew: [] },
  git: { names: ["git"], debian: ["git"], ubuntu: ["git"], dnf: ["git"], brew: ["git"] },
  openssl: { names: ["openssl"], debian: ["openssl"], ubuntu: ["openssl"], dnf: ["openssl"], brew: ["openssl"] },
  redis: { names: ["redis-server"], debian: ["redis-server"], ubuntu: ["redis-server"], dnf: ["redis"], brew: ["redis"] },
};
export const toolNames = [...Object.keys(programs), ...optionalTools.map((tool) => tool.crate)];

/** Where a program that setup knows is found. */
export function program(name) {
  for (const candidate of programs[name].names) {
    const path = which(candidate);
    if (path) return path;
  }
  return undefined;
}

async function installPrograms(names) {
  const missing = names.filter((name) => !program(name));
  if (missing.length === 0) return;
  const packages = (system) => [...new Set(missing.flatMap((name) => programs[name][system]))];
  const list = new Intl.ListFormat("en-GB", { type: "conjunction" });
  const told = `${list.format(missing)} ${missing.length > 1 ? "are" : "is"} missing.`;
  if (which("apt-get")) {
    const system = /^ID(_LIKE)?=.*ubuntu/m.test(existsSync("/etc/os-release") ? read("/etc/os-release") : "") ? "ubuntu" : "debian";
    const install = ["apt-get", "install", "-y", "--no-install-recommends", ...packages(system)];
    const asRoot = process.getuid?.() === 0 ? [] : ask("sudo", ["-n", "true"]) !== undefined ? ["sudo", "-n"] : undefined;
    if (asRoot) {
      const env = environment({ DEBIAN_FRONTEND: "noninteractive" });
      const apt = (args) => (report) => {
        const [first, ...rest] = [...asRoot, ...args];
        return must(first, rest, { env, timeout: minutes(10), onStdout: report, onStderr: report });
      };
      try {
        await step("apt-get update", apt(["apt-get", "update"]));
        await step(`apt-get install ${packages(system).join(" ")}`, apt(install));
      } catch (error) {
        throw new Failure(`${told} Install with: ${[...asRoot, ...install].join(" ")}`, { output: error.output, cause: error });
      }
      if (missing.every((name) => program(name))) return;
    }
    throw new Failure(`${told} Install with: sudo ${install.join(" ")}`);
  }
  if (which("brew")) throw new Failure(`${told} Install with: brew install ${packages("brew").join(" ")}`);
  if (which("dnf")) throw new Failure(`${told} Install with: sudo dnf install -y ${packages("dnf").join(" ")}`);
  throw new Failure(`${told} Install ${list.format(missing.map((name) => programs[name].names[0]))} with the package manager of this system.`);
}

/** Installs what is missing: always what the build needs, and the `needs` of tests (see `toolNames`). */
export async function setup({ needs = [] } = {}) {
  checkSystem();
  if (!existsSync(join(target, wasm)) || missingOf(wasmTools()).length > 0) sayOnce(firstBuild);
  await installNpmPackages();
  await installPrograms(["cc", ...needs.filter((name) => name in programs)]);
  await installRust();
  await installCargoTools([...wasmTools(), ...optionalTools.filter((tool) => needs.includes(tool.crate))]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await command(async () => {
    const needs = process.argv.slice(2);
    const unknown = needs.find((name) => !toolNames.includes(name));
    if (unknown) throw new Failure(`Unknown tool ${unknown}. There are: ${toolNames.join(", ")}`, { exitCode: 2 });
    await setup({ needs });
    process.stdout.write("All that is needed is here.\n");
  });
}
