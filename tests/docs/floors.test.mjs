// What docs/runtimes.md says is the oldest of something, against what says so elsewhere, or tried.
import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { environment, run } from "../../scripts/lib/process.mjs";
import { temporaryFolder } from "../../scripts/lib/temporary.mjs";
import { installed } from "../lib/install.mjs";
import { partOf } from "../lib/marks.mjs";
import { installOnce } from "../lib/projects.mjs";
import { tablesOf } from "./extract.mjs";
import { read } from "./pages.mjs";

const libraries = fileURLToPath(new URL("libraries", import.meta.url));
const floors = ["docs/runtimes.md", "docs/runtimes.fr.md"].map((page) => {
  const markdown = read(page);
  const table = tablesOf(markdown.replace(partOf(markdown, "runtimes"), "")).find(({ rows }) => rows[0][0] === "Node");
  return Object.fromEntries(table.rows.map(([where, from]) => [where, from]));
});

test("Node: what package.json asks for, and the oldest that the table of runtimes has", () => {
  const { engines } = JSON.parse(read("pkg/package.json"));
  for (const floor of floors) assert.equal(`>=${floor.Node}`, engines.node);
  assert.match(partOf(read("docs/runtimes.md"), "runtimes"), new RegExp(`^\\| Node ${floors[0].Node} \\|`, "m"));
});

test("workerd: the oldest compatibility date that the suite runs under", () => {
  const [date] = /\d{4}-\d\d-\d\d/.exec(floors[0].workerd);
  for (const floor of floors) assert.ok(floor.workerd.includes(date));
  assert.match(partOf(read("docs/runtimes.md"), "runtimes"), new RegExp(`^\\| workerd \\| old compatibility date \\| [\\d.]+, ${date} \\|`, "m"));
});

test("TypeScript: the declarations compile with the oldest, strictly", async () => {
  await installOnce(libraries);
  const compiler = join(libraries, "node_modules", "typescript47");
  const { version } = JSON.parse(readFileSync(join(compiler, "package.json"), "utf8"));
  for (const floor of floors) assert.equal(version.split(".").slice(0, 2).join("."), floor.TypeScript);

  const folder = temporaryFolder("digitalpaye-auth-floor");
  mkdirSync(join(folder, "node_modules"));
  cpSync(join(await installed(), "node_modules", "digitalpaye-auth"), join(folder, "node_modules", "digitalpaye-auth"), { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "consumer", private: true, type: "module" }));
  writeFileSync(join(folder, "program.ts"), `
    import { authenticate, AuthError, DigitalpayeAuth, type AuthEvent, type TokenStore } from "digitalpaye-auth";
    import { createEmulator } from "digitalpaye-auth/emulator";
    import { redisStore } from "digitalpaye-auth/stores/redis";
    const emulator = createEmulator();
    const store: TokenStore = redisStore(async () => null);
    const onEvent = (event: AuthEvent) => { if (event.type === "failure") event.error.code.toUpperCase(); };
    export const auth = new DigitalpayeAuth({ ...emulator.credentials, fetch: emulator.fetch, store, onEvent });
    export const seconds: Promise<number> = auth.getToken().then(({ exp }) => exp);
    export const once = authenticate({ apiKey: "", apiSecret: async () => "" }).catch((error: unknown) => AuthError.is(error) && error.retryAfter);
  `);
  const compile = async (lib, more = "") => {
    const program = readFileSync(join(folder, "program.ts"), "utf8") + more;
    writeFileSync(join(folder, "checked.ts"), program);
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({
      compilerOptions: { strict: true, noEmit: true, skipLibCheck: false, target: "es2022", module: "node16", moduleResolution: "node16", lib, types: [] },
      files: ["checked.ts"],
    }));
    const { output } = await run(process.execPath, [join(compiler, "bin", "tsc"), "--project", folder, "--pretty", "false"], { env: environment(), timeout: 100_000 });
    return output.trim();
  };
  assert.equal(await compile(["es2022"]), "");
  // With DOM, and one mistake, which is all that it finds.
  assert.match(await compile(["es2022", "dom", "dom.iterable"], "export const wrong: string = auth.getToken();\n"), /^[^\n]*checked\.ts\(\d+,\d+\): error TS2322: [^\n]*$/);
});
