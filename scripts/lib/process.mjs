// Child processes, each the leader of a group of its own: whatever it leaves behind ends with it, and nothing that we
// started outlives us.
import { spawn, spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { root, tools } from "./paths.mjs";

/** What stops a command: its message is all that the user needs to read. */
export class Failure extends Error {
  constructor(message, { output = "", exitCode = 1, cause } = {}) {
    super(message, { cause });
    this.name = "Failure";
    this.output = output;
    this.exitCode = exitCode;
  }
}

// npm tells its scripts about the run that they are part of. An npm that they start for another folder must not hear
// that, or it works on the workspace (or as quietly) as its parent was told to.
const ofThisRun = /^(npm_lifecycle_|npm_package_|npm_command$|npm_config_(local_prefix|workspace|workspaces|include_workspace_root|loglevel|ignore_scripts|dry_run|prefix|global)$|INIT_CWD$)/i;
// A test runner that finds this set takes itself for a file of the runner above it and reports to that one.
const ofATestRun = /^NODE_TEST_CONTEXT$/;

export function environment(changes = {}) {
  const env = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (!ofThisRun.test(name) && !ofATestRun.test(name)) env[name] = value;
  }
  // Our own tools first: their versions are pinned. npm has put node_modules/.bin before everything, where any test's
  // dependency may have left a command of a common name (there is a package that brings a `node`).
  const paths = [join(tools, "bin")];
  for (const folder of (env.PATH ?? "").split(delimiter)) {
    if (!folder.endsWith(join("node_modules", ".bin")) && !folder.includes("node-gyp-bin")) paths.push(folder);
  }
  // rustup's folder is on the PATH of new shells only, and the shell that installed it is an old one.
  paths.push(join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "bin"));
  env.PATH = [...new Set(paths.filter(Boolean))].join(delimiter);
  return { ...env, ...changes };
}

export function which(name) {
  for (const folder of environment().PATH.split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      // Not here: the next folder.
    }
  }
  return undefined;
}

/** The output of a short command, or undefined when it fails or does not answer. */
export function ask(command, args, { cwd = root, env, timeout = 20_000 } = {}) {
  const { status, stdout } = spawnSync(command, args, {
    cwd, env: env ?? environment(), timeout, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"],
  });
  return status === 0 ? stdout.trim() : undefined;
}

const running = new Set();
let interrupted = false;

function signalGroup(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It has ended already.
  }
}

/** Starts a process that is ended with this one at the latest. */
export function start(command, args, { cwd = root, env, stdio = ["ignore", "pipe", "pipe"] } = {}) {
  const child = spawn(command, args, { cwd, env: env ?? environment(), stdio, detached: true });
  if (child.pid !== undefined) {
    running.add(child);
    child.once("exit", () => {
      signalGroup(child, "SIGKILL");
      running.delete(child);
    });
  }
  return child;
}

/** Ends a process and its descendants: politely, then not. */
export async function stop(child, grace = 3_000) {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  signalGroup(child, "SIGTERM");
  const timer = setTimeout(() => signalGroup(child, "SIGKILL"), grace);
  await ended;
  clearTimeout(timer);
}

process.on("exit", () => {
  for (const child of running) signalGroup(child, "SIGKILL");
});

/** Runs `handler` instead of ending at once when the user, or the system, asks us to end. */
export function onInterrupt(handler) {
  interruptHandler = handler;
}
let interruptHandler = (signal) => process.exit({ SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }[signal]);
for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    // Ctrl-C reaches us from the terminal and once more from npm.
    if (interrupted) return;
    interrupted = true;
    interruptHandler(signal);
  });
}

const kept = 200_000;

/**
 * Runs a command to its end, in a bounded time. Resolves to its exit, whatever that is; `onStdout` and `onStderr` get
 * the output as it comes, and `output` holds the end of it.
 */
export function run(command, args, { cwd, env, timeout = 15 * 60_000, onStdout, onStderr } = {}) {
  return new Promise((resolve, reject) => {
    const child = start(command, args, { cwd, env });
    let stdout = "";
    let output = "";
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      void stop(child);
    }, timeout);
    child.stdout?.setEncoding("utf8").on("data", (text) => {
      stdout = (stdout + text).slice(-kept);
      output = (output + text).slice(-kept);
      onStdout?.(text);
    });
    child.stderr?.setEncoding("utf8").on("data", (text) => {
      output = (output + text).slice(-kept);
      onStderr?.(text);
    });
    child.once("error", (error) => {
      clearTimeout(timer);
      reject(new Failure(`${command} could not be started: ${error.message}`, { cause: error }));
    });
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, timedOut, stdout, output });
    });
  });
}

/** Like `run`, for a command that has to succeed. */
export async function must(command, args, options = {}) {
  const timeout = options.timeout ?? 15 * 60_000;
  const result = await run(command, args, { ...options, timeout });
  if (result.code === 0) return result;
  const end = result.timedOut
    ? `was stopped after ${Math.round(timeout / 1000)} s`
    : result.signal ? `was ended by ${result.signal}` : `exited with ${result.code}`;
  throw new Failure(`${[command, ...args].join(" ")} ${end}.`, { output: result.output });
}

/** Runs a command's `main`: a Failure is told in its own words, anything else is a bug and shows where it is. */
export async function command(main) {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    if (error instanceof Failure) {
      if (error.output) process.stderr.write(`${error.output.trimEnd()}\n\n`);
      process.stderr.write(`${error.message}\n`);
      process.exitCode = error.exitCode;
    } else {
      console.error(error);
      process.exitCode = 1;
    }
  }
}

export function exists(...parts) {
  return existsSync(join(...parts));
}
