// Processes: what they print, and a function in one of its own, in the project where the package is installed.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { installed } from "./install.mjs";

/** How a process ended and what it printed, once it has: `{ code, signal, stdout, stderr }`. Rejects if it could not be started. */
export async function outcomeOf(child) {
  const printed = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"]) child[name]?.setEncoding("utf8").on("data", (text) => { printed[name] += text; });
  const [code, signal] = await once(child, "close");
  return { code, signal, ...printed };
}

/**
 * `program(input)` is an async function of its own: it sees nothing of the file that it is written in. Its result comes
 * back as `result`, together with how the process ended and how long it took to end (ms) after that.
 */
export async function inChild(program, input = {}, { node = process.execPath, flags = [], env = {}, timeout = 60_000 } = {}) {
  const marker = "result of the program: ";
  const source = `
    const result = await (${program})(JSON.parse(process.env.PROGRAM_INPUT));
    process.stdout.write(${JSON.stringify(marker)} + JSON.stringify(result ?? null) + "\\n");
  `;
  const child = spawn(node, [...flags, "--input-type=module", "--eval", source], {
    cwd: await installed(),
    env: { ...process.env, ...env, NODE_OPTIONS: "", PROGRAM_INPUT: JSON.stringify(input) },
    stdio: ["ignore", "pipe", "pipe"],
    timeout,
    killSignal: "SIGKILL",
  });
  let begun = "";
  let answered;
  child.stdout.setEncoding("utf8").on("data", (text) => {
    begun += text;
    if (answered === undefined && begun.includes(marker)) answered = performance.now();
  });
  const outcome = await outcomeOf(child);
  const line = outcome.stdout.split("\n").find((text) => text.startsWith(marker));
  const result = line === undefined ? undefined : JSON.parse(line.slice(marker.length));
  return { ...outcome, result, lingered: answered === undefined ? undefined : performance.now() - answered };
}
