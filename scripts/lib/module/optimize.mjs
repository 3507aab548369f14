// What binaryen makes of the module that wasm-bindgen leaves.
import binaryen from "binaryen";
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { Failure } from "../process.mjs";

/** What panics format their messages with, in a module that formats nothing else. */
const formatting = /^<.* as core::fmt::(Debug|Display)>::fmt$/;

/**
 * Where panics begin, by rustc's names for these functions, none of which returns. A panic formats a message, which the
 * module has nowhere to print, and traps. With the trap in their place the formatting is dead code: 3 % of a page's bundle.
 */
const panics = [
  /^__rustc::rust_begin_unwind$/,
  /^core::panicking::panic_fmt$/,
  /^core::(panicking|option|result|cell|slice|str)::(\w+::)*(panic\w*|\w+_failed|\w+_fail)$/,
];

// rustc puts the hash of a crate behind its name, or that of a function behind all.
const withoutHash = (name) => name.replaceAll(/\[[0-9a-f]+\]|::h[0-9a-f]{16}$/g, "");

/**
 * Optimizes the module in `file` for size, in place, and gives its imports and exports the `names` (`{ long: short }`)
 * that `bundleGlue` resolved to. Exports that the glue has no name for and no use for are dropped. `formats`: whether it formats
 * more than the messages of panics.
 */
export function optimize(file, names, { formats }) {
  const module = binaryen.readBinary(readFileSync(file));
  try {
    // First, while functions have their names.
    trapOnPanic(module, basename(file), formats ? panics : [...panics, formatting]);
    rename(module, names);
    // As `wasm-opt -Oz` has them.
    binaryen.setOptimizeLevel(2);
    binaryen.setShrinkLevel(2);
    binaryen.setGenerateStackIR(true);
    binaryen.setOptimizeStackIR(true);
    module.runPasses(["strip-debug", "strip-producers", "strip-target-features"]);
    // What the first round makes unreachable, the second one removes. Between them control flow is taken apart and put together
    // again by branches of its own: rustc's nested blocks are one for each arm of a `match`.
    for (let round = 0; round < 2; round += 1) {
      module.optimize();
      module.runPasses(["flatten", "rereloop"]);
    }
    module.optimize();
    module.optimize();
    if (!module.validate()) throw new Failure(`binaryen made an invalid module of ${basename(file)}.`);
    writeFileSync(file, module.emitBinary());
  } finally {
    module.dispose();
  }
}

function trapOnPanic(module, file, patterns) {
  const missing = new Set(patterns);
  for (const { id, name, imported } of functions(module)) {
    const pattern = patterns.find((each) => each.test(withoutHash(name)));
    if (imported || !pattern) continue;
    missing.delete(pattern);
    binaryen.Function.setBody(id, module.unreachable());
  }
  if (missing.size > 0) {
    throw new Failure(`${file} has no function of a name like ${[...missing].join(" or ")}.`, {
      output: "Either names were stripped before this step, or this release of rustc has other names for panics.",
    });
  }
}

function rename(module, names) {
  for (const { name, imported } of functions(module)) {
    if (!imported) continue;
    const short = names[imported.base];
    if (!short) throw new Failure(`The glue has no name for the import ${imported.base}.`);
    // Added under the name of a function that is there, an import replaces what that one imports.
    module.addFunctionImport(name, imported.module, short, imported.params, imported.results);
  }
  const exports = Array.from({ length: module.getNumExports() }, (_, index) => binaryen.getExportInfo(module.getExportByIndex(index)));
  for (const { kind, name, value } of exports) {
    // `bundleGlue` shortens no others, such as `memory`.
    if (!name.includes("_")) continue;
    module.removeExport(name);
    if (names[name]) addExport(module, kind, value, names[name]);
  }
}

function addExport(module, kind, value, name) {
  if (kind === binaryen.ExternalFunction) module.addFunctionExport(value, name);
  else if (kind === binaryen.ExternalTable) module.addTableExport(value, name);
  else if (kind === binaryen.ExternalGlobal) module.addGlobalExport(value, name);
  else throw new Failure(`${name} is an export of a kind that glue does not use.`);
}

function functions(module) {
  return Array.from({ length: module.getNumFunctions() }, (_, index) => {
    const id = module.getFunctionByIndex(index);
    const { name, ...rest } = binaryen.getFunctionInfo(id);
    return { id, name, imported: rest.module && rest };
  });
}
