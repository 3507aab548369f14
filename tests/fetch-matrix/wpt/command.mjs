// `npm run check wpt [-- --from REPOSITORY]`: the Web Platform Tests for fetch, as far as undici carries them, through the platform's
// fetch and through auth.fetch. Names each test whose outcome differs. The sources come into target/, which is not tracked.
import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { target } from "../../../scripts/lib/paths.mjs";
import { must } from "../../../scripts/lib/process.mjs";
import { installed } from "../../lib/install.mjs";
import { contractual } from "./contract.mjs";

/** The last release of undici that had the tests among its own files. */
const RELEASE = "v7.15.0";
const REPOSITORY = "https://github.com/nodejs/undici.git";
const FILE_MS = 30_000;

const { values: { from } } = parseArgs({ options: { from: { type: "string", default: REPOSITORY } } });
const sources = join(target, "wpt", RELEASE);
await bring();

const tests = join(sources, "test", "fixtures", "wpt", "fetch");
const expectations = JSON.parse(readFileSync(join(sources, "test", "wpt", "status", "fetch.status.json"), "utf8"));
const files = readdirSync(tests, { recursive: true }).filter((name) => name.endsWith(".any.js") && !isSkipped(name)).sort();
const address = pathToFileURL(join(await installed(), "node_modules", "digitalpaye-auth", "index.js")).href;

const server = fork(join(sources, "test", "wpt", "server", "server.mjs"), [], { stdio: ["ignore", "ignore", "inherit", "ipc"], cwd: sources });
const [{ server: url }] = await once(server, "message");

const outcomes = { plain: new Map(), ours: new Map() };
server.on("exit", (code) => {
  throw new Error(`the server ended with ${code}`);
});
for (const file of files) {
  // At the same time: a file that waits for its end waits in both.
  await Promise.all(["plain", "ours"].map(async (who) => {
    for (const [name, outcome] of await run(join(tests, file), who)) outcomes[who].set(`${file}: ${name}`, outcome);
  }));
}
server.removeAllListeners("exit");
server.kill();

const passed = (who) => [...outcomes[who].values()].filter(({ status }) => status === 0).length;
console.log(`fetch passes ${passed("plain")} of ${outcomes.plain.size}, auth.fetch ${passed("ours")} of ${outcomes.ours.size}.`);
let unexpected = 0;
for (const name of new Set([...outcomes.plain.keys(), ...outcomes.ours.keys()])) {
  const [plain, ours] = ["plain", "ours"].map((who) => outcomes[who].get(name) ?? { status: "missing" });
  if (plain.status === ours.status) continue;
  const reason = contractual(name);
  if (!reason) unexpected += 1;
  console.log(`\n${name}\n  fetch: ${words(plain)}\n  auth.fetch: ${words(ours)}\n  ${reason ? `by contract: ${reason}` : "NOT EXPECTED"}`);
}
console.log(`\n${unexpected} differences that the contract does not ask for.`);
process.exitCode = unexpected === 0 ? 0 : 1;

function words({ status, message }) {
  return `${["passes", "fails", "times out", "does not run"][status] ?? status}${message ? `: ${message.slice(0, 300)}` : ""}`;
}

/** The outcome of each test of a file, by its name. */
async function run(file, who) {
  const found = new Map();
  const child = fork(fileURLToPath(new URL("./file.mjs", import.meta.url)), [sources, file, url, who, address], {
    execArgv: ["--expose-gc", "--no-warnings"], stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  child.on("message", ({ name, status, message, done }) => (done ? child.kill() : found.set(name, { status, message })));
  const timer = setTimeout(() => child.kill("SIGKILL"), FILE_MS);
  await once(child, "exit");
  clearTimeout(timer);
  return found;
}

/** What undici cannot do at all it leaves out, by file or by folder. */
function isSkipped(name) {
  let status = expectations;
  for (const part of name.split(sep)) {
    status = status?.[part];
    if (status?.skip) return true;
  }
  return false;
}

async function bring() {
  if (existsSync(sources)) return;
  mkdirSync(join(target, "wpt"), { recursive: true });
  const folder = mkdtempSync(join(target, "wpt", "new-"));
  const git = (...args) => must("git", ["-C", folder, ...args], { timeout: 600_000 });
  await git("init", "--quiet");
  await git("fetch", "--quiet", "--depth=1", from, `refs/tags/${RELEASE}`);
  await git("checkout", "--quiet", "FETCH_HEAD", "--", "test/fixtures/wpt", "test/wpt");
  rmSync(join(folder, ".git"), { recursive: true });
  renameSync(folder, sources);
}
