// Launchers: each runs the suite in one engine, and resolves to its report.
import edge from "edge-runtime";
import { build } from "esbuild";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ask, must } from "../../../scripts/lib/process.mjs";
import { askWorker } from "../../lib/workerd.mjs";
import { engine } from "./engines.mjs";
import { project } from "./project.mjs";

const RUN_MS = 60_000;

/** A program that runs a file. It has to end by itself. */
export function program(name, file, args = []) {
  return {
    version: async () => version(await engine(name)),
    async run(baseUrl) {
      const command = await engine(name);
      const { stdout } = await must(command, [...args, file], {
        cwd: await project(), env: { PATH: process.env.PATH, HOME: await project(), NO_COLOR: "1", BASE_URL: baseUrl }, timeout: RUN_MS,
      });
      const report = JSON.parse(stdout);
      // Bun and Deno say that they are a Node.js, too.
      const own = name.toLowerCase().split(" ")[0];
      if (report.versions[own] !== version(command)) throw new Error(`${name} ran in ${JSON.stringify(report.versions)}`);
      return report;
    },
  };
}

const version = (command) => /\d+\.\d+\.\d+/.exec(ask(command, ["--version"]) ?? "")?.[0];

/** workerd, with the package bundled by wrangler's rules. */
export function workerd(compatibilityDate, file = "workerd.mjs") {
  return {
    version: async () => `${JSON.parse(read("workerd/package.json")).version}, ${compatibilityDate}`,
    async run(baseUrl) {
      const entry = join(await project(), file);
      return (await askWorker({ entry, compatibilityDate, bindings: { BASE_URL: baseUrl } }, { timeout: RUN_MS })).answer;
    },
  };
}

/** Vercel's edge runtime: code from strings and bytes forbidden, and the module compiled in another realm. */
export function edgeRuntime() {
  return {
    version: async () => JSON.parse(read("edge-runtime/package.json")).version,
    async run(baseUrl) {
      const modules = [];
      const compiled = {
        name: "compiled-modules",
        setup({ onLoad, onResolve }) {
          onResolve({ filter: /\.wasm\?module$/ }, ({ path, resolveDir }) => ({ path: join(resolveDir, path.slice(0, -"?module".length)), namespace: "compiled" }));
          onLoad({ filter: /./, namespace: "compiled" }, ({ path }) => {
            const index = modules.push(new WebAssembly.Module(readFileSync(path))) - 1;
            return { contents: `export default globalThis.modules[${index}];` };
          });
        },
      };
      const { outputFiles: [{ text }] } = await build({
        entryPoints: [join(await project(), "edge.mjs")], bundle: true, write: false, format: "iife",
        conditions: ["edge-light", "worker", "browser"], plugins: [compiled], logLevel: "silent",
      });
      let report;
      const told = new Promise((resolve) => (report = resolve));
      const vm = new edge.EdgeRuntime({
        codeGeneration: { strings: false, wasm: false },
        extend: (context) => Object.assign(context, { modules, report, BASE_URL: baseUrl }),
      });
      // The launcher would tell nothing at all were this not so.
      for (const code of ["new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))", "eval('1')"]) {
        if (vm.evaluate(`try { ${code}; true } catch { false }`)) throw new Error("code generation is not forbidden");
      }
      if (vm.evaluate("modules[0] instanceof WebAssembly.Module")) throw new Error("the module is of the same realm");
      vm.evaluate(text);
      return JSON.parse(await told);
    },
  };
}

const read = (path) => readFileSync(new URL(import.meta.resolve(path)));
