// `npm run build`: makes what `npm pack` needs besides what is tracked in pkg/, and the page.
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { copyDocuments } from "./lib/documents.mjs";
import { differ, moveTo } from "./lib/folders.mjs";
import { pkg, root, target, www } from "./lib/paths.mjs";
import { Failure, command, must } from "./lib/process.mjs";
import { billOfMaterials } from "./lib/sbom.mjs";
import { step } from "./lib/terminal.mjs";
import { setup } from "./setup.mjs";

const minutes = (count) => count * 60_000;
// The entries that CommonJS gets, as they are under pkg/.
const entries = ["index.js", "stores/redis.js", "stores/workers-kv.js", "stores/durable-object.js", "stores/testing.js", "emulator.js"];
// What has declarations: the entries, and what the main entry's are split into.
const declared = [...entries, "errors.js"];

// What is made. `cjs` last: see below.
const generated = ["wasm", "docs", "README.md", "README.fr.md", "LICENSE", "sbom.cdx.json", "cjs"];

/** A folder of this run alone, since another may be under way, on the disk of what it is for: moving is renaming. */
function stagingFolder(name) {
  mkdirSync(target, { recursive: true });
  const folder = mkdtempSync(join(target, `${name}-`));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/**
 * Makes the package whole. Everything is made in a copy of it and moved at the end, and what is the same is not touched: whoever
 * uses the package meanwhile (tests beside each other do) finds all of it. A build that was interrupted while it moved leaves a
 * package without pkg/cjs, which `checkBuilt` does not take for one.
 */
export async function buildPackage() {
  await setup();
  const staged = stagingFolder("package");
  cpSync(pkg, staged, { recursive: true, filter: (path) => !generated.includes(relative(pkg, path)) });
  const wasm = join(staged, "wasm");
  // Not before setup has installed esbuild and binaryen.
  const { buildModule } = await import("./lib/module/build.mjs");
  await buildModule({ title: "Compiling the module", crate: join(root, "module"), name: "digitalpaye_auth", folder: wasm });
  const module = readFileSync(join(wasm, "digitalpaye_auth_bg.wasm"));
  const emulator = stagingFolder("emulator");
  await buildModule({ title: "Compiling the emulator", crate: join(root, "emulator", "module"), name: "digitalpaye_emulator", folder: emulator, formats: true });
  for (const name of ["digitalpaye_emulator_bg.js", "digitalpaye_emulator_bg.wasm"]) renameSync(join(emulator, name), join(wasm, name));
  renameSync(join(emulator, "bytes.js"), join(wasm, "emulator-bytes.js"));
  const manifest = JSON.parse(readFileSync(join(pkg, "package.json"), "utf8"));
  writeFileSync(join(staged, "sbom.cdx.json"), `${JSON.stringify(await billOfMaterials(manifest, (file) => readFileSync(join(staged, file))), null, 2)}\n`);

  await step("Bundling for CommonJS", async () => {
    await bundle(staged);
    for (const entry of declared) writeDeclarations(entry, staged);
    copyFileSync(join(root, "LICENSE"), join(staged, "LICENSE"));
    copyDocuments(staged);
    const changed = generated.some((name) => differ(join(staged, name), join(pkg, name)));
    if (changed) rmSync(join(pkg, "cjs"), { recursive: true, force: true });
    for (const name of generated) moveTo(join(staged, name), join(pkg, name));
  });
  return { raw: module.length, brotli: brotliCompressSync(module).length };
}

async function bundle(folder) {
  const { build: esbuild } = await import("esbuild");
  const { warnings } = await esbuild({
    absWorkingDir: folder,
    entryPoints: entries.map((entry) => ({ in: join(folder, entry), out: entry.replace(/\.js$/, "") })),
    outdir: join(folder, "cjs"),
    outExtension: { ".js": ".cjs" },
    bundle: true,
    format: "cjs",
    // What "node" adds is the note from which Node.js reads the names of the exports when an ES module imports this.
    platform: "node",
    target: "es2022",
    external: ["node:*", "cloudflare:*"],
    legalComments: "none",
    logLevel: "silent",
    plugins: [{
      name: "one-copy-of-the-main-entry",
      setup(esbuild) {
        esbuild.onResolve({ filter: /^\.\.\/index\.js$/ }, ({ importer }) =>
          dirname(importer) === join(folder, "stores") ? { path: "../index.cjs", external: true } : undefined);
      },
    }],
  }).catch((error) => {
    throw new Failure("The CommonJS bundle could not be made.", { output: error.message, cause: error });
  });
  if (warnings.length > 0) {
    throw new Failure("esbuild has warnings.", { output: warnings.map(({ text, location }) => `${location?.file}: ${text}`).join("\n") });
  }
}

// The same declarations, under the name by which TypeScript knows them for CommonJS.
function writeDeclarations(entry, folder) {
  const source = entry.replace(/\.js$/, ".d.ts");
  const declarations = readFileSync(join(folder, source), "utf8").replace(
    /((?:from|import)\s*\(?\s*["'])(\.{1,2}\/[^"']+)(["'])/g,
    (_, before, path, after) => {
      const imported = relative(folder, join(folder, dirname(entry), path)).replaceAll("\\", "/");
      if (!declared.includes(imported)) throw new Failure(`pkg/${source} imports ${path}, of which there is no CommonJS twin.`);
      return `${before}${path.replace(/\.js$/, ".cjs")}${after}`;
    },
    // They are one folder deeper.
  ).replaceAll(/(?<=\]\()(?=(?:\.\.\/)?docs\/)/g, "../");
  const file = join(folder, "cjs", entry.replace(/\.js$/, ".d.cts"));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, declarations);
}

/** Makes www/dist, which has the package in it and the reference beside it; it is moved as the package is. */
export async function buildPage() {
  const { name } = JSON.parse(readFileSync(join(www, "package.json"), "utf8"));
  const staged = stagingFolder("page");
  await step("Building the page", async (report) => {
    const tool = (...words) => must("npm", ["exec", "--workspace", name, "--", ...words], { timeout: minutes(5), onStdout: report, onStderr: report });
    await tool("vite", "build", "--outDir", staged, "--emptyOutDir");
    await tool("typedoc", "--out", join(staged, "api"));
    moveTo(staged, join(www, "dist"));
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await command(async () => {
    const { raw, brotli } = await buildPackage();
    await buildPage();
    const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} KB`;
    process.stdout.write(`The package is in ${basename(pkg)}/. Its module: ${kilobytes(raw)}, ${kilobytes(brotli)} with brotli.\n`);
  });
}
