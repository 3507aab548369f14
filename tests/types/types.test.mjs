// The types of the packed package, for strict consumers: by each compiler, in each way to resolve modules, with and
// without the types of a platform.
import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { pack } from "../../scripts/lib/package.mjs";
import { root } from "../../scripts/lib/paths.mjs";
import { environment, run } from "../../scripts/lib/process.mjs";
import { temporaryFolder } from "../../scripts/lib/temporary.mjs";
import { installed } from "../lib/install.mjs";

const programs = fileURLToPath(new URL("programs", import.meta.url));
const modules = join(root, "node_modules");

const compilers = ["typescript", "typescript5"].map((name) => ({
  name: `TypeScript ${JSON.parse(readFileSync(join(modules, name, "package.json"), "utf8")).version}`,
  command: join(modules, name, "bin", "tsc"),
}));

const resolutions = [
  { name: "bundler", extension: "ts", options: { module: "esnext", moduleResolution: "bundler" } },
  { name: "node16, ES module", extension: "mts", options: { module: "node16", moduleResolution: "node16" } },
  { name: "node16, CommonJS", extension: "cts", options: { module: "node16", moduleResolution: "node16" } },
];

const platforms = [
  { name: "no platform", lib: ["es2022"], types: [], programs: ["api", "emulator"] },
  { name: "DOM", lib: ["es2022", "dom", "dom.iterable"], types: [], programs: ["api", "emulator", "platform"] },
  { name: "@types/node", lib: ["es2022"], types: ["node"], programs: ["api", "emulator", "platform"] },
  { name: "workers-types", lib: ["es2022"], types: ["@cloudflare/workers-types"], programs: ["api", "emulator", "platform", "workers"] },
];

const clients = ["redis", "redis4", "redis6", "ioredis", "ioredis5", "iovalkey", "@upstash/redis", "@vercel/kv", "@valkey/valkey-glide"];

let consumer;

/** A project whose node_modules has the package and the types that a platform brings. */
before(async () => {
  consumer = temporaryFolder("digitalpaye-auth-types");
  const here = join(consumer, "node_modules");
  // A copy: of a link, the compiler would look at where it really is.
  cpSync(join(await installed(), "node_modules", "digitalpaye-auth"), join(here, "digitalpaye-auth"), { recursive: true });
  for (const scope of ["@types", "@cloudflare", "@upstash", "@valkey", "@vercel"]) mkdirSync(join(here, scope));
  for (const name of ["@types/node", "@cloudflare/workers-types", ...clients]) symlinkSync(join(modules, name), join(here, name));
  writeFileSync(join(consumer, "package.json"), JSON.stringify({ name: "consumer", private: true }));
});

/** Compiles programs, and resolves to what the compiler says of them. */
async function compile({ command }, { extension, options }, { lib, types, programs: names }, more = {}) {
  const folder = join(consumer, [command, extension, lib, types, names].join().replaceAll(/\W+/g, "-"));
  mkdirSync(folder);
  const files = names.map((name) => `${name}.${extension}`);
  for (const [index, name] of names.entries()) cpSync(join(programs, `${name}.ts`), join(folder, files[index]));
  const compilerOptions = {
    ...options, lib, types, target: "es2022", noEmit: true, strict: true, skipLibCheck: false, exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true, noUnusedLocals: true, ...more,
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
  const { output } = await run(process.execPath, [command, "--project", folder, "--pretty", "false"], {
    cwd: folder, env: environment(), timeout: 100_000,
  });
  return output.trim();
}

for (const compiler of compilers) {
  describe(compiler.name, { concurrency: 2 }, () => {
    for (const resolution of resolutions) {
      for (const platform of platforms) {
        test(`${resolution.name}; ${platform.name}`, async () => {
          assert.equal(await compile(compiler, resolution, platform), "");
        });
      }
    }

    test("every client of Redis", async () => {
      const platform = { lib: ["es2023"], types: ["node"], programs: ["redis"] };
      // Their declarations are theirs to check.
      assert.equal(await compile(compiler, resolutions[1], platform, { skipLibCheck: true }), "");
    });
  });
}

/** The names that a file of declarations exports. */
function namesOf(file) {
  const text = readFileSync(join(consumer, "node_modules", "digitalpaye-auth", file), "utf8");
  return text.match(/^\s*export\b(?! \{\};).*/gm).flatMap((line) => {
    const part = /^export \* from "\.\/(\w+)\.js";/.exec(line.trim())?.[1];
    if (part) return namesOf(`./${part}.d.ts`);
    const name = /^export (?:declare )?(?:abstract )?(?:class|function|interface|type|const) (\w+)/.exec(line)?.[1];
    assert.ok(name, `${file}: this test cannot read "${line}"`);
    return name;
  });
}

test("every exported name of every entry has a test of its type", () => {
  const tested = {};
  const text = readFileSync(join(programs, "api.ts"), "utf8") + readFileSync(join(programs, "emulator.ts"), "utf8").replace(/.*"digitalpaye-auth";\n/, "");
  const imports = text.matchAll(/import (?:type )?\{([^}]*)\} from "digitalpaye-auth(\/[^"]*)?"/g);
  for (const [, names, path = ""] of imports) (tested[`.${path}`] ??= []).push(...names.split(",").map((name) => name.trim()).filter(Boolean));
  const { exports } = JSON.parse(readFileSync(join(consumer, "node_modules", "digitalpaye-auth", "package.json"), "utf8"));
  const exported = {};
  for (const [path, conditions] of Object.entries(exports)) {
    if (conditions.default?.types) exported[path] = namesOf(conditions.default.types).sort();
    else assert.equal(path, "./package.json");
  }
  assert.equal(Object.keys(exported).length, 6);
  for (const names of Object.values(tested)) names.sort();
  assert.deepEqual(tested, exported);
});

describe("attw", () => {
  // TypeScript's oldest resolution knows no subpaths.
  for (const [what, args] of [["the main entry", ["--entrypoints", "."]], ["every entry, from node16 on", ["--profile", "node16"]]]) {
    test(`has no finding for ${what}`, async () => {
      const tarball = await pack(temporaryFolder("digitalpaye-auth-attw"));
      const command = join(modules, "@arethetypeswrong", "cli", "dist", "index.js");
      const { code, output } = await run(process.execPath, [command, tarball, "--no-emoji", "--no-color", ...args], {
        env: environment(), timeout: 100_000,
      });
      assert.equal(code, 0, output);
    });
  }
});
