// The local stand-in for the API.
import { copyFileSync } from "node:fs";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { target } from "./paths.mjs";
import { Failure, must, start, stop } from "./process.mjs";
import { temporaryFolder } from "./temporary.mjs";
import { step } from "./terminal.mjs";

const minutes = (count) => count * 60_000;

const binary = join(target, "debug", "digitalpaye-sandbox");

/** A copy that stays as it is: cargo puts another binary in the place of the first one when it tests the workspace. */
export function keepSandbox() {
  const copy = join(temporaryFolder("digitalpaye-auth-sandbox"), basename(binary));
  copyFileSync(binary, copy);
  return copy;
}

export function buildSandbox() {
  return step("Compiling the stand-in for the API", (report) => must("cargo", ["build", "--package", "digitalpaye-sandbox"], {
    timeout: minutes(15), onStdout: report, onStderr: report,
  }));
}

/** Starts it on a free port. Resolves to what it tells of itself, to `ended`, and to `close()`. */
export async function startSandbox() {
  const child = start(binary, ["--port", "0", "--json", "--exit-on-stdin-close"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => {
    child.once("exit", resolve);
    child.once("error", resolve);
  });
  // It may end before we let go of it.
  child.stdin.on("error", () => {});
  let timer;
  const line = await Promise.race([
    new Promise((resolve) => createInterface({ input: child.stdout }).once("line", resolve)),
    ended.then(() => undefined),
    new Promise((resolve) => (timer = setTimeout(resolve, 15_000))),
  ]);
  clearTimeout(timer);
  if (line === undefined) {
    await stop(child);
    throw new Failure("The stand-in for the API did not start.");
  }
  return { ...JSON.parse(line), ended, close: () => stop(child) };
}
