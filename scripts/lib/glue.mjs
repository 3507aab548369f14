// The names that the module and its glue know each other by: wasm-bindgen's are long and end in a hash, and stand in both.
import { basename } from "node:path";
import { Failure, must } from "./process.mjs";

/**
 * Shortens them in the module at `wasm`, and returns the glue for it: in place of each function that the module imports
 * it exports `imports`, which is what to instantiate the module with, and `start()`. A page is spared 1.6 KB, with brotli.
 */
export async function withShortNames(wasm, glue) {
  const { stdout } = await must("wasm-opt", ["--minify-imports-and-exports-and-modules", "--strip-target-features", wasm, "-o", wasm]);
  const names = JSON.parse(stdout);
  const functions = new Map(names.imports.map(([, name, short]) => [name, short]));
  const exports = new Map(names.exports);
  const used = new Set();
  let text = glue.replaceAll(/\bwasm\.(\w+)/g, (_, name) => {
    used.add(name);
    return `wasm.${exports.get(name)}`;
  });
  text = text.replaceAll(/^export function (\w+)/gm, (whole, name) => (functions.has(name) ? `function ${name}` : whole));
  const start = exports.get("__wbindgen_start");
  const lost = [...used].filter((name) => !exports.has(name));
  const missing = [...functions.keys()].filter((name) => !text.includes(`function ${name}(`));
  if (!start || lost.length > 0 || missing.length > 0) {
    throw new Failure(`${basename(wasm)} and its glue do not fit: ${[...lost, ...missing].join(", ") || "no __wbindgen_start"}.`);
  }
  const list = [...functions].map(([name, short]) => `${JSON.stringify(short)}: ${name}`);
  return `${text}
export const imports = { a: { ${list.join(", ")} } };

export function start() {
    wasm.${start}();
}
`;
}
