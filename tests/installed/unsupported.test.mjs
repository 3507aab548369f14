// Runtimes that do not run WebAssembly: importing works there, and the first use says in words what is missing.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { installed, importInstalled } from "../lib/install.mjs";

const run = promisify(execFile);

/** What is printed by a program that has `api` and `keys`, after `setting`; each runs in a process of its own. */
async function output(body, { setting = "", args = [] } = {}) {
  const folder = await installed();
  const results = [];
  for (const [file, load] of [["unsupported.mjs", "await import"], ["unsupported.cjs", "require"]]) {
    const path = join(folder, `${process.pid}-${file}`);
    writeFileSync(path, `${setting}
const keys = { apiKey: "key", apiSecret: "secret" };
const fetch = async () => Response.json({ statusCode: 200, data: { token: "abc", exp: Math.floor(Date.now() / 1000) + 600 } });
const of = ({ name, code, retryable, message, cause, attempts }) => ({ name, code, retryable, message, cause: cause && String(cause), attempts });
const caught = (make) => { try { return { value: String(make()) }; } catch (error) { return of(error); } };
(async () => {
  const api = ${load}("digitalpaye-auth");
  const results = [];
  ${body}
  console.log(JSON.stringify(results));
})();`);
    const { stdout, stderr } = await run(process.execPath, [...args, path], { cwd: folder, timeout: 30_000 });
    // Node.js notes that --jitless takes WebAssembly away.
    assert.equal(stderr.replace(/^Warning: disabling flag --expose_wasm .*\n/, ""), "");
    results.push(JSON.parse(stdout));
  }
  assert.deepEqual(results[0], results[1]);
  return results[0];
}

const use = `
  results.push(await api.authenticate({ ...keys, fetch }).then(({ token }) => token, of));
  results.push(caught(() => new api.DigitalpayeAuth({ ...keys, fetch })));`;

async function refuses(options, message, cause) {
  const results = await output(use, options);
  for (const error of results) {
    assert.deepEqual({ ...error, message: undefined }, {
      name: "UnsupportedRuntimeError", code: "unsupported_runtime", retryable: false, attempts: 0, cause, message: undefined,
    });
    assert.match(error.message, message);
    // The platform's own words.
    assert.ok(error.message.endsWith(`(${cause})`), error.message);
  }
  assert.equal(results.length, 2);
}

test("without WebAssembly: it is missing, and where else to get the token", () =>
  refuses({ setting: "delete globalThis.WebAssembly;" }, /^this runtime has no WebAssembly, .* get the token on a server /, "ReferenceError: WebAssembly is not defined"));

test("node --jitless: the same", () =>
  refuses({ args: ["--jitless"] }, /^this runtime has no WebAssembly, .*node --jitless/, "ReferenceError: WebAssembly is not defined"));

// As pages get it by their policy, in Chromium and in Safari, and by the 4 KB of Chromium before 115.
for (const cause of ["new WebAssembly.CompileError(\"blocked by CSP\")", "new EvalError(\"blocked\")", "new RangeError(\"disallowed on the main thread\")"]) {
  const text = String(new Function(`return ${cause}`)());
  test(`${text}: what has to be allowed`, () =>
    refuses({ setting: `WebAssembly.Module = function () { throw ${cause}; };` }, /^this runtime does not start .*'wasm-unsafe-eval'/, text));
}

// As engines before reference types have it, such as Node.js 16; without them, the policy or the limit is what stands in the way.
test("an engine that knows no such module: it is too old, and from which version on it works", () =>
  refuses({ setting: "WebAssembly.validate = () => false; WebAssembly.Module = function () { throw new WebAssembly.CompileError('externref'); };" },
    /^this runtime is too old: use Node\.js from 18 on, or a browser of 2023/, "CompileError: externref"));

test("an engine without look-behind, as WebKit that frees references twice: it is too old, and nothing is run", () =>
  refuses({ setting: "globalThis.RegExp = function () { throw new SyntaxError('invalid group'); }; WebAssembly.Instance = function () { throw new Error('run'); };" },
    /^this runtime is too old: use /, "SyntaxError: invalid group"));

test("without fetch: it is missing, at once, and what else to give", async () => {
  const begun = performance.now();
  const [once, client, later] = await output(`
    delete globalThis.fetch;
    results.push(await api.authenticate(keys).catch(of));
    const auth = new api.DigitalpayeAuth(keys);
    results.push(await auth.getToken().catch(of));
    // A polyfill that comes late, or a test's mock.
    globalThis.fetch = fetch;
    results.push((await auth.getToken()).token);`);
  for (const error of [once, client]) {
    assert.deepEqual(error, {
      name: "UnsupportedRuntimeError", code: "unsupported_runtime", retryable: false, attempts: 1,
      message: "this runtime has no fetch: use Node.js from 18 on, or options.fetch", cause: "ReferenceError: fetch is not defined",
    });
  }
  assert.equal(later, "abc");
  assert.ok(performance.now() - begun < 20_000);
});

test("a fetch of one's own that fails where there is none else is a network error", async () => {
  const [{ code }] = await output(`
    delete globalThis.fetch;
    results.push(await api.authenticate({ ...keys, maxRetries: 0, fetch: () => Promise.reject(new TypeError("fetch failed")) }).catch(of));`);
  assert.equal(code, "network");
});

for (const name of ["Request", "FormData"]) {
  test(`without ${name}: auth.fetch says so, and getToken() works`, async () => {
    const [error, token] = await output(`
      delete globalThis.${name};
      const auth = new api.DigitalpayeAuth({ ...keys, fetch });
      results.push(await auth.fetch("v1/balance").catch(of));
      results.push((await auth.getToken()).token);`);
    assert.deepEqual([error.code, error.attempts], ["unsupported_runtime", 0]);
    assert.equal(error.message, `this runtime has no ${name}: use Node.js from 18 on, or getToken()`);
    assert.equal(token, "abc");
  });
}

test("without text coders: the one that is missing", () =>
  refuses({ setting: "delete globalThis.TextDecoder; process.getBuiltinModule = undefined;" },
    /^this runtime does not start /, "TypeError: TextDecoder is not defined"));

test("node --disallow-code-generation-from-strings: a token", async () => {
  const [token, client] = await output(use, { args: ["--disallow-code-generation-from-strings"] });
  assert.equal(token, "abc");
  assert.deepEqual(client, { value: "[object Object]" });
});

test("once it is allowed, the next use works", async () => {
  const [first, second] = await output(`
    const { Module } = WebAssembly;
    WebAssembly.Module = function () { throw new Error("not yet"); };
    results.push((await api.authenticate({ ...keys, fetch }).catch(of)).code);
    WebAssembly.Module = Module;
    results.push((await api.authenticate({ ...keys, fetch })).token);`);
  assert.deepEqual([first, second], ["unsupported_runtime", "abc"]);
});

test("React Native: the same exports, and a refusal that says why", async () => {
  const folder = await installed();
  const path = join(folder, `${process.pid}-react-native.mjs`);
  writeFileSync(path, `import * as api from "digitalpaye-auth";
const caught = (make) => { try { make(); } catch (error) { return error; } };
const errors = [await api.authenticate().catch((error) => error), caught(() => new api.DigitalpayeAuth()), caught(() => api.DigitalpayeAuth.fromEnv())];
console.log(JSON.stringify({ names: Object.keys(api), name: api.DigitalpayeAuth.name, errors: errors.map((error) => [error instanceof api.UnsupportedRuntimeError, error.code, error.message]) }));
`);
  const { stdout } = await run(process.execPath, ["--conditions=react-native", path], { timeout: 30_000 });
  const { names, name, errors } = JSON.parse(stdout);
  assert.deepEqual(names, Object.keys(await importInstalled()));
  assert.equal(name, "DigitalpayeAuth");
  assert.equal(errors.length, 3);
  for (const error of errors) {
    assert.deepEqual(error, [true, "unsupported_runtime", "digitalpaye-auth does not run in React Native: whoever has the app can "
      + "read the apiSecret in it. Get the token on a server, and have the app ask that server"]);
  }
});
