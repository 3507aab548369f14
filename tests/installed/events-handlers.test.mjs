// Whatever a handler does harms nobody; and what it is told, prints or keeps holds no secret at any depth.
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { join } from "node:path";
import { inspect } from "node:util";
import { temporaryFolder } from "../../scripts/lib/temporary.mjs";
import { inChild } from "../lib/child.mjs";
import { importInstalled } from "../lib/install.mjs";
import { credentialForms, leak } from "../lib/leaks.mjs";
import { answering, failureReply, listen, memoryStore, tokenReply } from "../lib/listen.mjs";
import { heldBy } from "../lib/snapshot.mjs";
import { sleep, until, watchRejections } from "../lib/tokens.mjs";

const { authenticate, DigitalpayeAuth } = await importInstalled();
const credentials = { apiKey: "merchant-4711", apiSecret: "xK9-tr0mbone-é!" };
const auths = [];

afterEach(() => {
  for (const auth of auths.splice(0)) auth[Symbol.dispose]();
});

function client(options) {
  const auth = new DigitalpayeAuth({ ...credentials, baseUrl: "http://127.0.0.1:9", maxRetries: 0, ...options });
  auths.push(auth);
  return auth;
}

/** A client's life in which every kind of event comes; `tokens` collects what it was given. */
async function everything(options, tokens = []) {
  let step = 0;
  const steps = [() => failureReply(503), () => tokenReply(), () => failureReply(401)];
  const fetch = async (url) => (String(url).endsWith("/v1/auth") ? steps[Math.min(step++, 2)]() : new Response(null, { status: 401 }));
  const store = memoryStore({ set: async (_, { token }) => { tokens.push(token); throw new Error(`SET ${token}`); }, get: async () => { throw new Error("down"); } });
  const auth = client({ ...options, maxRetries: 1, fetch, store });
  tokens.push((await auth.getToken()).token);
  await auth.fetch("/v1/balance").catch(() => {});
  await auth.getToken().catch(() => {});
  await sleep(30);
  return auth;
}

const ALL = ["failure", "retry", "store", "token", "unauthorized"];

describe("a handler", () => {
  const hows = {
    "that throws": () => { throw new Error("the handler's"); },
    "that throws undefined": () => { throw undefined; },
    "that rejects": async () => { throw new Error("the handler's"); },
    "that returns a thenable which throws": () => ({ then() { throw new Error("the handler's"); } }),
    "that returns a then which throws when read": () => Object.defineProperty({}, "then", { get() { throw new Error("the handler's"); } }),
    "that never settles": () => new Promise(() => {}),
    "that changes the event": (event) => { event.type = "other"; },
    "that overflows the stack": function deep() { return deep(); },
  };
  for (const [name, onEvent] of Object.entries(hows)) {
    test(`${name}: the same answers, and no unhandled rejection`, async () => {
      const rejections = watchRejections();
      const { onEvent: note, events } = listen();
      const auth = await everything({ onEvent: (event) => { note(event); return onEvent(event); } });
      assert.deepEqual([...new Set(events.map(({ type }) => type))].sort(), ALL);
      assert.equal((await auth.getToken().catch((error) => error)).code, "unauthorized");
      await rejections.check(assert);
    });
  }

  test("is called in a microtask of its own: in no caller's frame, before timers", async () => {
    let inside = false;
    const order = [];
    const onEvent = ({ type }) => order.push(`${type}${inside ? " inside" : ""}`);
    const auth = client({ onEvent, fetch: async (url) => {
      inside = true;
      try {
        return String(url).endsWith("/v1/auth") ? tokenReply() : new Response(null, { status: 401 });
      } finally {
        inside = false;
      }
    } });
    inside = true;
    const call = auth.getToken();
    inside = false;
    await call;
    setTimeout(() => order.push("timer"), 0);
    const own = auth.fetch("/v1/balance");
    await own;
    await sleep(20);
    assert.equal(order[0], "token");
    assert.ok(!order.some((entry) => entry.endsWith("inside")), `${order}`);
  });

  test("one that throws does not keep the next event from it", async () => {
    let calls = 0;
    const auth = client({ maxRetries: 1, ...answering(() => failureReply(503), () => tokenReply()), onEvent: () => { calls += 1; throw new Error("the handler's"); } });
    await auth.getToken();
    await sleep(10);
    assert.equal(calls, 2);
  });

  test("that calls the client from every event: all is served, and it comes to rest", async () => {
    const rejections = watchRejections();
    let auth;
    let calls = 0;
    const inner = [];
    const onEvent = () => {
      calls += 1;
      if (calls > 20) return;
      inner.push(auth.getToken().catch((error) => error));
      auth.invalidate("another");
      inner.push(auth.fetch("/v1/balance").catch((error) => error));
    };
    auth = client({ onEvent, maxRetries: 1, fetch: async (url) => (String(url).endsWith("/v1/auth") ? tokenReply() : new Response("{}")) });
    await auth.getToken();
    await sleep(30);
    await Promise.all(inner);
    assert.equal(calls, 1);
    assert.ok((await auth.getToken()).token);
    await rejections.check(assert);
  });

  test("that invalidates on every token ends when it stops", async () => {
    let auth;
    let left = 5;
    const onEvent = ({ type }) => {
      if (type !== "token" || left-- <= 0) return;
      auth.invalidate();
      auth.getToken().catch(() => {});
    };
    const api = answering(() => tokenReply());
    auth = client({ onEvent, ...api });
    await auth.getToken();
    await until(() => api.requests.length === 6);
    await sleep(20);
    assert.equal(api.requests.length, 6);
  });

  for (const type of ["token", "retry", "failure", "store", "unauthorized"]) {
    test(`that disposes of the client on ${type}: whoever waits is told`, async () => {
      const rejections = watchRejections();
      let auth;
      const onEvent = (event) => { if (event.type === type) auth[Symbol.dispose](); };
      const store = memoryStore({ get: async () => { throw new Error("down"); } });
      const replies = type === "token" || type === "unauthorized" ? [() => tokenReply()] : [() => failureReply(503)];
      const api = answering(...replies);
      const fetch = async (url, init) => (String(url).endsWith("/v1/auth") ? api.fetch(url, init) : new Response(null, { status: 401 }));
      auth = client({ onEvent, maxRetries: 1, fetch, ...(type === "store" && { store }) });
      const outcome = await (type === "unauthorized" ? auth.fetch("/v1/balance") : auth.getToken()).catch((error) => error);
      assert.ok(outcome.token !== undefined || ["invalid_options", "internal_server_error"].includes(outcome.code) || outcome.status === 401, inspect(outcome));
      await sleep(20);
      assert.equal((await auth.getToken().catch((error) => error)).code, "invalid_options");
      await rejections.check(assert);
    });
  }

  test("is called with undefined as this and one argument", async () => {
    const seen = [];
    const auth = client({ ...answering(() => tokenReply()), onEvent(...args) { seen.push([this, args.length]); } });
    await auth.getToken();
    await sleep(10);
    assert.deepEqual(seen, [[undefined, 1]]);
  });

  test("is read once, when the client is made", async () => {
    let reads = 0;
    const { onEvent, events } = listen();
    const auth = client({ ...answering(() => tokenReply()), get onEvent() { reads += 1; return onEvent; } });
    await auth.getToken();
    await sleep(10);
    assert.equal(reads, 1);
    assert.equal(events.length, 1);
  });
});

describe("nothing secret", () => {
  test("is in any event, its error, its causes, or what is printed of them", async () => {
    const tokens = [];
    const { onEvent, events } = listen();
    await everything({ onEvent }, tokens);
    // The API repeats what it should not; a fetch of the caller's own rejects.
    const repeats = JSON.stringify({ reason: `no such secret: ${credentials.apiSecret}`, message: credentialForms(credentials)[1] });
    await authenticate({ ...credentials, onEvent, maxRetries: 1, fetch: async () => new Response(repeats, { status: 500 }) }).catch(() => {});
    await authenticate({ ...credentials, onEvent, maxRetries: 0, fetch: async () => { throw new TypeError("fetch failed", { cause: new Error("own") }); } }).catch(() => {});
    await authenticate({ apiKey: credentials.apiKey, apiSecret: () => `${credentials.apiSecret}\n`, onEvent, maxRetries: 0, fetch: async () => tokenReply() }).catch(() => {});
    await sleep(20);
    assert.deepEqual([...new Set(events.map(({ type }) => type))].sort(), ALL);
    const forms = [...credentialForms(credentials), ...tokens, ...tokens.map((token) => token.split(".")[1])];
    assert.ok(tokens.length > 0);
    for (const event of events) {
      assert.equal(leak(event, forms), undefined);
      assert.equal(leak(inspect(event, { depth: 20, showHidden: true }), [...forms, credentials.apiKey]), undefined);
      if (event.type === "store") assert.equal(leak(event.cause, forms), undefined);
    }
  });

  test("stays in the heap by way of events that are kept", async () => {
    const file = join(temporaryFolder("digitalpaye-auth-events"), "heap.heapsnapshot");
    const { result, stderr } = await inChild(async ({ file, reversed }) => {
      const { writeHeapSnapshot } = await import("node:v8");
      const { DigitalpayeAuth } = await import("digitalpaye-auth");
      const apiSecret = () => [...reversed].reverse().join("");
      const kept = (globalThis.kept = []);
      const exp = Math.floor(Date.now() / 1_000) + 600;
      let n = 0;
      const fetch = async () => {
        n += 1;
        if (n === 1) return new Response(JSON.stringify({ reason: "busy" }), { status: 503 });
        // Put together, so that the program's own text does not hold it.
        return new Response(JSON.stringify({ statusCode: 200, data: { token: ["opaque", "token", "of", "the", "heap"].join("-"), exp } }));
      };
      const store = { get: async () => null, set: async (key, { token }) => { throw new Error(`SET ${key} ${token}, command was: ${token}`); } };
      const auth = new DigitalpayeAuth({ apiKey: "merchant", apiSecret, fetch, store, maxRetries: 1, baseUrl: "http://127.0.0.1:9", onEvent: (event) => kept.push(event) });
      await auth.getToken();
      await new Promise((resolve) => setTimeout(resolve, 50));
      auth[Symbol.dispose]();
      await new Promise((resolve) => setTimeout(resolve, 50));
      for (let turn = 0; turn < 3; turn += 1) globalThis.gc();
      writeHeapSnapshot(file);
      return kept.map(({ type }) => type);
    }, { file, reversed: [...credentials.apiSecret].reverse().join("") }, { flags: ["--expose-gc"] });
    assert.ok(result, stderr);
    assert.deepEqual(result, ["retry", "store", "token"]);
    const searched = [credentials.apiSecret, "opaque-token-of-the-heap", "internal_server_error"];
    assert.deepEqual(await heldBy(file, searched), ["internal_server_error"], "the events' own are found");
  });
});

test("costs nothing when absent: no event is made", async () => {
  const { result, stderr } = await inChild(async () => {
    let frozen = 0;
    const { freeze } = Object;
    const { DigitalpayeAuth } = await import("digitalpaye-auth");
    const exp = Math.floor(Date.now() / 1_000) + 600;
    const fetch = async () => new Response(JSON.stringify({ statusCode: 200, data: { token: "opaque", exp } }));
    const count = async (options) => {
      frozen = 0;
      Object.freeze = (value) => { frozen += "type" in value ? 1 : 0; return freeze(value); };
      await new DigitalpayeAuth({ apiKey: "k", apiSecret: "s", fetch, ...options }).getToken();
      await new Promise((resolve) => setTimeout(resolve, 10));
      Object.freeze = freeze;
      return frozen;
    };
    return [await count({ onEvent() {} }), await count({})];
  });
  assert.deepEqual(result, [1, 0], stderr);
});
