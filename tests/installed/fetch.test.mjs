// DigitalpayeAuth.fetch: the platform's fetch, with a token, for one origin.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { api, apiPerTest, auth, client } from "../lib/client.mjs";
import { importInstalled } from "../lib/install.mjs";
import { startServer } from "../lib/server.mjs";
import { sleep, track } from "../lib/tokens.mjs";

const { AuthError, DigitalpayeAuth, InvalidOptionsError } = await importInstalled();
apiPerTest();

const received = async (response) => {
  assert.equal(response.status, 200);
  return response.json();
};

describe("input", () => {
  const forms = {
    "a path": () => "/v1/balance",
    "a path without a slash": () => "v1/balance",
    "a path with dots": () => "./v1/x/../balance",
    "an absolute URL": (url) => `${url}/v1/balance`,
    "an absolute URL in capitals": (url) => `${url.replace("http", "HTTP")}/v1/balance`,
    "a scheme-relative URL of the same origin": (url) => `${url.slice("http:".length)}/v1/balance`,
    "a URL object": (url) => new URL("/v1/balance", url),
    "a Request": (url) => new Request(`${url}/v1/balance`),
    "an object with toString": (url) => ({ toString: () => `${url}/v1/balance` }),
  };
  for (const [name, input] of Object.entries(forms)) {
    test(`${name} arrives at its place`, async () => {
      const got = await received(await auth.fetch(input(api.url)));
      assert.equal(got.url, "/v1/balance");
      assert.equal(got.method, "GET");
      assert.equal(got.headers.authorization, `Bearer ${api.tokens[0]}`);
      assert.equal(got.headers["x-environment"], "Production");
    });
  }

  test("relative input resolves against baseUrl taken as a folder", async () => {
    for (const baseUrl of [`${api.url}/api/v2`, `${api.url}/api/v2/`, new URL(`${api.url}/api/v2`)]) {
      const auth = client({ baseUrl });
      const at = async (input) => (await received(await auth.fetch(input))).url;
      assert.equal(await at("balance"), "/api/v2/balance");
      assert.equal(await at("a/b?c=d"), "/api/v2/a/b?c=d");
      assert.equal(await at("../v1/x"), "/api/v1/x");
      assert.equal(await at("/x"), "/x");
      assert.equal(await at(""), "/api/v2/");
      assert.equal(await at("?page=2"), "/api/v2/?page=2");
    }
  });

  test("a fragment is not sent", async () => {
    assert.equal((await received(await auth.fetch("/x?a=1#part"))).url, "/x?a=1");
  });

  describe("of another origin is refused before anything is sent", () => {
    const others = {
      "another host": () => "https://evil.example/v1/balance",
      "another scheme": (url) => `${url.replace("http:", "https:")}/v1/balance`,
      "another port": (url) => `http://127.0.0.1:${Number(new URL(url).port) === 65_535 ? 1 : Number(new URL(url).port) + 1}/`,
      "no port": () => "http://127.0.0.1/",
      "another name of the same machine": (url) => url.replace("127.0.0.1", "localhost"),
      "scheme-relative": () => "//evil.example/x",
      "scheme-relative with backslashes": () => "\\\\evil.example\\x",
      "scheme-relative with a tab and a newline in it": () => "/\t/evil.example\n/x",
      "three slashes": () => "///evil.example/x",
      "a scheme without slashes": () => "https:evil.example/x",
      "leading spaces": () => "  https://evil.example/x",
      "our origin as user info": (url) => `http://${new URL(url).host}@evil.example/`,
      "our host as a prefix": (url) => `http://${new URL(url).hostname}.evil.example:${new URL(url).port}/`,
      data: () => "data:text/plain,x",
      file: () => "file:///etc/hosts",
      javascript: () => "javascript:1",
      "a URL object": () => new URL("https://evil.example/x"),
      "a Request": () => new Request("https://evil.example/x"),
      "a Request that says it is something else": () => {
        const request = new Request("https://evil.example/x");
        Object.defineProperty(request, "toString", { value: () => "/v1/balance" });
        return request;
      },
    };
    for (const [name, input] of Object.entries(others)) {
      test(name, async () => {
        let sent = 0;
        const auth = client({
          fetch: (...args) => {
            sent += 1;
            return fetch(...args);
          },
        });
        const refusal = await auth.fetch(input(api.url), { method: "POST", body: "x" }).catch((error) => error);
        assert.ok(refusal instanceof InvalidOptionsError, `${refusal}`);
        assert.equal(refusal.option, "input");
        assert.equal(refusal.attempts, 0);
        await sleep(10);
        assert.equal(sent + api.count + api.requests.length, 0);
      });
    }

    test("also when a token is held", async () => {
      await auth.getToken();
      await assert.rejects(auth.fetch("//evil.example"), InvalidOptionsError);
    });

    test("an object that says our origin once and another the next time is asked once", async () => {
      let asked = 0;
      const input = { toString: () => ((asked += 1) === 1 ? `${api.url}/x` : "https://evil.example/") };
      assert.equal((await received(await auth.fetch(input))).url, "/x");
      assert.equal(asked, 1);
    });
  });

  test("that is no URL, or missing, rejects as the platform does", async () => {
    await assert.rejects(auth.fetch("http://["), TypeError);
    await assert.rejects(auth.fetch(), TypeError);
    await assert.rejects(auth.fetch(Symbol("x")), TypeError);
    assert.equal(api.requests.length, 0);
  });

  test("never throws, not even without its client", async () => {
    let promise;
    assert.doesNotThrow(() => (promise = Reflect.apply(DigitalpayeAuth.prototype.fetch, undefined, ["/x"])));
    await assert.rejects(promise, TypeError);
  });
});

test("a Request with a body is used up by the call, as the platform's fetch does: it is not sent by two calls", async () => {
  for (const revoked of [false, true]) {
    if (revoked) api.revoked.add((await auth.getToken()).token);
    const request = new Request(`${api.url}/pay`, { method: "POST", body: "x" });
    const first = auth.fetch(request);
    await received(await first);
    assert.equal(request.bodyUsed, true);
    const sent = api.requests.length;
    await assert.rejects(auth.fetch(request), (error) => error instanceof TypeError && !AuthError.is(error));
    assert.equal(api.requests.length, sent);
  }
});

describe("headers", () => {
  const own = { Authorization: "Basic mine", "X-Request-Id": "42", Accept: "text/csv" };
  const forms = {
    "an object": () => ({ headers: own }),
    "an array": () => ({ headers: Object.entries(own) }),
    Headers: () => ({ headers: new Headers(own) }),
    "a Map, which is iterable": () => ({ headers: new Map(Object.entries(own)) }),
    "other cases": () => ({ headers: { AUTHORIZATION: "Basic mine", "x-request-id": "42", ACCEPT: "text/csv" } }),
  };
  for (const [name, init] of Object.entries(forms)) {
    test(`as ${name} are kept, Authorization is ours`, async () => {
      for (const input of ["/x", new Request(`${api.url}/x`, { headers: { "X-Lost": "1" } })]) {
        const { headers } = await received(await auth.fetch(input, init()));
        assert.equal(headers.authorization, `Bearer ${api.tokens[0]}`);
        assert.equal(headers["x-request-id"], "42");
        assert.equal(headers.accept, "text/csv");
        assert.equal(headers["x-lost"], undefined, "init's headers replace a Request's, as in the platform");
      }
    });
  }

  test("of a Request are kept", async () => {
    const { headers } = await received(await auth.fetch(new Request(`${api.url}/x`, { headers: own })));
    assert.equal(headers.authorization, `Bearer ${api.tokens[0]}`);
    assert.equal(headers["x-request-id"], "42");
    const other = await received(await auth.fetch(new Request(`${api.url}/x`, { headers: own }), { method: "PUT" }));
    assert.equal(other.headers["x-request-id"], "42");
    assert.equal(other.method, "PUT");
  });

  test("X-Environment is the client's, unless the caller set it", async () => {
    const auth = client({ environment: "Sandbox" });
    const environment = async (...args) => (await received(await auth.fetch(...args))).headers["x-environment"];
    assert.equal(await environment("/x"), "Sandbox");
    assert.equal(await environment("/x", { headers: { "x-environment": "Production" } }), "Production");
    assert.equal(await environment("/x", { headers: [["X-ENVIRONMENT", "Other"]] }), "Other");
    assert.equal(await environment(new Request(`${api.url}/x`, { headers: { "X-Environment": "Mine" } })), "Mine");
    assert.equal(await environment(new Request(`${api.url}/x`)), "Sandbox");
  });

  test("the caller's objects are left as they were", async () => {
    const headers = new Headers({ a: "1" });
    const init = Object.freeze({ method: "POST", headers, body: "x" });
    const request = new Request(`${api.url}/x`, { headers: { b: "2" } });
    await received(await auth.fetch("/x", init));
    await received(await auth.fetch(request));
    assert.deepEqual([...headers], [["a", "1"]]);
    assert.deepEqual([...request.headers], [["b", "2"]]);
  });

  test("that are invalid reject as the platform does", async () => {
    await assert.rejects(auth.fetch("/x", { headers: { "no good": "1" } }), TypeError);
    assert.equal(api.requests.length, 0);
  });
});

describe("init", () => {
  test("is read as the platform reads it: what is inherited counts", async () => {
    const got = await received(await auth.fetch("/x", Object.create({ method: "PUT", body: "inherited", headers: { a: "1" } })));
    assert.equal(got.method, "PUT");
    assert.equal(got.text, "inherited");
    assert.equal(got.headers.a, "1");
  });

  test("may be a Request", async () => {
    const init = new Request(`${api.url}/elsewhere`, { method: "POST", body: "hello", headers: { a: "1" } });
    const got = await received(await auth.fetch("/x", init));
    assert.equal(got.method, "POST");
    assert.equal(got.url, "/x");
    assert.equal(got.text, "hello");
    assert.equal(got.headers.a, "1");
  });

  test("may have getters, also those of a class", async () => {
    class Init {
      get method() {
        return "DELETE";
      }
    }
    assert.equal((await received(await auth.fetch("/x", new Init()))).method, "DELETE");
    assert.equal((await received(await auth.fetch("/x", { get method() { return "PATCH"; } }))).method, "PATCH");
  });

  test("null and undefined are none", async () => {
    for (const init of [null, undefined]) await received(await auth.fetch("/x", init));
  });

  test("without a cause to: nothing else is changed on the wire", async () => {
    const plain = {};
    api.resource = (request, response) => {
      plain[request.url] = { headers: request.rawHeaders, method: request.method, text: request.text };
      response.end("{}");
    };
    const init = () => ({ method: "POST", body: JSON.stringify({ a: 1 }), headers: { "Content-Type": "application/json" } });
    await (await auth.fetch("/x", init())).text();
    const headers = { ...init().headers, Authorization: `Bearer ${api.tokens[0]}`, "X-Environment": "Production" };
    await (await fetch(`${api.url}/y`, { ...init(), headers })).text();
    const sorted = ({ headers, ...rest }) => ({
      ...rest,
      headers: headers.map((text, index) => (index % 2 ? text : text.toLowerCase())).reduce(
        (pairs, text, index) => (index % 2 ? [...pairs.slice(0, -1), `${pairs.at(-1)}: ${text}`] : [...pairs, text]), [],
      ).sort(),
    });
    assert.deepEqual(sorted(plain["/x"]), sorted(plain["/y"]));
  });
});

describe("what is the platform's own", () => {
  test("a network failure is its TypeError, not an AuthError", async () => {
    api.resource = (request) => request.socket.destroy();
    const error = await auth.fetch("/x").catch((error) => error);
    assert.ok(error instanceof TypeError);
    assert.equal(AuthError.is(error), false);
    assert.ok(!(error instanceof AuthError));
  });

  test("redirects are followed, or not, as init says", async () => {
    api.resource = (request, response) =>
      request.url === "/from" ? response.writeHead(302, { Location: "/to" }).end() : api.echo(request, response);
    const response = await auth.fetch("/from");
    assert.equal(response.redirected, true);
    assert.equal((await received(response)).headers.authorization, `Bearer ${api.tokens[0]}`);
    assert.equal((await auth.fetch("/from", { redirect: "manual" })).status, 302);
    await assert.rejects(auth.fetch("/from", { redirect: "error" }), (error) => error instanceof TypeError && !AuthError.is(error));
  });

  test("a redirect to another origin goes without the token", async () => {
    let seen;
    const other = await startServer((request, response) => {
      seen = request.headers;
      response.end("other");
    });
    try {
      api.resource = (request, response) =>
        response.writeHead(307, { Location: `${other.url}/` }).end();
      assert.equal(await (await auth.fetch("/from")).text(), "other");
      assert.equal(seen.authorization, undefined);
    } finally {
      await other.stop();
    }
  });

  test("a Response of the platform's, with its stream", async () => {
    const response = await auth.fetch("/x");
    assert.ok(response instanceof Response);
    assert.equal(response.bodyUsed, false);
    assert.ok(response.body instanceof ReadableStream);
    await response.text();
  });
});

describe("options.fetch", () => {
  test("is used for the exchange and for the request, called as a plain function", async () => {
    const calls = [];
    const auth = client({
      fetch: function (...args) {
        calls.push([this, ...args]);
        return fetch(...args);
      },
    });
    await received(await auth.fetch("/x", { method: "POST", body: "b" }));
    assert.equal(calls.length, 2);
    assert.ok(calls.every(([receiver]) => receiver === undefined));
    assert.equal(String(calls[0][1]), `${api.url}/v1/auth`);
    assert.equal(String(calls[1][1].url ?? calls[1][1]), `${api.url}/x`);
  });

  test("what it throws or rejects with is the caller's, unchanged", async () => {
    const mine = { mine: true };
    const auth = client({
      fetch: (url, init) => {
        if (String(url).endsWith("/v1/auth")) return fetch(url, init);
        throw mine;
      },
    });
    await assert.rejects(auth.fetch("/x"), (error) => error === mine);
  });

  test("without it, the global fetch of the moment of the call is used", async () => {
    const native = globalThis.fetch;
    const seen = [];
    globalThis.fetch = (...args) => {
      seen.push(String(args[0].url ?? args[0]));
      return native(...args);
    };
    try {
      await received(await auth.fetch("/x"));
    } finally {
      globalThis.fetch = native;
    }
    assert.deepEqual(seen, [`${api.url}/v1/auth`, `${api.url}/x`]);
  });
});

test("1,000 parallel requests of a cold client make 1 exchange", async () => {
  const calls = Array.from({ length: 1_000 }, () => track(auth.fetch("/x").then((response) => response.text())));
  await Promise.all(calls.map(({ settled }) => settled));
  assert.ok(calls.every(({ state }) => state === "resolved"));
  assert.equal(api.count, 1);
  assert.equal(api.requests.length, 1_000);
});
