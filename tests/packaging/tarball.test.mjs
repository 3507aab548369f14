// The tarball that npm would publish, and what happens when it is installed elsewhere.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import test, { after, before, describe } from "node:test";
import { promisify } from "node:util";
import binaryen from "binaryen";
import { transform } from "esbuild";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { documents, withoutDeadLinks } from "../../scripts/lib/documents.mjs";
import { pack } from "../../scripts/lib/package.mjs";
import { entries } from "../../scripts/lib/tarball.mjs";
import { temporaryFolder } from "../../scripts/lib/temporary.mjs";
import { headingsOf, linksOf } from "../docs/extract.mjs";
import { importInstalled, installed, requireInstalled } from "../lib/install.mjs";

const run = promisify(execFile);

const files = [
  "AGENTS.md",
  "LICENSE",
  "README.fr.md",
  "README.md",
  "api.js",
  "auth.js",
  "bin/arguments.js",
  "bin/digitalpaye-auth.js",
  "bin/doctor.js",
  "bin/doctor/api.js",
  "bin/doctor/english.js",
  "bin/doctor/french.js",
  "bin/doctor/language.js",
  "bin/doctor/machine.js",
  "bin/doctor/network.js",
  "bin/doctor/report.js",
  "bin/doctor/token.js",
  "bin/doctor/variables.js",
  "bin/doctor/wait.js",
  "bin/emulator.js",
  "bin/output.js",
  "cache.js",
  "cjs/emulator.cjs",
  "cjs/emulator.d.cts",
  "cjs/errors.d.cts",
  "cjs/index.cjs",
  "cjs/index.d.cts",
  "cjs/stores/durable-object.cjs",
  "cjs/stores/durable-object.d.cts",
  "cjs/stores/redis.cjs",
  "cjs/stores/redis.d.cts",
  "cjs/stores/testing.cjs",
  "cjs/stores/testing.d.cts",
  "cjs/stores/workers-kv.cjs",
  "cjs/stores/workers-kv.d.cts",
  "client.js",
  "context.js",
  // Every page, in both languages.
  ...documents().filter((file) => file.startsWith("docs/")),
  "edge-light.js",
  "edges.js",
  "emulator.d.ts",
  "emulator.js",
  "emulator/api.js",
  "emulator/edge-light.js",
  "emulator/unwasm.js",
  "emulator/workerd.js",
  "env.js",
  "errors.d.ts",
  "errors.js",
  "events.js",
  "fetch.js",
  "index.d.ts",
  "index.js",
  "loader.js",
  "own.js",
  "package.json",
  "platform.js",
  "prerender.js",
  "react-native.js",
  "rejection.js",
  "sbom.cdx.json",
  "stores/durable-object.d.ts",
  "stores/durable-object.js",
  "stores/redis-clients.js",
  "stores/redis.d.ts",
  "stores/redis.js",
  "stores/remote.js",
  "stores/testing-leases.js",
  "stores/testing-tools.js",
  "stores/testing.d.ts",
  "stores/testing.js",
  "stores/workers-kv.d.ts",
  "stores/workers-kv.js",
  "unwasm.js",
  "wasm/bytes.js",
  "wasm/digitalpaye_auth_bg.js",
  "wasm/digitalpaye_auth_bg.wasm",
  "wasm/digitalpaye_emulator_bg.js",
  "wasm/digitalpaye_emulator_bg.wasm",
  "wasm/emulator-bytes.js",
  "wintercg.js",
  "workerd.js",
];

describe("the tarball", () => {
  const folder = temporaryFolder("digitalpaye-auth-tarball");
  let tarball;
  before(async () => {
    tarball = await pack(folder);
  });

  test("holds exactly the package's files", () => {
    assert.deepEqual([...entries(tarball).keys()].sort(), files);
  });

  test("has no finding of publint --strict", async () => {
    const buffer = readFileSync(tarball);
    const { messages, pkg } = await publint({
      strict: true, level: "suggestion",
      pack: { tarball: buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.byteLength) },
    });
    assert.deepEqual(messages.map((message) => formatMessage(message, pkg, { color: false })), []);
  });

  test("depends on nothing, and runs nothing when it is installed", () => {
    const manifest = JSON.parse(entries(tarball).get("package.json"));
    for (const key of ["dependencies", "peerDependencies", "optionalDependencies", "bundleDependencies", "scripts"]) {
      assert.equal(manifest[key], undefined, key);
    }
  });

  test("has its documentation, in which every link leads somewhere", () => {
    const packed = entries(tarball);
    const pages = [...packed.keys()].filter((name) => name.endsWith(".md"));
    assert.deepEqual(pages.sort(), [...documents(), "AGENTS.md"].sort());
    let links = 0;
    for (const page of pages) {
      for (const target of linksOf(packed.get(page).toString())) {
        if (target.startsWith("https:")) continue;
        const [path, anchor] = target.split("#");
        const file = path === "" ? page : posix.join(posix.dirname(page), path);
        assert.ok(packed.has(file), `${page} leads to ${target}`);
        if (anchor !== undefined) assert.ok(headingsOf(packed.get(file).toString()).some((heading) => heading.anchor === anchor), `${page} leads to ${target}`);
        links += 1;
      }
    }
    assert.ok(links > 100);
    // The pages that the declarations name.
    const declarations = [...packed.keys()].filter((name) => /\.d\.c?ts$/.test(name));
    // In comments: to Markdown, the code `[Symbol.dispose]()` is a link that leads nowhere.
    const linksIn = (name) => linksOf(packed.get(name).toString().split("\n").filter((line) => /^ *(\/\*)?\*/.test(line)).join("\n"));
    for (const name of declarations) {
      for (const target of linksIn(name).filter((each) => !each.startsWith("https:"))) {
        const [path, anchor] = target.split("#");
        const file = posix.join(posix.dirname(name), path);
        assert.ok(packed.has(file), `${name} names ${target}`);
        if (anchor !== undefined) assert.ok(headingsOf(packed.get(file).toString()).some((heading) => heading.anchor === anchor), `${name} names ${target}`);
      }
    }
    assert.equal(declarations.filter((name) => linksIn(name).length > 0).length, 14);
  });

  test("a link to what is not there is its words, an image its description; code stays", () => {
    const text = (markdown) => withoutDeadLinks(markdown, "docs/a.md", ["README.md", "docs/b.md"]);
    assert.equal(text("[b](b.md#c), [it](../README.md), [`x`](#y), [z](https://z.example)"), "[b](b.md#c), [it](../README.md), [`x`](#y), [z](https://z.example)");
    assert.equal(text("[the tests](../tests/a.mjs) and ![a chart](../tests/chart.svg)"), "the tests and a chart");
    assert.equal(text("```js a.mjs\n[a](b)\n```"), "```js a.mjs\n[a](b)\n```");
  });

  test("has the same module in its two forms", async () => {
    const packed = entries(tarball);
    const source = packed.get("wasm/bytes.js").toString();
    const { bytes } = await import(`data:text/javascript;base64,${Buffer.from(source).toString("base64")}`);
    assert.equal(Buffer.compare(bytes(), packed.get("wasm/digitalpaye_auth_bg.wasm")), 0);
    assert.notEqual(bytes(), bytes(), "every call gives bytes of its own");
  });

  // What waits for no more than null, most engines bear. A service worker and `require` do not, so no entry may.
  test("has no module that awaits at its top level", async () => {
    const awaits = (code) => transform(code, { format: "cjs", logLevel: "silent" }).then(() => false, (error) => {
      assert.match(error.message, /Top-level await/);
      return true;
    });
    const modules = [...entries(tarball)].filter(([name]) => name.endsWith(".js") && !name.startsWith("bin/"));
    assert.ok(modules.length > 10);
    for (const [name, content] of modules) {
      assert.equal(await awaits(content.toString()), false, name);
      assert.equal(await awaits(`${content}\nawait null;`), true, name);
    }
  });

  // An engine that cannot read a file says nothing but SyntaxError; one that can says what it lacks (`npm run frameworks -- floors`).
  test("has nothing that Node.js 14 cannot read", async () => {
    const supported = Object.fromEntries(
      ["class-static-blocks", "class-private-brand-check", "logical-assignment"].map((name) => [name, false]),
    );
    const isOld = async (code) => {
      const [as, without] = await Promise.all([{}, supported].map((own) => transform(code, { target: "es2022", supported: own, logLevel: "silent" })));
      return as.code === without.code;
    };
    const programs = [...entries(tarball)].filter(([name]) => /\.c?js$/.test(name));
    assert.ok(programs.length > 40);
    for (const [name, content] of programs) {
      assert.equal(await isOld(content.toString()), true, name);
      assert.equal(await isOld(`${content}\nlet given; given ??= 1; class A { #a; static { } static is = (a) => #a in a; }`), false, name);
    }
  });

  // The floors in docs/frameworks.md follow from these.
  test("has modules that use nothing of WebAssembly that came after reference types", () => {
    const { MutableGlobals, NontrappingFPToInt, BulkMemory, BulkMemoryOpt, SignExt, ReferenceTypes, Multivalue } = binaryen.Features;
    const all = MutableGlobals | NontrappingFPToInt | BulkMemory | BulkMemoryOpt | SignExt | ReferenceTypes | Multivalue;
    for (const name of ["digitalpaye_auth", "digitalpaye_emulator"]) {
      const module = binaryen.readBinary(entries(tarball).get(`wasm/${name}_bg.wasm`));
      module.setFeatures(all);
      assert.equal(module.validate(), 1, name);
      module.dispose();
    }
  });

  test("names no folder of the machine that it was built on", () => {
    for (const [name, content] of entries(tarball)) {
      assert.ok(!content.includes(process.cwd()), `${name} names this checkout`);
      assert.doesNotMatch(content.toString("latin1"), /\/(home|Users)\/[a-z]|\/root\/|\/\.cargo\/|\/registry\/src\//, name);
    }
  });
});

const names = [
  "AuthError", "BadRequestError", "CredentialsError", "DigitalpayeAuth", "InternalServerError", "InvalidOptionsError", "InvalidResponseError",
  "NetworkError", "RateLimitError", "TimeoutError", "UnauthorizedError", "UnexpectedStatusError",
  "UnsupportedRuntimeError", "authenticate",
];

// A reply that only needs a clock: `exp` ten minutes from now, by an opaque token.
const reply = () => Response.json({
  statusCode: 200, message: "Successful", data: { token: "opaque-token", exp: Math.floor(Date.now() / 1000) + 600 },
});

for (const [how, load] of [["import", importInstalled], ["require", requireInstalled]]) {
  describe(`installed elsewhere, by ${how}`, () => {
    test("gives the public names and no others", async () => {
      assert.deepEqual(Object.keys(await load()).sort(), names);
    });

    test("keeps the names of its classes", async () => {
      const exported = await load();
      for (const name of names.filter((each) => each !== "authenticate")) assert.equal(exported[name].name, name);
    });

    test("works without a network", async () => {
      const { authenticate, UnauthorizedError } = await load();
      const requests = [];
      const fetch = async (...request) => {
        requests.push(request);
        return reply();
      };
      const { token } = await authenticate({ apiKey: "key", apiSecret: "secret", fetch });
      assert.equal(token, "opaque-token");
      assert.equal(requests.length, 1);
      await assert.rejects(
        authenticate({ apiKey: "key", apiSecret: "secret", fetch: async () => new Response("", { status: 401 }) }),
        UnauthorizedError,
      );
    });

    test("has its stores", async () => {
      assert.equal(typeof (await load("digitalpaye-auth/stores/redis")).redisStore, "function");
      assert.equal(typeof (await load("digitalpaye-auth/stores/workers-kv")).workersKvStore, "function");
      assert.equal(typeof (await load("digitalpaye-auth/stores/testing")).testStore, "function");
      // That one is of Cloudflare alone.
      await assert.rejects(async () => load("digitalpaye-auth/stores/durable-object"), /cloudflare:/);
    });

    test("hides what is not public", async () => {
      await assert.rejects(async () => load("digitalpaye-auth/loader.js"), { code: "ERR_PACKAGE_PATH_NOT_EXPORTED" });
    });
  });
}

test("an ES module that imports the CommonJS build sees the names of its exports", async () => {
  const project = await installed();
  for (const [file, wanted] of [["index", names], ["stores/redis", ["redisStore"]], ["stores/workers-kv", ["workersKvStore"]],
    ["stores/testing", ["testStore"]]]) {
    const module = await import(join(project, "node_modules", "digitalpaye-auth", "cjs", `${file}.cjs`));
    const seen = Object.keys(module).filter((name) => name !== "default" && name !== "module.exports");
    assert.deepEqual(seen.sort(), wanted, file);
  }
});

// Put before the package: notes every use that the package's files make of what a module could work with. Node.js uses
// some of it too, and behind the package's back.
const watch = `
const uses = [];
const used = (what) => {
  if (new Error().stack.includes("/node_modules/digitalpaye-auth/")) uses.push(what);
};
const note = (object, path, names) => {
  for (const name of names) {
    const original = object[name];
    if (typeof original !== "function") throw new Error(path + name + " is not there to be watched");
    object[name] = new Proxy(original, {
      apply: (target, self, args) => (used(path + name), Reflect.apply(target, self, args)),
      construct: (target, args, newTarget) => (used(path + name), Reflect.construct(target, args, newTarget)),
    });
  }
};
note(WebAssembly, "WebAssembly.", ["Module", "Instance", "Memory", "Table", "Global", "compile", "instantiate", "validate",
  "compileStreaming", "instantiateStreaming"]);
note(globalThis, "", ["fetch", "setTimeout", "setInterval", "setImmediate", "queueMicrotask", "Request", "Headers",
  "AbortController", "MessageChannel", "TextDecoder", "TextEncoder", "WeakRef", "FinalizationRegistry"]);
note(crypto, "crypto.", ["getRandomValues", "randomUUID"]);
note(crypto.subtle, "crypto.subtle.", ["digest"]);
note(Date, "Date.", ["now"]);
note(performance, "performance.", ["now"]);
note(Math, "Math.", ["random"]);
`;

// What the generated glue keeps for itself costs nothing until it is used.
const harmless = ["TextDecoder", "TextEncoder", "FinalizationRegistry"];

const loads = {
  import: ["watch.mjs", `const { authenticate } = await import("digitalpaye-auth");`],
  require: ["watch.cjs", `const { authenticate } = require("digitalpaye-auth");`],
};

for (const [how, [file, load]] of Object.entries(loads)) {
  test(`${how} of the package does no work`, async () => {
    const path = join(await installed(), file);
    writeFileSync(path, `${watch}
${load}
const atImport = uses.splice(0);
const resources = process.getActiveResourcesInfo().filter((name) => /Timeout|Immediate|TCP|Worker/.test(name));
authenticate({ apiKey: "key", apiSecret: "secret", fetch: async () => new Response("", { status: 401 }) })
  .catch((error) => console.log(JSON.stringify({ atImport, resources, atUse: uses, code: error.code })));
`);
    try {
      const { stdout } = await run(process.execPath, [path], { timeout: 30_000 });
      const { atImport, resources, atUse, code } = JSON.parse(stdout);
      assert.deepEqual(atImport.filter((use) => !harmless.includes(use)), []);
      assert.deepEqual(resources, []);
      // The watch sees what there is to see: the first use does what the import must not.
      assert.equal(code, "unauthorized");
      for (const use of ["WebAssembly.Module", "WebAssembly.Instance", "setTimeout"]) assert.ok(atUse.includes(use), use);
    } finally {
      rmSync(path);
    }
  });
}
