// DigitalpayeAuth.fetch: what comes back. A 401 is tried again with a new token; all else is the caller's business.
import assert from "node:assert/strict";
import { once } from "node:events";
import { beforeEach, describe, test } from "node:test";
import { inChild } from "../lib/child.mjs";
import { api, apiPerTest, auth } from "../lib/client.mjs";
import { importInstalled } from "../lib/install.mjs";
import { credentials, sleep } from "../lib/tokens.mjs";

const { AuthError, UnauthorizedError, NetworkError } = await importInstalled();
apiPerTest();

const received = async (response) => {
  assert.equal(response.status, 200);
  return response.json();
};

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
      // Whoever has the Request has its signal.
      const kept = [];
      const keep = (request) => kept[kept.push(request) - 1];
      Object.assign(forms, {
        "a Request that is kept": (to, signal) => [keep(new Request(to, { signal }))],
        "a Request that is kept, with an init": (to, signal) => [keep(new Request(to, { signal })), { headers: { a: "b" } }],
      });
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

  test("that all calls share gets no more listeners than by the platform's fetch", async () => {
    const { result } = await inChild(async ({ credentials }) => {
      const { once } = await import("node:events");
      const { createServer } = await import("node:http");
      const { DigitalpayeAuth } = await import("digitalpaye-auth");
      const server = createServer((request, response) => response.end()).listen(0, "127.0.0.1");
      await once(server, "listening");
      const baseUrl = `http://127.0.0.1:${server.address().port}`;
      const token = { token: "token", exp: Math.floor(Date.now() / 1_000) + 600 };
      const auth = (fetch) => new DigitalpayeAuth({ ...credentials, baseUrl, fetch, store: { get: async () => token, set: async () => {} } });
      const forms = {
        init: (signal) => [`${baseUrl}/x`, { signal }],
        "init with a body": (signal) => [`${baseUrl}/x`, { signal, method: "POST", body: "text" }],
        "init over a Request": (signal) => [new Request(`${baseUrl}/x`), { signal }],
        "a Request": (signal) => [new Request(`${baseUrl}/x`, { signal })],
      };
      const count = async (send, form) => {
        const { signal } = new AbortController();
        // Those that were added: how many of them are left is a matter of when garbage is collected.
        let added = 0;
        signal.addEventListener = (...args) => EventTarget.prototype.addEventListener.apply(signal, args, added += 1);
        await (await send(`${baseUrl}/x`)).text();
        for (let call = 0; call < 20; call += 1) await (await send(...form(signal))).text();
        return added;
      };
      const more = [];
      for (const [name, form] of Object.entries(forms)) {
        const plain = await count(fetch, form);
        for (const send of [auth().fetch, auth((...args) => fetch(...args)).fetch]) {
          const ours = await count(send, form);
          if (ours > plain) more.push(`${name}: ${ours} for ${plain}`);
        }
      }
      server.closeAllConnections();
      server.close();
      return more;
    }, { credentials });
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

describe("without a token", () => {
  test("it rejects with the AuthError, and sends nothing", async () => {
    api.answer = (exchange) => exchange.fail(401);
    await assert.rejects(auth.fetch("/x", { method: "POST", body: "x" }), UnauthorizedError);
    api.answer = (exchange) => exchange.reset();
    await assert.rejects(auth.fetch("/x"), NetworkError);
    assert.equal(api.requests.length, 0);
  });
});
