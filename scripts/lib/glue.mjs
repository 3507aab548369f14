// The names that the module and its glue know each other by: wasm-bindgen's are long and end in a hash, and stand in both.
import { readFileSync, writeFileSync } from "node:fs";
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
  // By the name that everybody looks for who looks into a module.
  writeFileSync(wasm, withExportNamed(readFileSync(wasm), exports.get("memory"), "memory"));
  exports.set("memory", "memory");
  const used = new Set();
  let text = withoutLeftovers(glue).replaceAll(/\bwasm\.(\w+)/g, (_, name) => {
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
  // What the module calls are methods of it (src/web/host.rs).
  return `import { host } from "../host.js";
${text}
export const imports = { a: { ${list.join(", ")} } };

export function start() {
    wasm.${start}();
}
`;
}

/**
 * What the glue has for runtimes that the package is not for, or for modules that are not this one: a TextEncoder without
 * encodeInto, two gigabytes of decoded text, a second way to pass a string that saves a copy of long ones. A page is spared
 * 0.2 KB, with brotli.
 */
function withoutLeftovers(glue) {
  const leftovers = [
    [/\n\s*if \(realloc === undefined\) \{(\n[^]*?return ptr;\n)\s*\}\n[^]*?\n\}\n/, (_, way) => `${way}}\n`],
    [/if \(!\('encodeInto' in cachedTextEncoder\)\) \{\n[^]*?\n\}\n/, () => ""],
    [/\n\s*numBytesDecoded \+= bytes\.length;\n[^]*?\n    \}\n/, () => "\n"],
    [/const MAX_SAFARI_DECODE_BYTES[^]*?;\nlet numBytesDecoded = 0;\n/, () => ""],
    [/if \(Symbol\.dispose\) .*\n/, () => ""],
  ];
  return leftovers.reduce((text, [pattern, replacement]) => {
    if (!pattern.test(text)) throw new Failure(`The glue has changed: ${pattern} is not in it.`);
    return text.replace(pattern, replacement);
  }, glue);
}

/** A copy of a module in which one export has another name. */
function withExportNamed(module, name, another) {
  const exportSection = 7;
  const string = (text) => Buffer.from([text.length, ...Buffer.from(text, "latin1")]);
  const leb = (number) => Buffer.from(number < 128 ? [number] : [(number & 127) | 128, ...leb(number >>> 7)]);
  for (let at = 8; at < module.length;) {
    const id = module[at];
    let size = 0;
    let body = at + 1;
    for (let shift = 0; ; shift += 7) {
      const byte = module[body++];
      size |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    const end = body + size;
    const found = id === exportSection ? module.subarray(body, end).indexOf(string(name)) : -1;
    if (found >= 0) {
      const rest = body + found + string(name).length;
      const section = Buffer.concat([module.subarray(body, body + found), string(another), module.subarray(rest, end)]);
      return Buffer.concat([module.subarray(0, at + 1), leb(section.length), section, module.subarray(end)]);
    }
    at = end;
  }
  throw new Failure(`There is no export ${name}.`);
}
