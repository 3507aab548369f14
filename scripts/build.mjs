// `npm run build`: makes what `npm pack` needs besides what is tracked in pkg/, and the page.
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { copyDocuments } from "./lib/documents.mjs";
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

/**
 * Makes the package whole. Everything is made in a folder of its own and moved at the end, pkg/cjs last: a build that
 * was interrupted leaves a package without it, which `checkBuilt` does not take for one.
 */
export async function buildPackage() {
  await setup();
  mkdirSync(target, { recursive: true });
  // On the same disk as the package, so that moving is renaming; of this run alone, since another may be under way.
  const staging = mkdtempSync(join(target, "package-"));
  process.once("exit", () => rmSync(staging, { recursive: true, force: true }));
  const wasm = join(staging, "wasm");
  // Not before setup has installed esbuild and binaryen.
  const { buildModule } = await import("./lib/module/build.mjs");
  await buildModule({ title: "Compiling the module", crate: join(root, "module"), name: "digitalpaye_auth", folder: wasm });
  const module = readFileSync(join(wasm, "digitalpaye_auth_bg.wasm"));
  const emulator = join(staging, "emulator");
  await buildModule({ title: "Compiling the emulator", crate: join(root, "emulator", "module"), name: "digitalpaye_emulator", folder: emulator, formats: true });
  for (const name of ["digitalpaye_emulator_bg.js", "digitalpaye_emulator_bg.wasm"]) renameSync(join(emulator, name), join(wasm, name));
  renameSync(join(emulator, "bytes.js"), join(wasm, "emulator-bytes.js"));
  const manifest = JSON.parse(readFileSync(join(pkg, "package.json"), "utf8"));
  writeFileSync(join(pkg, "sbom.cdx.json"), `${JSON.stringify(await billOfMaterials(manifest, (file) => readFileSync(join(staging, file))), null, 2)}\n`);

  await step("Bundling for CommonJS", async () => {
    rmSync(join(pkg, "cjs"), { recursive: true, force: true });
    replace(wasm, join(pkg, "wasm"));
    const cjs = join(staging, "cjs");
    await bundle(cjs);
    for (const entry of declared) writeDeclarations(entry, cjs);
    copyFileSync(join(root, "LICENSE"), join(pkg, "LICENSE"));
    copyDocuments();
    replace(cjs, join(pkg, "cjs"));
  });
  return { raw: module.length, brotli: brotliCompressSync(module).length };
}

function replace(from, to) {
  rmSync(to, { recursive: true, force: true });
  renameSync(from, to);
}

async function bundle(folder) {
  const { build: esbuild } = await import("esbuild");
  const { warnings } = await esbuild({
    absWorkingDir: pkg,
    entryPoints: entries.map((entry) => ({ in: join(pkg, entry), out: entry.replace(/\.js$/, "") })),
    outdir: folder,
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
          dirname(importer) === join(pkg, "stores") ? { path: "../index.cjs", external: true } : undefined);
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
  const declarations = readFileSync(join(pkg, source), "utf8").replace(
    /((?:from|import)\s*\(?\s*["'])(\.{1,2}\/[^"']+)(["'])/g,
    (_, before, path, after) => {
      const imported = relative(pkg, join(pkg, dirname(entry), path)).replaceAll("\\", "/");
      if (!declared.includes(imported)) throw new Failure(`pkg/${source} imports ${path}, of which there is no CommonJS twin.`);
      return `${before}${path.replace(/\.js$/, ".cjs")}${after}`;
    },
    // They are one folder deeper.
  ).replaceAll(/(?<=\]\()(?=(?:\.\.\/)?docs\/)/g, "../");
  const file = join(folder, entry.replace(/\.js$/, ".d.cts"));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, declarations);
}

/** Makes www/dist, which has the package in it. */
export async function buildPage() {
  const manifest = JSON.parse(readFileSync(join(www, "package.json"), "utf8"));
  if (!manifest.scripts?.build) return;
  await step("Building the page", (report) => must("npm", ["run", "build", "--workspace", manifest.name], {
    timeout: minutes(5), onStdout: report, onStderr: report,
  }));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await command(async () => {
    const { raw, brotli } = await buildPackage();
    await buildPage();
    const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} KB`;
    process.stdout.write(`The package is in ${basename(pkg)}/. Its module: ${kilobytes(raw)}, ${kilobytes(brotli)} with brotli.\n`);
  });
}
