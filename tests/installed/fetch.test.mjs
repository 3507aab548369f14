// DigitalpayeAuth.fetch: the platform's fetch, with a token, for one origin.
import assert from "node:assert/strict";
import { once } from "node:events";
import { beforeEach, describe, test } from "node:test";
import { inChild } from "../lib/child.mjs";
import { api, apiPerTest, auth, client } from "../lib/client.mjs";
import { importInstalled } from "../lib/install.mjs";
import { startServer } from "../lib/server.mjs";
import { credentials, sleep, track } from "../lib/tokens.mjs";

const { AuthError, DigitalpayeAuth, InvalidOptionsError, UnauthorizedError, NetworkError } = await importInstalled();
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

describe("after a 401", () => {
  beforeEach(async () => {
    api.revoked.add((await auth.getToken()).token);
  });

  const bytes = new TextEncoder().encode("a body ü");
  const bodies = {
    none: () => undefined,
    null: () => null,
    "a string": () => "a body ü",
    "an empty string": () => "",
    "a Uint8Array": () => bytes,
    "a DataView": () => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    "an ArrayBuffer": () => bytes.slice().buffer,
    "a Buffer": () => Buffer.from("a body ü"),
    URLSearchParams: () => new URLSearchParams({ a: "b ü" }),
    "a Blob": () => new Blob(["a body ü"], { type: "text/x" }),
    "a File": () => new (globalThis.File ?? Blob)(["a body ü"], "name.txt", { type: "text/x" }),
    FormData: () => {
      const form = new FormData();
      form.append("field", "value ü");
      form.append("file", new Blob(["content"]), "name.txt");
      return form;
    },
  };
  const checkReplay = (expected) => {
    assert.equal(api.requests.length, 2);
    const [first, second] = api.requests.map(({ method, url, text, headers }) => ({
      method,
      url,
      // The boundary of a form is drawn anew for every request.
      text: text.replaceAll(/-*formdata-[\w-]+/g, "boundary"),
      type: headers["content-type"]?.replace(/boundary=.*/, "boundary"),
      own: headers["x-own"],
    }));
    assert.deepEqual(second, first);
    assert.deepEqual({ method: second.method, url: second.url, own: second.own }, expected);
    assert.deepEqual(
      api.requests.map(({ headers }) => headers.authorization),
      api.tokens.map((token) => `Bearer ${token}`),
    );
    assert.equal(api.count, 2);
  };

  for (const [name, body] of Object.entries(bodies)) {
    test(`body ${name}: sent again with a new token`, async () => {
      const method = body() == null ? "DELETE" : "POST";
      const response = await auth.fetch("/pay", { method, body: body(), headers: { "X-Own": "1" } });
      const got = await received(response);
      checkReplay({ method, url: "/pay", own: "1" });
      if (typeof body() === "string") assert.equal(got.text, body());
      assert.equal((await auth.getToken()).token, api.tokens[1]);
    });

    test(`a Request with body ${name}: sent again with a new token`, async () => {
      const method = body() == null ? "DELETE" : "POST";
      const request = new Request(`${api.url}/pay`, { method, body: body(), headers: { "X-Own": "1" } });
      await received(await auth.fetch(request));
      checkReplay({ method, url: "/pay", own: "1" });
    });
  }

  test("a Request with a body and another in init: init's is sent, twice", async () => {
    const request = new Request(`${api.url}/pay`, { method: "POST", body: "of the Request", headers: { "X-Own": "1" } });
    assert.equal((await received(await auth.fetch(request, { body: "of init" }))).text, "of init");
    checkReplay({ method: "POST", url: "/pay", own: "1" });
  });

  const stream = () => new Blob(["a body"]).stream();
  test("a stream cannot be sent again: the 401 is returned as it is, the token invalidated", async () => {
    const response = await auth.fetch("/pay", { method: "POST", body: stream(), duplex: "half" });
    assert.equal(response.status, 401);
    assert.equal((await response.json()).text, "a body");
    assert.equal(api.requests.length, 1);
    assert.equal(api.count, 1);
    assert.equal((await auth.getToken()).token, api.tokens[1]);
  });

  test("nor can an async iterable", async () => {
    async function* parts() {
      yield Buffer.from("a ");
      yield Buffer.from("body");
    }
    const response = await auth.fetch("/pay", { method: "POST", body: parts(), duplex: "half" });
    assert.equal(response.status, 401);
    assert.equal((await response.json()).text, "a body");
    assert.equal(api.requests.length, 1);
  });

  test("nor a Request given as init: its body is a stream by then", async () => {
    const init = new Request(`${api.url}/x`, { method: "POST", body: "a body" });
    const response = await auth.fetch("/pay", init);
    assert.ok([200, 401].includes(response.status));
    assert.ok(api.requests.every(({ text, method }) => text === "a body" && method === "POST"));
    await response.text();
  });

  test("a Request not yet used whose body is a stream is sent again", async () => {
    const request = new Request(`${api.url}/pay`, { method: "POST", body: stream(), duplex: "half" });
    assert.equal((await received(await auth.fetch(request))).text, "a body");
    assert.equal(api.requests.length, 2);
  });

  test("a consumed Request is refused by the platform", async () => {
    const request = new Request(`${api.url}/pay`, { method: "POST", body: "x" });
    await request.text();
    await assert.rejects(auth.fetch(request), (error) => error instanceof TypeError && !AuthError.is(error));
    assert.equal(api.requests.length, 0);
  });

  test("a second one is returned, two requests and no more, and the token kept: it is not its fault", async () => {
    api.resource = (request, response) => response.writeHead(401, { "X-N": api.requests.length }).end("no");
    const response = await auth.fetch("/pay", { method: "POST", body: "x" });
    assert.equal(response.status, 401);
    assert.equal(response.headers.get("x-n"), "2");
    assert.equal(await response.text(), "no");
    assert.equal(api.requests.length, 2);
    assert.equal(api.count, 2);
    assert.equal((await auth.getToken()).token, api.tokens[1]);
    assert.equal(api.count, 2);
  });

  test("no token to be had: its AuthError", async () => {
    api.answer = (exchange) => exchange.fail(401);
    await assert.rejects(auth.fetch("/pay"), UnauthorizedError);
    assert.equal(api.requests.length, 1);
  });

  test("that comes for a token which is no longer held, the new one is used without an exchange", async () => {
    let release;
    api.resource = (request, response) => {
      if (api.requests.length === 1) release = () => api.echo(request, response);
      else api.echo(request, response);
    };
    const call = auth.fetch("/pay");
    while (!release) await sleep(5);
    auth.invalidate();
    const { token } = await auth.getToken();
    release();
    assert.equal((await received(await call)).headers.authorization, `Bearer ${token}`);
    assert.equal(api.count, 2);
  });

  test("the refused reply's connection is not left hanging: a body of any size is let go", async () => {
    let closed;
    api.resource = (request, response) => {
      if (api.requests.length > 1) return api.echo(request, response);
      closed = once(response, "close");
      response.writeHead(401);
      const more = () => {
        while (!response.destroyed && response.write("x".repeat(65_536)));
        if (!response.destroyed) response.once("drain", more);
      };
      more();
      return undefined;
    };
    await received(await auth.fetch("/pay"));
    await closed;
  });

  test("the second request keeps the caller's signal", async () => {
    const controller = new AbortController();
    api.resource = (request, response) => (api.requests.length === 1 ? api.echo(request, response) : undefined);
    const call = auth.fetch("/pay", { signal: controller.signal });
    while (api.requests.length < 2) await sleep(5);
    const reason = new Error("enough");
    controller.abort(reason);
    await assert.rejects(call, (error) => error === reason);
  });
});

describe("other statuses are the caller's business", () => {
  for (const status of [200, 204, 400, 403, 404, 429, 500, 503]) {
    test(`${status}: returned, one request, the token kept`, async () => {
      api.resource = (request, response) => response.writeHead(status).end();
      assert.equal((await auth.fetch("/x")).status, status);
      assert.equal(api.requests.length, 1);
      await auth.getToken();
      assert.equal(api.count, 1);
    });
  }
});

describe("the signal", () => {
  test("of init or of a Request ends the wait for the token, with its reason", async () => {
    api.answer = () => {};
    for (const call of [
      (signal) => auth.fetch("/x", { signal }),
      (signal) => auth.fetch(new Request(`${api.url}/x`, { signal })),
    ]) {
      const controller = new AbortController();
      const reason = new Error("enough");
      const promise = call(controller.signal);
      const n = api.count + 1;
      const exchange = await api.exchange(n);
      controller.abort(reason);
      await assert.rejects(promise, (error) => error === reason);
      assert.equal(await exchange.closed, true);
    }
    assert.equal(api.requests.length, 0);
  });

  test("of init or of a Request ends the request, with its reason", async () => {
    api.resource = () => {};
    for (const call of [
      (signal) => auth.fetch("/x", { signal }),
      (signal) => auth.fetch(new Request(`${api.url}/x`, { signal })),
    ]) {
      const controller = new AbortController();
      const reason = new Error("enough");
      const before = api.requests.length;
      const promise = call(controller.signal);
      while (api.requests.length === before) await sleep(5);
      controller.abort(reason);
      await assert.rejects(promise, (error) => error === reason);
    }
  });

  test("that has aborted already: nothing is sent", async () => {
    await assert.rejects(auth.fetch("/x", { signal: AbortSignal.abort("before") }), (reason) => reason === "before");
    assert.equal(api.count + api.requests.length, 0);
  });

  // Node's Request follows a signal only as long as it is not collected: what lies between the caller's signal and the request has to stay.
  test("is heard after a collection of garbage, by every form of call that the platform's fetch hears it by", async () => {
    const { result } = await inChild(async ({ url, credentials }) => {
      const { createServer } = await import("node:http");
      const { DigitalpayeAuth } = await import("digitalpaye-auth");
      const server = createServer((request, response) => {
        request.resume();
        if (request.url === "/body") response.write("the beginning");
      });
      await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
      const baseUrl = `http://127.0.0.1:${server.address().port}`;
      const token = { token: "token", exp: Math.floor(Date.now() / 1_000) + 600 };
      const auth = (fetch) => new DigitalpayeAuth({ ...credentials, baseUrl, fetch, store: { get: async () => token, set: async () => {} } });
      const stream = () => new Blob(["text"]).stream();
      const forms = {
        init: (to, signal) => [to, { signal }],
        "init with a body": (to, signal) => [to, { method: "POST", body: "text", signal }],
        "init with a stream": (to, signal) => [to, { method: "POST", body: stream(), duplex: "half", signal }],
        "init over a Request": (to, signal) => [new Request(to, { method: "POST", body: "text" }), { signal }],
        "init over a Request with a stream": (to, signal) => [new Request(to, { method: "POST", body: stream(), duplex: "half" }), { signal }],
      };
      const deaf = [];
      for (const [name, form] of Object.entries(forms)) {
        for (const path of ["/head", "/body"]) {
          for (const send of [fetch, auth().fetch, auth((...args) => fetch(...args)).fetch]) {
            const aborting = new AbortController();
            // In a frame of its own, so that nothing here holds the arguments.
            const call = new Function("send", "form", "to", "signal", "return send(...form(to, signal))");
            let answer = call(send, form, baseUrl + path, aborting.signal);
            if (path === "/body") answer = (await answer).text();
            const outcome = answer.then(() => "ended", (error) => error);
            for (let turn = 0; turn < 4; turn += 1) {
              gc();
              await new Promise((resolve) => setTimeout(resolve, 15));
            }
            aborting.abort("mine");
            const got = await Promise.race([outcome, new Promise((resolve) => setTimeout(resolve, 1_000, "nothing"))]);
            if (got !== "mine") deaf.push(`${send === fetch ? "the platform's" : "ours"}, ${name}, ${path}: ${got}`);
          }
        }
      }
      server.closeAllConnections();
      server.close();
      return deaf;
    }, { credentials }, { flags: ["--expose-gc"] });
    assert.deepEqual(result, []);
  });

  test("null in init is none, whatever the Request's", async () => {
    const request = new Request(`${api.url}/x`, { signal: AbortSignal.abort() });
    await received(await auth.fetch(request, { signal: null }));
  });

  test("that is none rejects as the platform does", async () => {
    await assert.rejects(auth.fetch("/x", { signal: {} }), TypeError);
    assert.equal(api.requests.length, 0);
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

describe("without a token", () => {
  test("it rejects with the AuthError, and sends nothing", async () => {
    api.answer = (exchange) => exchange.fail(401);
    await assert.rejects(auth.fetch("/x", { method: "POST", body: "x" }), UnauthorizedError);
    api.answer = (exchange) => exchange.reset();
    await assert.rejects(auth.fetch("/x"), NetworkError);
    assert.equal(api.requests.length, 0);
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

