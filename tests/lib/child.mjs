// Runs a function in a process of its own, in the project where the package is installed.
import { spawn } from "node:child_process";
import { installed } from "./install.mjs";

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
  let stdout = "";
  let stderr = "";
  let answered;
  child.stdout.setEncoding("utf8").on("data", (text) => {
    stdout += text;
    if (answered === undefined && stdout.includes(marker)) answered = performance.now();
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr += text;
  });
  const [code, signal] = await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (...end) => resolve(end));
  });
  const line = stdout.split("\n").find((text) => text.startsWith(marker));
  const result = line === undefined ? undefined : JSON.parse(line.slice(marker.length));
  return { code, signal, stdout, stderr, result, lingered: answered === undefined ? undefined : performance.now() - answered };
}
