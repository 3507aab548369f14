// What `npm start` and `npm test` do first, on machines that lack one thing or another: a small project with the real
// scripts, and stand-ins for the tools, which note how they were called.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import test, { afterEach, beforeEach, describe } from "node:test";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

// One program plays all tools. What is installed is what files say: targets and components of Rust, commands in `bin`.
const player = `
import { appendFileSync, chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
const [machine, name, ...args] = process.argv.slice(2);
const state = (file) => join(machine, file);
const has = (file) => existsSync(state(file)) ? readFileSync(state(file), "utf8").split("\\n").filter(Boolean) : [];
const place = (path, text) => { mkdirSync(dirname(path), { recursive: true }); writeFileSync(path, text); chmodSync(path, 0o755); };
const after = (option) => args[args.indexOf(option) + 1];
const query = args.includes("--version") && args.length === 1 || args.includes("--installed") || (name === "sudo" && args.at(-1) === "true");
if (!query && name !== "sudo") appendFileSync(state("calls"), [name, ...args].join(" ") + "\\n");
if (has("broken").includes(name)) { console.error(name + " is out of order"); process.exit(100); }
if (name === "npm") {
  mkdirSync("node_modules/binaryen", { recursive: true });
  copyFileSync("package-lock.json", "node_modules/.package-lock.json");
} else if (name === "rustup") {
  if (args[0] === "toolchain") { writeFileSync(state("targets"), "wasm32-unknown-unknown\\n"); writeFileSync(state("components"), "clippy-x86_64\\nrustfmt-x86_64\\n"); }
  else if (!existsSync(state("targets"))) { console.error("toolchain is not installed"); process.exit(1); }
  else if (args.includes("--installed")) console.log(has(args[0] + "s").join("\\n"));
  else appendFileSync(state(args[0] + "s"), args.slice(2).join("\\n") + "\\n");
} else if (name === "cargo") {
  const commands = { "wasm-pack": ["wasm-pack"], "wasm-bindgen-cli": ["wasm-bindgen", "wasm-bindgen-test-runner"] }[args[1]];
  for (const command of commands) place(join(after("--root"), "bin", command), "#!/bin/sh\\necho " + command + " " + after("--version") + "\\n");
} else if (name === "apt-get" && args[0] === "install") {
  const names = { chromium: "chromium", "firefox-esr": "firefox-esr", "redis-server": "redis-server" };
  for (const each of args) if (names[each]) place(join(machine, "bin", names[each]), "#!/bin/sh\\n");
} else if (name === "sudo") {
  const { spawnSync } = await import("node:child_process");
  const [command, ...rest] = args.slice(1);
  process.exit(command === "true" ? 0 : spawnSync(command, rest, { stdio: "inherit" }).status);
}
`;

let machine;
let project;

const tool = (name) => {
  const path = join(machine, "bin", name);
  writeFileSync(path, `#!/bin/sh\nexec "${process.execPath}" "${join(machine, "player.mjs")}" "${machine}" ${name} "$@"\n`);
  chmodSync(path, 0o755);
};
const json = (path, value) => writeFileSync(join(project, path), JSON.stringify(value));
const cargoLock = (version) => writeFileSync(join(project, "Cargo.lock"), `[[package]]\nname = "wasm-bindgen"\nversion = "${version}"\n`);
const packages = (version, dependencies = { binaryen: "1.0.0" }) => {
  json("package.json", { private: true, workspaces: ["pkg", "tests", "www"], devDependencies: dependencies });
  json("package-lock.json", { packages: {
    "": { devDependencies: { binaryen: "1.0.0" } },
    pkg: {}, tests: {}, www: {},
    "node_modules/binaryen": { version },
    "node_modules/of-another-system": { version: "1.0.0", optional: true },
  } });
};

beforeEach(() => {
  machine = realpathSync(mkdtempSync(join(tmpdir(), "digitalpaye-auth-machine-")));
  project = join(machine, "project");
  for (const folder of ["pkg", "tests", "www"]) {
    mkdirSync(join(project, folder), { recursive: true });
    json(`${folder}/package.json`, {});
  }
  cpSync(join(root, "scripts"), join(project, "scripts"), { recursive: true });
  cpSync(join(root, "rust-toolchain.toml"), join(project, "rust-toolchain.toml"));
  packages("1.0.0");
  cargoLock("0.2.130");
  mkdirSync(join(machine, "bin"));
  writeFileSync(join(machine, "player.mjs"), player);
  writeFileSync(join(machine, "targets"), "x86_64-unknown-linux-gnu\n");
  writeFileSync(join(machine, "components"), "clippy-x86_64\nrustfmt-x86_64\n");
  for (const name of ["npm", "cargo", "rustup", "cc"]) tool(name);
  symlinkSync(process.execPath, join(machine, "bin", "node"));
});
afterEach(() => rmSync(machine, { recursive: true, force: true }));

/** Runs setup and gives how it ended, what it said and which tools it called to change something. */
function setup(...needs) {
  return as("root", ...needs);
}
function as(user, ...needs) {
  rmSync(join(machine, "calls"), { force: true });
  const { status, stdout, stderr } = spawnSync(process.execPath, [
    "--import", `data:text/javascript,process.getuid=()=>${user === "root" ? 0 : 1000}`, "scripts/setup.mjs", ...needs,
  ], { cwd: project, encoding: "utf8", timeout: 60_000, env: { PATH: join(machine, "bin"), HOME: machine, CARGO_HOME: join(machine, "cargo") } });
  const calls = existsSync(join(machine, "calls")) ? readFileSync(join(machine, "calls"), "utf8").trimEnd().split("\n") : [];
  return { status, stdout, stderr, calls };
}

const tools = () => join(project, "target", "tools");
const npmCi = "npm ci --ignore-scripts --no-audit --no-fund";
const wasmPack = () => `cargo install wasm-pack --version 0.15.1 --locked --root ${tools()} --force --no-track --debug`;
const wasmBindgen = (version) => `cargo install wasm-bindgen-cli --version ${version} --root ${tools()} --force --no-track --debug`;
const firstBuild = /The first build takes about \d+ minutes/g;

describe("a fresh machine", () => {
  test("gets what the build needs, after one word on how long it takes; then nothing more", () => {
    const first = setup();
    assert.equal(first.status, 0, first.stderr);
    assert.deepEqual(first.calls, [npmCi, "rustup target add wasm32-unknown-unknown", wasmPack(), wasmBindgen("0.2.130")]);
    assert.equal(first.stderr.match(firstBuild).length, 1);
    assert.ok(first.stderr.search(firstBuild) < first.stderr.indexOf("npm ci"), "it is said ahead");

    mkdirSync(join(project, "target", "wasm32-unknown-unknown"));
    const second = setup();
    assert.equal(second.status, 0, second.stderr);
    assert.deepEqual([second.calls, second.stderr], [[], ""]);
  });

  test("without Rust: the one command that installs it", () => {
    rmSync(join(machine, "bin", "cargo"));
    const { status, stderr } = setup();
    assert.equal(status, 1);
    assert.match(stderr, /^Rust is missing\. Install it with: curl .*sh\.rustup\.rs.*$/m);
  });

  test("without any toolchain: the one of rust-toolchain.toml, with all that it lists", () => {
    rmSync(join(machine, "targets"));
    const { status, calls, stderr } = setup();
    assert.equal(status, 0, stderr);
    assert.equal(calls[1], "rustup toolchain install 1.95.0 --profile minimal --component clippy --component rustfmt --target wasm32-unknown-unknown");
  });

  test("without the components of rust-toolchain.toml: those", () => {
    writeFileSync(join(machine, "components"), "clippy-x86_64\n");
    assert.ok(setup().calls.includes("rustup component add rustfmt"));
  });

  test("a tool that cannot be installed: its output, the command, and exit code 1", () => {
    writeFileSync(join(machine, "broken"), "cargo\n");
    const { status, stderr } = setup();
    assert.equal(status, 1);
    assert.match(stderr, /cargo is out of order/);
    assert.match(stderr, /cargo install wasm-pack .* exited with 100\.$/m);
  });
});

describe("a machine that was set up before", () => {
  beforeEach(() => {
    assert.equal(setup().status, 0);
    mkdirSync(join(project, "target", "wasm32-unknown-unknown"));
  });

  test("another version in the lock file: npm ci", () => {
    packages("1.0.1");
    assert.deepEqual(setup().calls, [npmCi]);
  });

  test("a package that was removed by hand: npm ci", () => {
    rmSync(join(project, "node_modules", "binaryen"), { recursive: true });
    assert.deepEqual(setup().calls, [npmCi]);
  });

  test("a dependency that the lock file does not know: npm install", () => {
    packages("1.0.0", { binaryen: "1.0.0", another: "1.0.0" });
    assert.deepEqual(setup().calls, [npmCi.replace("ci", "install")]);
  });

  test("another wasm-bindgen in Cargo.lock: its command-line half, and no other", () => {
    cargoLock("0.2.131");
    assert.deepEqual(setup().calls, [wasmBindgen("0.2.131")]);
    assert.deepEqual(setup().calls, []);
  });

  test("the right tools elsewhere on PATH are used", () => {
    for (const name of ["wasm-pack", "wasm-bindgen", "wasm-bindgen-test-runner"]) {
      cpSync(join(tools(), "bin", name), join(machine, "bin", name));
      rmSync(join(tools(), "bin", name));
    }
    assert.deepEqual(setup().calls, []);
  });
});

describe("what tests need of the system", () => {
  beforeEach(() => {
    assert.equal(setup().status, 0);
    mkdirSync(join(project, "target", "wasm32-unknown-unknown"));
  });
  const install = "apt-get install -y --no-install-recommends chromium firefox-esr redis-server";

  for (const [user, sudo] of [["root", false], ["somebody", true]]) {
    test(`${user} on Debian: it is installed${sudo ? ", by sudo, which asks for no password" : ""}`, () => {
      tool("apt-get");
      if (sudo) tool("sudo");
      const { status, stderr, calls } = as(user, "chromium", "firefox", "redis");
      assert.equal(status, 0, stderr);
      assert.deepEqual(calls, ["apt-get update", install]);
      assert.deepEqual(as(user, "chromium", "firefox", "redis").calls, []);
    });
  }

  test("somebody on Debian: the one command that installs it", () => {
    tool("apt-get");
    const { status, stderr, calls } = as("somebody", "chromium", "firefox", "redis");
    assert.equal(status, 1);
    assert.deepEqual(calls, []);
    assert.equal(stderr.trimEnd().split("\n").at(-1), `chromium, firefox and redis are missing. Install with: sudo ${install}`);
  });

  test("apt-get fails: its output and the command", () => {
    tool("apt-get");
    writeFileSync(join(machine, "broken"), "apt-get\n");
    const { status, stderr } = setup("redis");
    assert.equal(status, 1);
    assert.match(stderr, /apt-get is out of order/);
    assert.equal(stderr.trimEnd().split("\n").at(-1), "redis is missing. Install with: apt-get install -y --no-install-recommends redis-server");
  });

  for (const [manager, command] of [["brew", "brew install redis"], ["dnf", "sudo dnf install -y redis"]]) {
    test(`a system with ${manager}: its command`, () => {
      tool(manager);
      const { status, stderr, calls } = setup("redis");
      assert.equal(status, 1);
      assert.deepEqual(calls, []);
      assert.equal(stderr.trimEnd(), `redis is missing. Install with: ${command}`);
    });
  }

  test("a system that we do not know: what to install", () => {
    const { status, stderr } = setup("redis");
    assert.equal(status, 1);
    assert.match(stderr, /^redis is missing\. Install redis-server /);
  });
});
