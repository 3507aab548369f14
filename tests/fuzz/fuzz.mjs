// Runs the fuzzer in a process of its own, and looks into what that leaves behind: its output and its heap.
import { fork } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { environment } from "../../scripts/lib/process.mjs";
import { temporaryFolder } from "../../scripts/lib/temporary.mjs";
import { dice } from "../lib/dice.mjs";
import { heldBy } from "../lib/snapshot.mjs";
import { marksOf } from "./look.mjs";
import { drawInput } from "./inputs.mjs";
import { mixed } from "./seeds.mjs";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const backwards = (text) => [...text].reverse().join("");

/** The process says every few seconds that it goes on; a heap's snapshot takes a few more. */
const SILENCE_S = 60;

/** The inputs that are kept, by file. */
export function corpus() {
  return readdirSync(here("corpus")).filter((name) => name.endsWith(".json")).sort()
    .flatMap((file) => Object.entries(JSON.parse(readFileSync(here(`corpus/${file}`), "utf8"))).map(([name, input]) => [`${file}: ${name}`, input]));
}

/** The input of the name `seed/index`. */
export function drawn(name) {
  const [seed, index] = name.split("/").map(Number);
  return drawInput(dice(mixed(seed, index)));
}

/**
 * Executes `inputs` (pairs of a name and an input), then what `seed` gives: `count` inputs from the index `from` on, or as
 * many as `seconds` are enough for. `consumer` is the project that the package is installed in. Resolves to
 * `{ figures, finds }`; a find has a `name`, `seed/index` for an input that was drawn.
 */
export async function fuzz({ consumer, snapshot = true, onProgress, ...given }) {
  // Backwards, so that no copy of them is there but what the package was given.
  const marks = { secret: "fuzz3d-s3cret-that-nobody-may-see", token: "fuzz3d-t0ken-that-n0-error-shows" };
  const reversed = { secret: backwards(marks.secret), token: backwards(marks.token) };
  const folder = temporaryFolder("fuzz");
  const file = snapshot ? join(folder, "end.heapsnapshot") : undefined;
  const place = join(folder, "place");
  const worker = fork(here("worker.mjs"), [JSON.stringify({ consumer, reversed, snapshot: file, place, ...given })], {
    cwd: consumer, execArgv: ["--expose-gc"], silent: true, env: environment({ NODE_OPTIONS: "" }),
  });
  let output = "";
  let seen = false;
  const { credentials, all } = marksOf(marks);
  for (const stream of [worker.stdout, worker.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      output += text;
      seen ||= all.some((mark) => output.includes(mark));
      if (output.length > 100_000) output = withoutPlatform(output);
    });
  }
  let result;
  let stuck = false;
  // Counted, not by the clock: a machine that was suspended has not kept anybody waiting.
  let silent = 0;
  const watch = setInterval(() => {
    silent += 1;
    if (silent < SILENCE_S) return;
    stuck = true;
    worker.kill("SIGKILL");
  }, 1_000);
  worker.on("message", (message) => {
    silent = 0;
    if (message.progress) onProgress?.(message.progress);
    else result = message;
  });
  const end = await new Promise((resolve, reject) => {
    worker.on("error", reject);
    worker.on("close", (...codes) => resolve(codes));
  }).finally(() => clearInterval(watch));
  if (stuck) {
    const name = readFileSync(place, "utf8").trim();
    return { figures: {}, finds: [{ name, problems: [`it has not come to an end for ${SILENCE_S} s`], input: /^\d+\/\d+$/.test(name) ? drawn(name) : undefined }] };
  }
  if (!result) throw new Error(`the fuzzer ended early (${end}): ${output.slice(-4_000)}`);
  const { figures, finds } = result;
  const whole = (problem) => finds.push({ name: "the whole run", problems: [problem] });
  if (seen) whole("its output shows what it must not");
  output = withoutPlatform(output);
  if (output !== "") whole(`it printed ${JSON.stringify(output.slice(0, 500))}`);
  if (file) {
    const held = await heldBy(file, [...credentials, reversed.secret]);
    if (!held.includes(reversed.secret)) whole("what is searched for backwards was not found in the heap's snapshot");
    if (held.length > 1) whole("the heap holds a secret when every client was disposed of");
  }
  return { figures, finds };
}

/** Node.js says so when a promise is rejected at the end of the stack, whoever rejects it. */
const withoutPlatform = (output) => output.replace(/Exception in PromiseRejectCallback:\n(?:.*\n){0,4}?RangeError: Maximum call stack size exceeded\n\n?/g, "");
