// `npm run dev`: a program beside an emulator of the API, which moves no money. Both end together.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const node = (args, options) => spawn(process.execPath, args, options);
const command = "node_modules/digitalpaye-auth/bin/digitalpaye-auth.js";
const emulator = node([command, "emulator", "--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
const variables = {};
let program;

createInterface({ input: emulator.stdout }).on("line", (line) => {
  // It says where it is, and what key and secret it takes; from then on, a line for each request.
  const [, name, value] = /^ +(DIGITALPAYE_\w+) +(\S+)$/.exec(line) ?? [];
  if (program && line) console.log(`emulator: ${line}`);
  else if (name) variables[name] = value;
  else if (line.startsWith("Ctrl-C")) start();
});
emulator.on("exit", (code) => program ?? (process.exitCode = code));

function start() {
  const bindings = Object.entries(variables).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  program = node([...process.argv.slice(2), ...bindings], { stdio: "inherit" });
  program.on("exit", (code) => {
    // Some say 143 when SIGTERM ends them as it should.
    process.exitCode = code === 143 ? 0 : code ?? 1;
    emulator.kill();
  });
}

process.on("SIGTERM", () => (program ?? emulator).kill("SIGTERM"));
// Ctrl-C reaches both by itself.
process.on("SIGINT", () => {});
