// The process that fuzzes: from where it is installed, with the clock, the timers and the network in its hands. What it
// prints would be the package's: it has nothing to say but to the process that started it.
import "../lib/memories.mjs";
import { openSync, readFileSync, writeSync } from "node:fs";
import { Session } from "node:inspector";
import { fileURLToPath } from "node:url";
import { writeHeapSnapshot } from "node:v8";
import { dice } from "../lib/dice.mjs";
import { memories, pages, remembered } from "../lib/memories.mjs";
import { virtualTime } from "../lib/virtual.mjs";
import { closed, outcomes, run } from "./execute.mjs";
import { drawInput } from "./inputs.mjs";
import { marksOf } from "./look.mjs";
import { mixed } from "./seeds.mjs";
import { World } from "./world.mjs";

/** 32 MiB: what the largest inputs take, several times over, and no more however long it goes on. */
const PAGES = 512;
const KEPT = "the module's memory holds a secret when every client was disposed of";

// Every error has a stack, and most are looked at no further.
Error.stackTraceLimit = 4;

const { performance: clock, setTimeout: realTimeout } = globalThis;
const realNow = clock.now.bind(clock);
const given = JSON.parse(process.argv[2]);
const session = given.coverage ? await coverage() : undefined;

const time = virtualTime({ turns: 1 });
const now = performance.now;
const { random } = Math;
const { fetch } = globalThis;
const { default: load } = await import(`${given.consumer}/import.mjs`);
const api = await load("digitalpaye-auth");

const backwards = (text) => [...text].reverse().join("");
let marks = marksOf({ secret: backwards(given.reversed.secret), token: backwards(given.reversed.token) });
let world;
// The platform's own is done by threads, in a time of their own.
Object.defineProperty(crypto.subtle, "digest", { value: (...args) => world.digest(...args) });

const escaped = [];
for (const event of ["unhandledRejection", "uncaughtException"]) {
  process.on(event, (reason) => escaped.push(`${event}: ${reason instanceof Error ? reason.stack : typeof reason}`));
}

/** One input by itself; resolves to what was wrong. */
async function execute(input, isSampled, looksIntoMemory) {
  time.restart();
  world = new World(input, { api, time, marks, now, isSampled });
  try {
    await run(world);
  } catch (error) {
    world.problem(`the execution threw ${error?.stack ?? typeof error}`);
    world.poisoned = !closed(world);
  }
  // Now, before the collector takes what was forgotten to be overwritten.
  if (looksIntoMemory && remembered(marks.credentials)) world.problem(KEPT);
  if (escaped.length > 0) world.problem(escaped.splice(0).join("\n"));
  if (pages() > PAGES) world.problem(`the module has grown to ${pages()} pages`);
  return world.problems;
}

const figures = { executions: 0, seconds: 0, calls: 0, requests: 0, compared: 0, outcomes: {}, shapes: 0 };
const finds = [];
const begun = realNow();
const shapes = new Set();
let settledPages;

/** What an error of a form that has not been there shows is looked for everywhere; of the others, of a few. */
function sampling(index) {
  return (object) => {
    const shape = `${object.code} ${object.message?.slice(0, 60)} ${object.option} ${typeof object.cause} ${nameOf(object.cause)}`;
    if (shapes.size < 2_000 && !shapes.has(shape)) return Boolean(shapes.add(shape));
    return index % 499 === 0;
  };
}

function nameOf(cause) {
  try {
    return String(cause?.name).slice(0, 20);
  } catch {
    return "nameless";
  }
}

// For the one who started this to know the input that never ends.
const place = openSync(given.place, "w");

async function note(name, input, isSampled, looksIntoMemory) {
  writeSync(place, name.padEnd(200), 0);
  const problems = await execute(input, isSampled, looksIntoMemory);
  figures.executions += 1;
  if (world.compared) figures.compared += 1;
  figures.calls += world.calls.length;
  figures.requests += world.sends.length + world.requests;
  for (const outcome of outcomes(world)) figures.outcomes[outcome] = (figures.outcomes[outcome] ?? 0) + 1;
  if (problems.length > 0) finds.push({ name, problems, input });
  return !world.poisoned && finds.length < (given.limit ?? 10);
}

async function fuzz() {
  for (const [name, input] of given.inputs ?? []) if (!(await note(name, input, () => true, true))) return;
  const { seed, from = 0, count = Infinity, seconds = Infinity } = given;
  let spoke = realNow();
  for (let index = from; index < from + count; index += 1) {
    if (index % 64 === 0) {
      const at = realNow();
      if (at - begun > seconds * 1_000) return;
      if (at - spoke > 5_000) {
        spoke = at;
        process.send({ progress: { ...figures, seconds: Math.round((at - begun) / 1_000), finds: finds.length, pages: pages() } });
      }
      if (index % 65_536 === 0) {
        globalThis.gc?.();
        // What the largest inputs need has been taken by then.
        if (index >= from + 65_536) settledPages ??= pages();
      }
    }
    if (!(await note(`${seed}/${index}`, drawInput(dice(mixed(seed, index))), sampling(index), index % 512 === 0))) return;
  }
}

async function turns() {
  for (let turn = 0; turn < 6; turn += 1) {
    globalThis.gc?.();
    await new Promise((resolve) => realTimeout(resolve, 5));
  }
}

await fuzz();
figures.seconds = Math.round((realNow() - begun) / 100) / 10;
figures.shapes = shapes.size;
figures.pages = settledPages === undefined ? `${pages()}` : `${settledPages} to ${pages()}`;
// Two instances would be two copies of everything.
const instances = memories.length;
if (instances !== 1) finds.push({ name: "the whole run", problems: [`${instances} instances of the module were made`] });
const poisoned = world?.poisoned;
world = undefined;
performance.now = now;
Math.random = random;
globalThis.fetch = fetch;
time.restart();
shapes.clear();
await turns();
if (!poisoned) {
  if (remembered(marks.credentials)) finds.push({ name: "the whole run", problems: [KEPT] });
}
if (session) figures.coverage = await session();
if (given.snapshot) {
  marks = undefined;
  // Engines keep the text that a pattern was last looked for in: not one of our own.
  /./.exec("nothing");
  await turns();
  writeHeapSnapshot(given.snapshot);
}
process.send({ figures, finds }, () => process.disconnect());

/** What of the package's own JavaScript was reached, by file: functions, and characters of all code. */
async function coverage() {
  const session = new Session();
  session.connect();
  const post = (method, params) => new Promise((resolve, reject) => session.post(method, params, (error, result) => (error ? reject(error) : resolve(result))));
  await post("Profiler.enable");
  await post("Profiler.startPreciseCoverage", { callCount: false, detailed: true });
  return async () => {
    const { result } = await post("Profiler.takePreciseCoverage");
    const files = {};
    for (const { url, functions } of result) {
      const name = /\/digitalpaye-auth\/((?!wasm\/)[\w/-]+\.c?js)$/.exec(url)?.[1];
      if (!name) continue;
      const text = readFileSync(fileURLToPath(url), "utf8");
      const reached = new Uint8Array(text.length);
      // The inner ones come after those that they are in.
      for (const { ranges } of functions) for (const { startOffset, endOffset, count } of ranges) reached.fill(count > 0 ? 1 : 0, startOffset, endOffset);
      const run = functions.filter(({ ranges: [whole] }) => whole.count > 0).length;
      files[name] = `${run} of ${functions.length} functions, ${Math.floor((100 * reached.reduce((sum, each) => sum + each, 0)) / reached.length)} %`;
      if (given.missed) files[name] = [files[name], ...text.split("\n").filter((line, index, lines) => {
        const from = lines.slice(0, index).join("\n").length + 1;
        return /\w/.test(line) && reached.subarray(from, from + line.length).includes(0);
      })];
    }
    session.disconnect();
    return files;
  };
}
