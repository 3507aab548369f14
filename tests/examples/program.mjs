// A program in a process group of its own, as a terminal gives it one: watched, asked to end, and looked at afterwards.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { ask } from "../../scripts/lib/process.mjs";

const WAIT_MS = 90_000;
const groups = new Set();

process.once("exit", () => {
  for (const group of groups) killGroup(group, "SIGKILL");
});

function killGroup(group, signal) {
  try {
    process.kill(-group, signal);
  } catch {
    // It has ended already.
  }
}

/** Starts it; it ends with the test `t` at the latest. */
export function launch(t, [command, ...args], { cwd, env }) {
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const closed = once(child, "close").then(([code, signal]) => ({ code, signal }));
  // A command that is not there: whoever waits is told.
  closed.catch(() => {});
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => { output += text; });
  groups.add(child.pid);
  t.after(() => killGroup(child.pid, "SIGKILL"));

  return {
    /** How it ended, and whatever else had its output. */
    get ended() {
      let timer;
      const late = new Promise((resolve, reject) => {
        timer = setTimeout(() => reject(new Error(`it did not end within ${WAIT_MS} ms:\n${output}`)), WAIT_MS);
      });
      return Promise.race([closed, late]).finally(() => clearTimeout(timer));
    },
    output: () => output,
    /** What `pattern` finds in the output, as soon as it does. */
    async saw(pattern) {
      let over = false;
      closed.then(() => { over = true; }, () => { over = true; });
      for (const deadline = performance.now() + WAIT_MS; ;) {
        const found = pattern.exec(output);
        if (found) return found;
        if (over || performance.now() > deadline) throw new Error(`${over ? "it ended" : "it went on"} without ${pattern}:\n${output}`);
        await sleep(20);
      }
    },
    /** What `kill` does. */
    kill: (signal) => child.kill(signal),
    /** What Ctrl-C does: everything in the group gets the signal. */
    interrupt: () => killGroup(child.pid, "SIGINT"),
    /** What is left of the group once there has been time to end. */
    async left(withinMs = 10_000) {
      for (const deadline = performance.now() + withinMs; ;) {
        const rest = processesOf(child.pid);
        if (rest.length === 0 || performance.now() > deadline) return rest;
        await sleep(50);
      }
    },
  };
}

// A zombie has ended; whoever should have asked after it did not.
function processesOf(group) {
  const lines = ask("ps", ["-e", "-o", "pgid=,stat=,args="]);
  if (lines === undefined) throw new Error("ps is missing (Debian: procps)");
  return lines.split("\n").map((line) => line.trim().split(/\s+/))
    .filter(([pgid, stat]) => Number(pgid) === group && !stat.startsWith("Z")).map((words) => words.slice(2).join(" "));
}
