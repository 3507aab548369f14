// Importing does no work, and when the last call has settled nothing keeps the process.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { inChild } from "../lib/child.mjs";
import { startRaw } from "../lib/raw.mjs";
import { PAGE, PAGE_TOKEN, reply } from "../lib/replies.mjs";

const raw = await startRaw();
after(() => raw.stop());

const credentials = { apiKey: "key", apiSecret: "a secret of no importance" };
/** A timer of ours would keep it for 30 s, a connection that is kept open for 4 s. */
const PROMPT_MS = 2_500;

async function prompt(program, input = {}) {
  const child = await inChild(program, { url: raw.url, credentials, body: PAGE[200], ...input });
  assert.equal(child.code, 0, `${child.signal} ${child.stderr}`);
  assert.equal(child.stderr, "");
  assert.ok(child.lingered < PROMPT_MS, `it took ${Math.round(child.lingered)} ms to end`);
  return child.result;
}

describe("the process ends when the call has", () => {
  const keepAlive = Buffer.from(`HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nKeep-Alive: timeout=60\r\nContent-Length: ${Buffer.byteLength(PAGE[200])}\r\n\r\n${PAGE[200]}`);
  const call = async ({ url, credentials, more }) => {
    const { authenticate } = await import("digitalpaye-auth");
    return authenticate({ ...credentials, baseUrl: url, ...more }).catch((error) => error.code);
  };

  test("with a token, over a connection that the server keeps open", async () => {
    raw.reset((exchange) => exchange.write(keepAlive));
    assert.deepEqual(await prompt(call), PAGE_TOKEN);
  });

  test("by require", async () => {
    raw.reset((exchange) => exchange.write(keepAlive));
    assert.deepEqual(await prompt(async ({ url, credentials }) => {
      const { createRequire } = await import("node:module");
      const { authenticate } = createRequire(`${process.cwd()}/x.cjs`)("digitalpaye-auth");
      return authenticate({ ...credentials, baseUrl: url });
    }), PAGE_TOKEN);
  });

  const failing = {
    "refused": [reply(401, PAGE[401]), {}, "unauthorized"],
    "refused, over a connection that the server keeps open": [(exchange) => exchange.write("HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n{}"), {}, "unauthorized"],
    "after a wait and a retry": [reply(503), { maxRetries: 1 }, "internal_server_error"],
    "with a wait that does not fit": [reply(429, "", { "Retry-After": "25" }), { timeout: 20_000 }, "rate_limited"],
    "timed out, while the server says nothing": [() => {}, { timeout: 200 }, "timeout"],
    "timed out within the body": [(exchange) => exchange.write("HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"), { timeout: 200 }, "timeout"],
    "with a body that is too large, of a server that does not stop": [
      async (exchange) => { exchange.write("HTTP/1.1 200 OK\r\n\r\n"); await exchange.pour(Buffer.alloc(16_384, 0x20), 1e9); }, {}, "invalid_response",
    ],
    "with a body that does not end, of a status that says it all": [(exchange) => exchange.write("HTTP/1.1 401 Unauthorized\r\nContent-Length: 900\r\n\r\n{"), { timeout: 300 }, "unauthorized"],
    "without a reply": ["", { maxRetries: 0 }, "network"],
    "with options that cannot be used": ["", { timeout: -1 }, "invalid_options"],
  };
  for (const [name, [script, more, code]] of Object.entries(failing)) {
    test(name, async () => {
      raw.reset(script);
      assert.equal(await prompt(call, { more }), code);
    });
  }

  test("aborted, before the reply and within a wait", async () => {
    for (const script of [() => {}, reply(503, "", { "Retry-After": "20" })]) {
      raw.reset(script);
      assert.equal(await prompt(async ({ url, credentials }) => {
        const { authenticate } = await import("digitalpaye-auth");
        const controller = new AbortController();
        setTimeout(() => controller.abort("aborted"), 300);
        return authenticate({ ...credentials, baseUrl: url }, { signal: controller.signal }).catch((reason) => reason);
      }), "aborted");
    }
  });

  test("of many at once", async () => {
    raw.reset((exchange) => exchange.write(keepAlive));
    assert.equal(await prompt(async ({ url, credentials }) => {
      const { authenticate } = await import("digitalpaye-auth");
      const calls = Array.from({ length: 30 }, (_, index) => authenticate({ ...credentials, baseUrl: url, timeout: index % 3 ? 20_000 : 1e9 }));
      return (await Promise.all(calls)).length;
    }), 30);
  });

  test("in a worker thread", async () => {
    raw.reset((exchange) => exchange.write(keepAlive));
    assert.deepEqual(await prompt(async ({ url, credentials }) => {
      const { Worker } = await import("node:worker_threads");
      const worker = new Worker(`
        import { parentPort, workerData } from "node:worker_threads";
        const { authenticate } = await import("digitalpaye-auth");
        parentPort.postMessage(await authenticate(workerData));
      `, { eval: true, execArgv: ["--input-type=module"], workerData: { ...credentials, baseUrl: url } });
      const token = await new Promise((resolve, reject) => { worker.once("message", resolve); worker.once("error", reject); });
      const code = await new Promise((resolve) => worker.once("exit", resolve));
      return code === 0 ? token : code;
    }), PAGE_TOKEN);
  });
});

test("and not before: a call is waited for, though nothing else is going on", async () => {
  const result = await prompt(async ({ credentials, body }) => {
    const { authenticate } = await import("digitalpaye-auth");
    let attempts = 0;
    const late = await authenticate({ ...credentials, fetch: () => new Promise(() => {}), timeout: 300 }).catch((error) => error.code);
    const again = await authenticate({
      ...credentials,
      fetch: async () => ((attempts += 1) === 1 ? new Response("", { status: 503, headers: { "Retry-After": "1" } }) : new Response(body)),
    });
    return { late, again };
  });
  assert.deepEqual(result, { late: "timeout", again: PAGE_TOKEN });
});

describe("importing does no work", () => {
  // Replaces what would show work, imports, and reports what was called.
  const watch = async ({ specifiers, how, credentials }) => {
    const calls = [];
    const spy = (owner, name) => {
      const original = owner[name];
      const descriptor = Object.getOwnPropertyDescriptor(owner, name) ?? { configurable: true, writable: true };
      Object.defineProperty(owner, name, {
        configurable: true, enumerable: descriptor.enumerable, writable: true,
        value: new Proxy(original, {
          apply: (...args) => (calls.push(name), Reflect.apply(...args)),
          construct: (...args) => (calls.push(name), Reflect.construct(...args)),
        }),
      });
    };
    const { createRequire } = await import("node:module");
    const require = createRequire(`${process.cwd()}/x.cjs`);
    // The loader of modules uses some of these for itself: what it does for a package of no content is set aside.
    for (const name of ["Module", "Instance", "compile", "instantiate", "validate", "Memory"]) spy(WebAssembly, name);
    for (const name of ["fetch", "setTimeout", "setInterval", "setImmediate", "queueMicrotask", "AbortController", "WebSocket", "Worker"]) if (globalThis[name]) spy(globalThis, name);
    spy(Math, "random");
    spy(Date, "now");
    spy(performance, "now");
    spy(crypto, "getRandomValues");
    spy(crypto, "randomUUID");
    // Without those of the loader of modules, which reads files.
    const resources = () => process.getActiveResourcesInfo().filter((name) => !/^(FSReq|FILEHANDLE|CloseReq|Pipe|TTY)/.test(name));
    const before = resources();
    const globals = Object.getOwnPropertyNames(globalThis).length;
    const modules = [];
    for (const specifier of specifiers) modules.push(how === "require" ? require(specifier) : await import(specifier));
    const atImport = calls.splice(0);
    const [{ authenticate, DigitalpayeAuth }] = modules;

    // Nor does a client do any of what is not to be had at module scope everywhere.
    const client = new DigitalpayeAuth(credentials);
    const atConstruction = calls.splice(0);
    const more = { resources: resources().length - before.length, globals: Object.getOwnPropertyNames(globalThis).length - globals };

    const options = { ...credentials, fetch: async () => new Response("", { status: 401 }) };
    await authenticate(options).catch(() => {});
    await authenticate(options).catch(() => {});
    const afterwards = calls.filter((name) => ["Module", "Instance"].includes(name));
    return { atImport, atConstruction: [...new Set(atConstruction)], afterwards, more, client: typeof client };
  };
  const specifiers = ["digitalpaye-auth", "digitalpaye-auth/stores/redis", "digitalpaye-auth/stores/workers-kv", "digitalpaye-auth/stores/testing"];
  for (const how of ["import", "require"]) {
    test(`by ${how}: nothing is compiled, sent, timed, drawn or asked`, async () => {
      const { result, stderr } = await inChild(watch, { specifiers, how, credentials });
      assert.equal(stderr, "");
      assert.deepEqual(result.atImport.filter((name) => !["queueMicrotask"].includes(name)), []);
      assert.deepEqual(result.atConstruction.filter((name) => !["Module", "Instance"].includes(name)), [], "nor does a constructor");
      assert.deepEqual(result.more, { resources: 0, globals: 0 });
      assert.deepEqual(result.afterwards, [], "compiled once, by the first call or client");
    });
  }

  test("it ends at once", async () => {
    await prompt(async () => Object.keys(await import("digitalpaye-auth")).length);
    await prompt(async ({ credentials }) => typeof new (await import("digitalpaye-auth")).DigitalpayeAuth(credentials));
  });
});
