// One file of the Web Platform Tests, in a process of its own. Arguments: the sources, the file, the server, "plain" or "ours", and
// the package's address.
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { runInThisContext } from "node:vm";

const [sources, file, server, who, address] = process.argv.slice(2);
const tests = join(sources, "test", "fixtures", "wpt");
const { handlePipes, parseMeta } = await import(pathToFileURL(join(sources, "test", "wpt", "runner", "util.mjs")));

const read = (path) => {
  const code = readFileSync(path, "utf8");
  return path.includes(".sub.") ? handlePipes(code, server) : code;
};
const code = read(file);
const meta = parseMeta(code);
const location = new URL(file.slice(tests.length), server);

// What the harness and the tests expect of a page.
const GLOBAL = { isWorker: () => false, isShadowRealm: () => false, isWindow: () => false };
Object.assign(globalThis, { self: globalThis, window: globalThis, GLOBAL, location });
globalThis.Window = Object.getPrototypeOf(globalThis).constructor;
// By this, fetch and Request resolve relative addresses in Node.
globalThis[Symbol.for("undici.globalOrigin.1")] = location;

// Node makes these when they are first asked for, which a test of the globals would see.
for (const name of ["Blob", "FormData", "Headers", "Request", "Response", "fetch"]) globalThis[name];

if (who === "ours") await replaceFetch();

process.on("uncaughtException", (error) => process.send({ name: "uncaught exception", status: 1, message: String(error) }));
runInThisContext(readFileSync(join(tests, "resources", "testharness.js"), "utf8"));
globalThis.add_result_callback(({ name, status, message }) => process.send({ name, status, message }));
globalThis.add_completion_callback(() => process.send({ done: true }));
for (const script of meta.scripts) {
  const path = script === "/resources/WebIDLParser.js" ? "/resources/webidl2/lib/webidl2.js" : script;
  runInThisContext(read(path.startsWith("/") ? join(tests, path) : resolve(dirname(file), path)));
}
runInThisContext(code, file);

/** Puts auth.fetch in the place of fetch, for the server's origin: other origins are refused by contract. */
async function replaceFetch() {
  const { DigitalpayeAuth } = await import(address);
  const native = globalThis.fetch;
  const exp = Math.floor(Date.now() / 1_000) + 600;
  const exchange = async () => Response.json({ statusCode: 200, data: { token: `token-${Math.random()}`, exp } });
  const auth = new DigitalpayeAuth({ apiKey: "key", apiSecret: "secret", baseUrl: new URL(".", location) });
  const originOf = (input) => {
    try {
      return new URL(input instanceof Request ? input.url : typeof input === "string" || input instanceof URL ? input : "", location).origin;
    } catch {
      return location.origin;
    }
  };
  const replaced = (...args) => {
    if (args.length === 2 && args[1]?.method === "POST" && String(args[0]).endsWith("/v1/auth")) return exchange();
    if (args.length === 0 || originOf(args[0]) !== location.origin) return native(...args);
    // auth.fetch looks for the platform's when it is called.
    globalThis.fetch = native;
    try {
      return auth.fetch(...args);
    } finally {
      globalThis.fetch = replaced;
    }
  };
  globalThis.fetch = replaced;
  await auth.getToken();
}
