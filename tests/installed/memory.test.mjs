// What stays in memory: no secret where one can see it, none at all after dispose, and no more with every call.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inChild } from "../lib/child.mjs";
import { api, apiPerTest } from "../lib/client.mjs";
import { apiKey, backwards, basicOf, secrets } from "../lib/secrets.mjs";

const memoriesModule = new URL("../lib/memories.mjs", import.meta.url).href;
apiPerTest();

describe("the module's memory", () => {
  async function scan({ lib, url, apiKey, reversed, how }) {
    const { memories } = await import(lib);
    const { DigitalpayeAuth, authenticate } = await import("digitalpaye-auth");
    const dispose = Symbol.dispose ?? Symbol.for("Symbol.dispose");
    const secret = () => [...reversed].reverse().join("");
    const options = () => ({ apiKey, apiSecret: secret(), baseUrl: url, maxRetries: 0, timeout: 1_000 });
    const tick = (milliseconds = 10) => new Promise((resolve) => setTimeout(resolve, milliseconds));
    /** How often the secret in UTF-8, in UTF-16, with its key, and its Basic value are in memory. */
    const count = () => {
      const utf8 = Buffer.from(secret());
      const basic = Buffer.from(Buffer.from(`${apiKey}:${secret()}`).toString("base64"));
      const needles = {
        utf8,
        utf16: Buffer.from(secret(), "utf16le"),
        pair: Buffer.from(`${apiKey}:${secret()}`),
        basic,
        // A buffer that was overwritten in part, or gone through in pieces: the end of a value is as telling.
        half: utf8.length >= 16 ? utf8.subarray(utf8.length / 2) : undefined,
        basicEnd: basic.subarray(-20),
      };
      const found = {};
      for (const [name, needle] of Object.entries(needles)) {
        found[name] = 0;
        if (!needle) continue;
        for (const memory of memories) {
          const bytes = Buffer.from(memory.buffer);
          for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle, at + 1)) found[name] += 1;
        }
      }
      return found;
    };
    const use = async (auth) => {
      for (let call = 0; call < 3; call += 1) await auth.getToken({ forceRefresh: true });
      await (await auth.fetch("/x")).text();
      auth.invalidate();
      await auth.getToken();
    };

    if (how === "authenticate") {
      await authenticate(options()).catch(() => {});
      await tick();
      return { memories: memories.length, after: count() };
    }
    if (how === "repeats") {
      // Of every length, up to a few allocations of it: where a copy would be left depends on what is free.
      for (let length = 0; length < 200; length += 3) {
        for (const text of [secret(), Buffer.from(`${apiKey}:${secret()}`).toString("base64")]) {
          for (const reason of [`é${"x".repeat(length)}${text}`, `${"x".repeat(length)}${text}é`]) {
            const fetch = async () => new Response(JSON.stringify({ reason }), { status: 400 });
            await authenticate({ ...options(), fetch }).catch(() => {});
          }
        }
        await tick(0);
        const after = count();
        if (Object.values(after).some((times) => times > 0)) return { memories: memories.length, after, length };
      }
      return { memories: memories.length, after: count() };
    }
    if (how === "invalid options") {
      for (const wrong of [{ baseUrl: "ftp://x" }, { timeout: -1 }, { environment: "" }, { store: 1 }, { apiKey: "a:b" }, { fetch: 1 }]) {
        try {
          new DigitalpayeAuth({ ...options(), ...wrong });
        } catch {
          // As it should.
        }
        await authenticate({ ...options(), ...wrong }).catch(() => {});
      }
      for (const half of ["\ud800", "\n"]) {
        try {
          new DigitalpayeAuth({ ...options(), apiSecret: secret() + half });
        } catch {
          // As it should.
        }
      }
      await tick();
      return { memories: memories.length, after: count() };
    }
    if (how === "dropped") {
      (() => new DigitalpayeAuth(options()))();
      await use(new DigitalpayeAuth(options()));
      const before = count();
      for (let round = 0; round < 200 && count().utf8 > 0; round += 1) {
        globalThis.gc();
        await tick();
      }
      return { memories: memories.length, before, after: count() };
    }

    const auth = new DigitalpayeAuth(options());
    if (how === "dispose inside fetch") {
      const inner = new DigitalpayeAuth({
        ...options(),
        fetch: (...args) => {
          inner[dispose]();
          return fetch(...args);
        },
      });
      await inner.getToken().catch(() => {});
    }
    if (how !== "unused") await use(auth).catch(() => {});
    if (how === "failed") await auth.getToken({ forceRefresh: true }).catch(() => {});
    const before = count();
    let call;
    if (how === "pending") {
      call = auth.getToken({ forceRefresh: true }).catch(() => {});
      await tick(100);
    }
    auth[dispose]();
    // Now, in the same turn: nobody can see it even for a moment longer.
    const after = count();
    await call;
    await tick(30);
    return { memories: memories.length, before, after, later: count() };
  }

  const none = { utf8: 0, utf16: 0, pair: 0, basic: 0, half: 0, basicEnd: 0 };
  const run = async (name, how, flags) => {
    const { result, stderr } = await inChild(scan, { lib: memoriesModule, url: api.url, apiKey, reversed: backwards(secrets[name]), how }, { flags });
    assert.ok(result, stderr);
    assert.equal(result.memories, 1, "the scan sees the module's memory");
    return result;
  };

  for (const name of Object.keys(secrets)) {
    test(`after dispose no secret and no Basic value is in it (${name})`, async () => {
      const { before, after, later } = await run(name, "used");
      assert.ok(before.utf8 >= 1, "the scan finds the secret of a client that lives");
      assert.deepEqual(after, none);
      assert.deepEqual(later, none);
    });
  }

  test("of a client that was not used", async () => {
    const { before, after } = await run("ASCII", "unused");
    assert.ok(before.utf8 >= 1);
    assert.deepEqual(after, none);
  });

  test("of a client whose exchange is under way", async () => {
    let n = 0;
    api.answer = (exchange) => ((n += 1) <= 5 ? exchange.token() : undefined);
    const { after, later } = await run("Latin-1", "pending");
    assert.deepEqual(after, none);
    assert.deepEqual(later, none);
  });

  test("of a client whose API repeats the secret in what it says", async () => {
    api.answer = (exchange) =>
      exchange.reply(401, JSON.stringify({ statusCode: 401, reason: `no: ${secrets.ASCII} ${basicOf(secrets.ASCII)}` }));
    const { after, later } = await run("ASCII", "failed");
    assert.deepEqual(after, none);
    assert.deepEqual(later, none);
  });

  test("after replies that repeat it beside what is not ASCII", async () => {
    for (const name of ["ASCII", "Greek"]) {
      const { after, length } = await run(name, "repeats");
      assert.deepEqual(after, none, `${name}, with ${length} characters before`);
    }
  });

  test("of a client that is disposed of by its own fetch", async () => {
    const { after, later } = await run("ASCII", "dispose inside fetch");
    assert.deepEqual(after, none);
    assert.deepEqual(later, none);
  });

  test("after authenticate() has settled, well or not", async () => {
    assert.deepEqual((await run("Greek", "authenticate")).after, none);
    api.answer = (exchange) => exchange.fail(401);
    assert.deepEqual((await run("ASCII", "authenticate")).after, none);
  });

  test("after options that were refused", async () => {
    assert.deepEqual((await run("ASCII", "invalid options")).after, none);
    assert.deepEqual((await run("beyond the BMP", "invalid options")).after, none);
  });

  test("after the collector has taken a client that nobody holds", async () => {
    const { before, after } = await run("ASCII", "dropped", ["--expose-gc"]);
    assert.ok(before.utf8 >= 1);
    assert.deepEqual(after, none);
  });

  test("holds no token: of a reply, of a store, or one that is refused", async () => {
    async function look({ lib, url, apiKey }) {
      const { remembered } = await import(lib);
      const { DigitalpayeAuth } = await import("digitalpaye-auth");
      const seen = new Set();
      // A buffer that was overwritten in part would still have one of these.
      const keep = (token) => seen.add(token).add(token.slice(-30)).add(token.slice(0, 30)).add(token.split(".")[1].slice(0, 30));
      const stored = new Map();
      const store = {
        get: async (key) => stored.get(key),
        set: async (key, token) => void stored.set(key, token),
        delete: async (key) => void stored.delete(key),
      };
      const auth = () => new DigitalpayeAuth({ apiKey, apiSecret: "s", baseUrl: url, store });
      const first = auth();
      for (const force of [false, true, true]) keep((await first.getToken({ forceRefresh: force })).token);
      const second = auth();
      const { token } = await second.getToken();
      keep(token);
      second.invalidate(token);
      keep((await second.getToken()).token);
      const fetch = async () => Response.json({ data: { token: `${token} not a token`, exp: 1 } });
      await new DigitalpayeAuth({ apiKey, apiSecret: "s", fetch }).getToken().catch(() => {});
      return { tokens: seen.size, found: remembered([...seen]), control: remembered([apiKey]) };
    }
    const { result, stderr } = await inChild(look, { lib: memoriesModule, url: api.url, apiKey });
    assert.ok(result, stderr);
    assert.equal(result.control, apiKey, "the search finds what is there");
    assert.ok(result.tokens >= 4, `${result.tokens}`);
    assert.equal(result.found, undefined);
  });
});

describe("growth", () => {
  async function grow({ lib, kind }) {
    const { pages } = await import(lib);
    const { DigitalpayeAuth, authenticate } = await import("digitalpaye-auth");
    const dispose = Symbol.dispose ?? Symbol.for("Symbol.dispose");
    const encode = (part) => Buffer.from(JSON.stringify(part)).toString("base64url");
    let minted = 0;
    const fetch = async (url, init) => {
      if (init.signal?.aborted) throw init.signal.reason;
      const iat = Math.floor(Date.now() / 1_000);
      const token = `${encode({ alg: "HS256" })}.${encode({ n: (minted += 1), iat, exp: iat + 600 })}.c2ln`;
      const status = kind === "failures" && minted > 1 ? 503 : 200;
      return new Response(JSON.stringify({ statusCode: status, reason: "r".repeat(100), data: { token, exp: iat + 600 } }), { status });
    };
    const options = { apiKey: "k".repeat(100), apiSecret: "s".repeat(100), baseUrl: "http://127.0.0.1:9", maxRetries: 0, fetch };
    const auth = new DigitalpayeAuth(options);
    await auth.getToken();
    const ignore = () => {};
    const hung = (url, init) => new Promise((resolve, reject) => init.signal.addEventListener("abort", () => reject(init.signal.reason)));
    const { signal } = new AbortController();
    const [count, work] = {
      exchanges: [5_000, () => auth.getToken({ forceRefresh: true })],
      failures: [5_000, () => auth.getToken({ forceRefresh: true }).catch(ignore)],
      reads: [200_000, () => auth.getToken()],
      "reads with a signal": [50_000, () => auth.getToken({ signal })],
      invalidations: [5_000, () => {
        auth.invalidate();
        return auth.getToken();
      }],
      "clients that are disposed of": [5_000, () => new DigitalpayeAuth(options)[dispose]()],
      "clients that are used and disposed of": [3_000, async () => {
        const one = new DigitalpayeAuth(options);
        await one.getToken();
        one[dispose]();
      }],
      "clients that are dropped": [3_000, async () => {
        await new DigitalpayeAuth(options).getToken();
      }],
      "calls of authenticate": [3_000, () => authenticate(options)],
      aborts: [3_000, async () => {
        const controller = new AbortController();
        const call = authenticate({ ...options, fetch: hung }, { signal: controller.signal }).catch(ignore);
        await null;
        controller.abort();
        await call;
      }],
      // By a fetch that does not hear of the abort.
      "replies after the deadline": [1_000, async () => {
        const late = (url) => new Promise((resolve) => setTimeout(() => resolve(fetch(url, {})), 3));
        await authenticate({ ...options, timeout: 1, fetch: late }).catch(ignore);
      }],
      "refused options": [5_000, () => {
        try {
          new DigitalpayeAuth({ ...options, timeout: -1 });
        } catch {
          // As it should.
        }
      }],
    }[kind];
    const rounds = [];
    const measure = async () => {
      // Finalizers run in turns of their own.
      for (let round = 0; round < 6; round += 1) {
        globalThis.gc();
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      rounds.push({ heap: process.memoryUsage().heapUsed, pages: pages() });
    };
    const times = async (count) => {
      for (let done = 0; done < count; done += 1) {
        await work();
        if (done % 500 === 499) await new Promise((resolve) => setImmediate(resolve));
      }
    };
    // What is made once is made now: compiled code, the collector's own lists.
    await times(kind === "clients that are dropped" ? count : count / 2);
    await measure();
    await times(count);
    await measure();
    return { pages: rounds[1].pages - rounds[0].pages, bytes: rounds[1].heap - rounds[0].heap, count };
  }

  const kinds = ["exchanges", "failures", "reads", "reads with a signal", "invalidations", "clients that are disposed of",
    "clients that are used and disposed of", "clients that are dropped", "calls of authenticate", "aborts",
    "replies after the deadline", "refused options"];
  for (const kind of kinds) {
    test(kind, async (context) => {
      const { result, stderr } = await inChild(grow, { lib: memoriesModule, kind }, { flags: ["--expose-gc"] });
      assert.ok(result, stderr);
      const { pages, bytes, count } = result;
      context.diagnostic(`${count} ${kind}: ${pages} pages of wasm memory, ${Math.round(bytes / 1_000)} KB of heap`);
      // Clients that wait for the collector take up memory, more or less of it as it comes late or soon.
      assert.ok(pages <= (kind === "clients that are dropped" ? 40 : 0), `${pages} pages`);
      assert.ok(bytes < 700_000, `${bytes} bytes`);
    });
  }
});
