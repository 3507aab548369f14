// The conformance cases where people run the package: Node.js, Deno, Bun, workerd and the edge runtime.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { must } from "../../scripts/lib/process.mjs";
import { engine } from "../conformance/lib/engines.mjs";
import { DATES, askWorker } from "../lib/workerd.mjs";
import { cases } from "./cases.mjs";
import { makeProject } from "./projects.mjs";

const read = (name) => readFileSync(new URL(name, import.meta.url), "utf8");
const program = `import { createEmulator } from "digitalpaye-auth/emulator";
import { cases } from "./cases.mjs";
import { runCases } from "./run.mjs";
// At module scope, where workerd has no clock and no random bytes.
const early = createEmulator();
early.script([{ status: 503 }]);
early.reset();
let first = true;
export async function run() {
  const results = await runCases(cases, (config) => {
    const emulator = first ? (first = false, early) : createEmulator(config);
    return { ...emulator, url: "https://api.digitalpaye.com" };
  });
  const late = Date.now() - Date.parse((await early.fetch("https://api.digitalpaye.com/")).headers.get("date"));
  return results.concat({ name: "its clock is the wall clock", ...(Math.abs(late) < 60_000 ? {} : { error: late + " ms late" }) });
}
`;
// The early one has the default credentials.
const early = `[{ name: "made at module scope", steps: [{ ask: { method: "POST", path: "/v1/auth", headers: { authorization: "Basic " + btoa("emulator_key:emulator_secret") } }, status: 200, token: "a", dated: true }] }]`;
const files = {
  "run.mjs": read("run.mjs"),
  "cases.mjs": `${read("cases.mjs")}\ncases.unshift(...${early});\n`,
  "program.mjs": program,
  "main.mjs": `import { run } from "./program.mjs";\nconsole.log(JSON.stringify(await run()));\n`,
  "worker.mjs": `import { run } from "./program.mjs";\nexport default { fetch: async () => Response.json(await run()) };\n`,
};

function passed(results) {
  assert.equal(results.length, cases.length + 2);
  assert.deepEqual(results.filter(({ error }) => error), []);
}

describe("programs", () => {
  for (const [name, args] of [["Node 20", []], ["Node 22", []], ["Node 24", []], ["Node 26", []], ["Bun", []], ["Deno", ["run", "--no-prompt"]]]) {
    test(name, async () => {
      const project = await makeProject(files);
      const { stdout } = await must(await engine(name), [...args, "main.mjs"], { cwd: project, env: { PATH: process.env.PATH, HOME: project, NO_COLOR: "1" }, timeout: 60_000 });
      passed(JSON.parse(stdout));
    });
  }
});

describe("workerd", () => {
  for (const compatibilityDate of DATES) {
    test(compatibilityDate, async () => {
      const { answer } = await askWorker({ entry: join(await makeProject(files), "worker.mjs"), compatibilityDate }, { timeout: 30_000 });
      passed(answer);
    });
  }
});
