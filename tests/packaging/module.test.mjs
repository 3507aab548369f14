// What becomes of the module and the glue that wasm-bindgen generates: short names that fit, no work at import, and a
// build that fails in words when the tools change what they generate.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { beforeEach, describe } from "node:test";
import { pathToFileURL } from "node:url";
import binaryen from "binaryen";
import { finishModule } from "../../scripts/lib/module/build.mjs";
import { temporaryFolder } from "../../scripts/lib/temporary.mjs";

// As rustc names them, with its two kinds of hashes.
const panics = ["__rustc[7dec]::rust_begin_unwind", "core[c5930c85]::panicking::panic_fmt", "core::option::unwrap_failed::h3192850d1139f52c",
  "<usize as core[c5930c85]::fmt::Display>::fmt"];

const glue = `
import { mark } from "../errors.js";
export function add(a, b) { return wasm.add(a, b); }
export function later(a) { wasm.later_call(a); }
export function __wbg_mark_0123456789abcdef() { mark(decoder.decode(encoder.encode("é"))); }
export function __wbg_queueMicrotask_0123456789abcdef(arg0) { queueMicrotask(() => mark("microtask" + arg0)); }
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
decoder.decode();
const encoder = new TextEncoder();
let wasm;
export function __wbg_set_wasm(val) { wasm = val; }
`;

/** A module such as Rust's: it calls two imports, has panics by `names`, and what the glue above calls. */
function moduleOf({ names = panics, from = "./demo_bg.js" } = {}) {
  const functions = names.map((name) => `(func $"${name}" (call $mark))`).join("\n");
  const module = binaryen.parseText(`(module
    (import "${from}" "__wbg_mark_0123456789abcdef" (func $mark))
    (import "${from}" "__wbg_queueMicrotask_0123456789abcdef" (func $queue (param i32)))
    (memory $memory 1)
    (global $unused i32 (i32.const 0))
    (table $table 1 funcref)
    ${functions}
    (func $add (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func $later (param i32) (call $mark) (call $queue (local.get 0)))
    (func $fail ${names.map((name) => `(call $"${name}")`).join(" ")})
    (func $start)
    (export "memory" (memory $memory)) (export "__unused_global" (global $unused)) (export "add" (func $add))
    (export "fail" (func $fail)) (export "later_call" (func $later)) (export "__wbindgen_start" (func $start)))`);
  binaryen.setDebugInfo(true);
  try {
    return module.emitBinary();
  } finally {
    binaryen.setDebugInfo(false);
    module.dispose();
  }
}

describe("a module after the build", () => {
  let folder;
  beforeEach(() => {
    folder = temporaryFolder("digitalpaye-auth-module");
    writeFileSync(join(folder, "package.json"), `{ "type": "module" }`);
    writeFileSync(join(folder, "context.js"), "export const outsideOfContexts = (callback) => callback();");
    writeFileSync(join(folder, "errors.js"), "export const marks = []; export const mark = (text) => marks.push(text);");
  });

  async function finish({ module = moduleOf(), text = glue } = {}) {
    const wasm = join(folder, "wasm");
    rmSync(wasm, { recursive: true, force: true });
    mkdirSync(wasm);
    for (const [name, content] of Object.entries({
      "demo_bg.js": text, "demo_bg.wasm": module, "demo.js": "", ".gitignore": "*",
    })) writeFileSync(join(wasm, name), content);
    await finishModule({ name: "demo", folder: wasm });
    return wasm;
  }

  async function load(wasm) {
    const url = (...path) => `${pathToFileURL(join(...path))}?${folder}`;
    return { glue: await import(url(wasm, "demo_bg.js")), marks: (await import(pathToFileURL(join(folder, "errors.js")))).marks, bytes: (await import(url(wasm, "bytes.js"))).bytes() };
  }

  test("is in three files, and its glue works by the short names", async () => {
    const wasm = await finish();
    assert.deepEqual(readdirSync(wasm).sort(), ["bytes.js", "demo_bg.js", "demo_bg.wasm"]);
    const { glue, marks, bytes } = await load(wasm);
    assert.deepEqual(Buffer.from(bytes), readFileSync(join(wasm, "demo_bg.wasm")));
    const module = new WebAssembly.Module(bytes);
    const exports = WebAssembly.Module.exports(module).map(({ name }) => name);
    assert.ok(exports.includes("memory") && exports.includes("add"));
    for (const name of exports.filter((each) => !["memory", "add", "fail"].includes(each))) assert.match(name, /^\w\w?$/);
    assert.equal(exports.length, 5);
    for (const { module: from, name } of WebAssembly.Module.imports(module)) {
      assert.equal(from, "./demo_bg.js");
      assert.match(name, /^\w\w?$/);
    }
    assert.deepEqual(Object.keys(glue).sort(), ["__wbg_set_wasm", "add", "instantiate", "later"]);
    glue.instantiate(module);
    assert.equal(glue.add(2, 3), 5);
    glue.later(7);
    assert.deepEqual(marks, ["é"]);
    await undefined;
    assert.deepEqual(marks, ["é", "microtask7"]);
  });

  test("schedules without queueMicrotask, which test runners fake, and finds text coders that are no globals", async () => {
    const names = ["queueMicrotask", "TextDecoder", "TextEncoder"];
    const saved = names.map((name) => Object.getOwnPropertyDescriptor(globalThis, name));
    const wasm = await finish();
    try {
      globalThis.queueMicrotask = () => {};
      delete globalThis.TextDecoder;
      delete globalThis.TextEncoder;
      const { glue, marks, bytes } = await load(wasm);
      glue.instantiate(new WebAssembly.Module(bytes));
      glue.later(1);
      await undefined;
      assert.deepEqual(marks, ["é", "microtask1"]);
      const { getBuiltinModule } = process;
      process.getBuiltinModule = undefined;
      try {
        assert.throws(() => glue.instantiate(new WebAssembly.Module(bytes)), { name: "TypeError", message: "TextDecoder is not defined" });
      } finally {
        process.getBuiltinModule = getBuiltinModule;
      }
    } finally {
      names.forEach((name, index) => Object.defineProperty(globalThis, name, saved[index]));
    }
  });

  test("traps where it would panic", async () => {
    const { glue, marks, bytes } = await load(await finish());
    const { fail } = glue.instantiate(new WebAssembly.Module(bytes));
    assert.throws(fail, WebAssembly.RuntimeError);
    assert.deepEqual(marks, []);
  });

  for (const missing of panics) {
    test(`cannot be made without ${missing}`, async () => {
      const module = moduleOf({ names: panics.filter((name) => name !== missing) });
      await assert.rejects(finish({ module }), { name: "Failure", message: /^demo_bg\.wasm has no function of a name like \/\^/ });
    });
  }

  test("cannot be made of a module that imports from elsewhere, or what its glue does not have", async () => {
    await assert.rejects(finish({ module: moduleOf({ from: "env" }) }), {
      name: "Failure", message: "demo_bg.wasm imports __wbg_mark_0123456789abcdef from env, not from its glue.",
    });
    await assert.rejects(finish({ text: glue.replace("export function __wbg_mark", "function __wbg_mark") }), {
      name: "Failure", message: "demo_bg.wasm imports what its glue does not export: __wbg_mark_0123456789abcdef.",
    });
  });
});
