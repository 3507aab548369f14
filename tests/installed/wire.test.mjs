// What goes over the wire: the bytes of the vendor's own curl sample, and nothing else.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { after, describe, test } from "node:test";
import { inChild, outcomeOf } from "../lib/child.mjs";
import { importInstalled } from "../lib/install.mjs";
import { startRaw } from "../lib/raw.mjs";
import { PAGE, PAGE_TOKEN, reply } from "../lib/replies.mjs";

const { authenticate } = await importInstalled();
const raw = await startRaw(reply(200, PAGE[200]));
after(() => raw.stop());

const credentials = { apiKey: "Aladdin", apiSecret: "open sesame" };
const BASIC = "QWxhZGRpbjpvcGVuIHNlc2FtZQ==";

/** The one request that a call makes. */
async function sent(options) {
  raw.reset(reply(200, PAGE[200]));
  assert.deepEqual(await authenticate({ baseUrl: raw.url, ...options }), PAGE_TOKEN);
  assert.equal(raw.requests.length, 1);
  return raw.requests[0];
}

/** Header fields that count, sorted: name in lower case and value. Repeated ones stay repeated. */
const fields = (request, without = []) =>
  request.headers
    .map(([name, value]) => [name.toLowerCase(), value])
    .filter(([name]) => !without.includes(name))
    .sort(([a], [b]) => (a < b ? -1 : 1));

/** The page's curl sample, with a host and credentials that work. Resolves to what curl printed. */
async function curl(url, basic) {
  const sample = `curl --location --request POST 'https://api.digitalpaye.com/v1/auth' \\
--header 'X-Environment: Production' \\
--header 'Authorization: Basic i0yOWYwLTRjMWMtOGE2ZC0bGl2ZV9JlYzU4NiwY2MyMDk0ZjZhMzQkaWdpdGFscGF5ZTY3OTg3Njo1OW=' \\
--data ''`;
  const script = sample
    .replace("https://api.digitalpaye.com", url)
    .replace(/Basic [^']+/, `Basic ${basic}`);
  const child = spawn("sh", ["-c", script], {
    // Of no use here: a proxy, or a .curlrc of the one who runs this.
    env: { PATH: process.env.PATH, HOME: "/nonexistent", CURL_HOME: "/nonexistent", NO_PROXY: "*" },
    stdio: ["ignore", "pipe", "ignore"],
    timeout: 20_000,
  });
  const { code, stdout } = await outcomeOf(child);
  if (code !== 0) throw new Error(`curl exited with ${code}; is it installed?`);
  return stdout;
}

describe("the same request as the vendor's curl sample", () => {
  const vectors = [
    { source: "RFC 7617 §2", apiKey: "Aladdin", apiSecret: "open sesame", basic: "QWxhZGRpbjpvcGVuIHNlc2FtZQ==" },
    { source: "RFC 7617 §2.1, UTF-8", apiKey: "test", apiSecret: "123£", basic: "dGVzdDoxMjPCow==" },
  ];
  for (const { source, basic, ...vector } of vectors) {
    test(source, async () => {
      raw.reset(reply(200, PAGE[200]));
      assert.deepEqual(JSON.parse(await curl(raw.url, basic)), JSON.parse(PAGE[200]));
      const [theirs] = raw.requests;
      // What this runtime's fetch adds to any request like it.
      raw.reset(reply(200));
      await fetch(`${raw.url}/v1/auth`, { method: "POST", redirect: "manual", credentials: "omit", cache: "no-store" });
      const [bare] = raw.requests;
      const ours = await sent(vector);

      assert.equal(ours.line, "POST /v1/auth HTTP/1.1");
      assert.equal(ours.line, theirs.line);
      assert.equal(ours.body.length, 0);
      assert.equal(theirs.body.length, 0);

      const byCurl = ["user-agent", "accept", "content-type"];
      const both = ["host", "content-length"];
      const byRuntime = bare.headers.map(([name]) => name.toLowerCase()).filter((name) => !both.includes(name));
      assert.deepEqual(fields(ours, byRuntime), fields(theirs, byCurl));
      assert.deepEqual(fields(ours, byRuntime), [
        ["authorization", `Basic ${basic}`],
        ["content-length", "0"],
        ["host", `127.0.0.1:${raw.port}`],
        ["x-environment", "Production"],
      ]);
      // Nothing but the two headers is added to what the runtime sends anyway, and nothing of that is changed.
      assert.deepEqual(fields(ours, ["authorization", "x-environment"]), fields(bare));
      // The two as they are spelled on the page.
      const names = ours.headers.map(([name]) => name);
      assert.ok(names.includes("Authorization") && names.includes("X-Environment"), names.join(", "));
    });
  }
});

test("no Content-Type, no Cookie, no Transfer-Encoding, no Expect", async () => {
  const request = await sent(credentials);
  for (const name of ["content-type", "cookie", "transfer-encoding", "expect", "origin", "referer"]) {
    assert.deepEqual(request.values(name), [], name);
  }
  assert.equal(request.bytes.subarray(-4).toString(), "\r\n\r\n");
});

test("credentials go out as UTF-8, byte for byte: not form-encoded, not normalized, not trimmed", async () => {
  const cases = [
    ["a", "b"],
    ["key+with/special=%20&chars", "p+a/s=s%20&?#\"'\\"],
    [" leading and trailing ", " \u00a0secret\u00a0 "],
    ["key", "with:colon:and::more:"],
    ["clé", "Yamoussoukro-é-e\u0301"], // a composed and a decomposed é stay what they are
    ["キー", "😀\u{10ffff}\ufeff\u200b"],
    ["\ufeffbom", "\ufffd\uffff"],
    ["k".repeat(1_000), "s".repeat(4_000)],
  ];
  for (const [apiKey, apiSecret] of cases) {
    const [value, ...more] = (await sent({ apiKey, apiSecret })).values("authorization");
    assert.deepEqual(more, []);
    assert.equal(value, `Basic ${Buffer.from(`${apiKey}:${apiSecret}`, "utf8").toString("base64")}`);
  }
});

test("every length of credentials is padded as RFC 4648 says", async () => {
  for (let length = 1; length <= 9; length += 1) {
    const apiSecret = "x".repeat(length);
    const [value] = (await sent({ apiKey: "k", apiSecret })).values("authorization");
    assert.equal(value, `Basic ${Buffer.from(`k:${apiSecret}`).toString("base64")}`);
  }
});

test("X-Environment is what was asked for", async () => {
  for (const environment of [undefined, "Production", "Sandbox", "production", "!~", "a,b;c=\"d\""]) {
    const request = await sent({ ...credentials, environment });
    assert.deepEqual(request.values("x-environment"), [environment ?? "Production"]);
  }
});

test("a path in baseUrl is kept", async () => {
  const cases = [
    ["", "/v1/auth"],
    ["/", "/v1/auth"],
    ["/p", "/p/v1/auth"],
    ["/p/", "/p/v1/auth"],
    ["/p/q", "/p/q/v1/auth"],
    ["/p//", "/p//v1/auth"],
    ["/v1/auth", "/v1/auth/v1/auth"],
    ["/a b/é%2F", "/a%20b/%C3%A9%2F/v1/auth"],
    ["/a/../b/./c", "/b/c/v1/auth"],
    ["/p;v=1", "/p;v=1/v1/auth"],
    ["/%3Fq%23f", "/%3Fq%23f/v1/auth"],
  ];
  for (const [path, expected] of cases) {
    for (const baseUrl of [raw.url + path, new URL(raw.url + path)]) {
      const request = await sent({ ...credentials, baseUrl });
      assert.equal(request.line, `POST ${expected} HTTP/1.1`, path);
    }
  }
});

test("a URL object is read, not changed", async () => {
  const baseUrl = new URL(`${raw.url}/p`);
  await sent({ ...credentials, baseUrl });
  assert.equal(baseUrl.href, `${raw.url}/p`);
});

test("redirects are not followed, whatever their status and target", async () => {
  const elsewhere = await startRaw(reply(200, PAGE[200]));
  try {
    for (const status of [300, 301, 302, 303, 307, 308]) {
      for (const location of [elsewhere.url, "/v1/auth", `${raw.url}/other`]) {
        raw.reset(reply(status, "", { Location: location }));
        await assert.rejects(authenticate({ ...credentials, baseUrl: raw.url }), { code: "unexpected_status", status, retryable: false });
        assert.equal(raw.requests.length, 1, `${status} to ${location}`);
      }
    }
    assert.equal(elsewhere.connections, 0);
  } finally {
    await elsewhere.stop();
  }
});

test("over https nothing leaves before the peer has shown who it is", async () => {
  raw.reset("");
  const before = raw.received().length;
  await assert.rejects(
    authenticate({ ...credentials, baseUrl: raw.url.replace("http:", "https:"), maxRetries: 0 }),
    { code: "network", attempts: 1 },
  );
  const bytes = raw.received().subarray(before);
  assert.equal(bytes[0], 0x16, "a TLS handshake begins with its record type");
  assert.ok(!bytes.includes(BASIC) && !bytes.includes("Authorization"));
});

describe("what a fetch of the caller's own is given", () => {
  test("a URL and an init that say all of the request, and nothing more", async () => {
    const calls = [];
    async function ownFetch(...args) {
      calls.push({ receiver: this, args });
      return new Response(PAGE[200]);
    }
    await authenticate({ ...credentials, baseUrl: "https://h.example/p/", fetch: ownFetch });
    assert.equal(calls.length, 1);
    const [{ receiver, args }] = calls;
    assert.equal(receiver, undefined, "a platform's fetch refuses any other receiver than its global");
    assert.equal(args.length, 2);
    const [url, init] = args;
    assert.equal(url, "https://h.example/p/v1/auth");
    assert.equal(init.method, "POST");
    assert.equal(init.redirect, "manual");
    assert.equal(init.credentials, "omit");
    assert.equal(init.cache, "no-store");
    assert.ok(init.signal instanceof AbortSignal);
    assert.ok(!("body" in init) || init.body == null);
    assert.deepEqual([...new Headers(init.headers)].sort(), [
      ["authorization", `Basic ${BASIC}`],
      ["x-environment", "Production"],
    ]);
    assert.deepEqual(Object.keys(init).sort(), ["cache", "credentials", "headers", "method", "redirect", "signal"]);
    // It makes a Request of any kind.
    assert.equal(new Request(url, init).headers.get("content-type"), null);
  });

  test("each attempt gets an init and a signal of its own", async () => {
    const inits = [];
    await authenticate({
      ...credentials,
      fetch: async (_, init) => {
        inits.push(init);
        return inits.length < 3 ? new Response("", { status: 503 }) : new Response(PAGE[200]);
      },
    });
    assert.equal(inits.length, 3);
    assert.equal(new Set(inits).size, 3);
    assert.equal(new Set(inits.map(({ signal }) => signal)).size, 3);
    assert.equal(new Set(inits.map(({ headers }) => new Headers(headers).get("authorization"))).size, 1);
  });

  test("its signal ends a request whose reply is not read to the end, and no other", async () => {
    const signals = [];
    const run = (respond) => authenticate({ ...credentials, maxRetries: 0, fetch: async (_, { signal }) => (signals.push(signal), respond()) }).catch(() => {});
    const reader = (result) => ({ status: 503, headers: new Headers(), body: { getReader: () => ({ read: async () => result }) } });
    await run(() => reader({ done: false, value: "no bytes" }));
    await run(() => reader({ done: false, value: new Uint8Array(70_000) }));
    await run(() => ({ status: 302, headers: new Headers() }));
    assert.deepEqual(signals.splice(0).map(({ aborted }) => aborted), [true, true, true]);
    await run(() => new Response(PAGE[200]));
    assert.deepEqual(signals.map(({ aborted }) => aborted), [false]);
  });

  test("without one, it is the global fetch of the moment of the call", async () => {
    const original = globalThis.fetch;
    let calls = 0;
    globalThis.fetch = async () => {
      calls += 1;
      return new Response(PAGE[200]);
    };
    try {
      await authenticate(credentials);
      await authenticate({ ...credentials, fetch: undefined });
    } finally {
      globalThis.fetch = original;
    }
    assert.equal(calls, 2);
  });

  for (const [member, seen] of [
    ["cache", ["credentials", "headers", "method", "redirect", "signal"]],
    // workerd before February 2025 refuses a request that has it.
    ["credentials", ["cache", "headers", "method", "redirect", "signal"]],
  ]) {
    test(`\`${member}\` is left out where the platform does not have it`, async () => {
      const { result, stderr } = await inChild(async (name) => {
        delete Request.prototype[name];
        const { authenticate } = await import("digitalpaye-auth");
        let keys;
        await authenticate({
          apiKey: "k", apiSecret: "s", maxRetries: 0,
          fetch: async (_, init) => { keys = Object.keys(init); throw new Error("seen"); },
        }).catch(() => {});
        return keys;
      }, member);
      assert.deepEqual(result?.sort(), seen, stderr);
    });
  }
});

test("options are read once, when the call is made", async () => {
  const reads = {};
  const values = { ...credentials, baseUrl: raw.url, environment: "Sandbox", timeout: 10_000, maxRetries: 1, fetch: undefined };
  const options = {};
  for (const name of Object.keys(values)) {
    Object.defineProperty(options, name, {
      enumerable: true,
      get() {
        reads[name] = (reads[name] ?? 0) + 1;
        return values[name];
      },
    });
  }
  raw.reset(reply(503), reply(200, PAGE[200]));
  const call = authenticate(options);
  const atOnce = { ...reads };
  Object.assign(values, { apiKey: "other", apiSecret: "other", baseUrl: "http://127.0.0.1:1", environment: "Other", maxRetries: 0 });
  assert.deepEqual(await call, PAGE_TOKEN);
  assert.deepEqual(atOnce, Object.fromEntries(Object.keys(values).map((name) => [name, 1])));
  assert.deepEqual(reads, atOnce);
  for (const request of raw.requests) {
    assert.deepEqual(request.values("authorization"), [`Basic ${BASIC}`]);
    assert.deepEqual(request.values("x-environment"), ["Sandbox"]);
  }
  assert.equal(raw.requests.length, 2);
});
