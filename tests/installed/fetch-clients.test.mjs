// auth.fetch handed to other clients, and a client of ours behind the proxies of state libraries.
import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { after, before, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import load from "../fetch-clients/import.mjs";
import { importInstalled } from "../lib/install.mjs";
import { installOnce } from "../lib/projects.mjs";
import { credentials, startTokens } from "../lib/tokens.mjs";

const folder = fileURLToPath(new URL("../fetch-clients", import.meta.url));

let DigitalpayeAuth, api, auth;

before(async () => {
  ({ DigitalpayeAuth } = await importInstalled());
  await installOnce(folder);
  api = await startTokens();
});
after(() => api.stop());
beforeEach(() => {
  api.requests.length = 0;
  auth = new DigitalpayeAuth({ ...credentials, baseUrl: api.url, maxRetries: 0 });
});

/** How each takes a fetch, and sends one POST of `{ amount: 100 }` with it. */
const clients = {
  ky: async ({ fetch }, url) => {
    const { default: ky } = await load("ky");
    return ky.create({ fetch, prefixUrl: url }).post("v1/pay", { json: { amount: 100 } }).json();
  },
  ofetch: async ({ fetch }, url) => {
    const { createFetch } = await load("ofetch");
    return createFetch({ fetch })(`${url}/v1/pay`, { method: "POST", body: { amount: 100 } });
  },
  "openapi-fetch": async ({ fetch }, url) => {
    const { default: createClient } = await load("openapi-fetch");
    return (await createClient({ baseUrl: url, fetch }).POST("/v1/pay", { body: { amount: 100 } })).data;
  },
  axios: async ({ fetch }, url) => {
    const { default: axios } = await load("axios");
    const { data } = await axios.create({ adapter: "fetch", env: { fetch, Request, Response } }).post(`${url}/v1/pay`, { amount: 100 });
    return data;
  },
  wretch: async ({ fetch }, url) => {
    const { default: wretch } = await load("wretch");
    return wretch(url).polyfills({ fetch }).url("/v1/pay").post({ amount: 100 }).json();
  },
};

for (const [name, send] of Object.entries(clients)) {
  for (const first of [200, 401]) {
    test(`${name} with fetch: auth.fetch, first answer ${first}`, async () => {
      if (first === 401) api.revoked.add((await auth.getToken()).token);
      const got = await send(auth, api.url);
      assert.equal(got.url, "/v1/pay");
      assert.equal(got.method, "POST");
      assert.deepEqual(JSON.parse(got.text), { amount: 100 });
      assert.match(got.headers["content-type"], /^application\/json/);
      assert.equal(got.headers.authorization, `Bearer ${(await auth.getToken()).token}`);
      assert.equal(got.headers["content-length"], "14");
      assert.equal(api.requests.length, first === 401 ? 2 : 1);
    });
  }
}

test("graphql-request with fetch: auth.fetch", async () => {
  const { GraphQLClient } = await load("graphql-request");
  api.resource = (request, response) => response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify({ data: { balance: 1 } }));
  try {
    assert.deepEqual(await new GraphQLClient(`${api.url}/graphql`, { fetch: auth.fetch }).request("{ balance }"), { balance: 1 });
  } finally {
    api.resource = (request, response) => api.echo(request, response);
  }
  assert.match(api.requests[0].headers.authorization, /^Bearer /);
});

describe("behind a proxy", () => {
  const wrap = {
    "Vue's ref": async (value) => (await load("@vue/reactivity")).ref(value).value,
    "Vue's reactive": async (value) => (await load("@vue/reactivity")).reactive({ value }).value,
    "valtio": async (value) => (await load("valtio/vanilla")).proxy({ value }).value,
    "a Proxy": (value) => new Proxy(value, {}),
    "Object.create": (value) => Object.create(value),
  };
  for (const [name, make] of Object.entries(wrap)) {
    test(`${name}: every method works`, async () => {
      const wrapped = await make(auth);
      const { token } = await wrapped.getToken();
      assert.equal((await wrapped.fetch("/x")).status, 200);
      wrapped.invalidate(token);
      assert.notEqual((await wrapped.getToken()).token, token);
      wrapped[Symbol.dispose ?? Symbol.for("Symbol.dispose")]();
      await assert.rejects(auth.getToken(), { option: "apiSecret" });
    });
  }
});

describe("options.fetch of another making", () => {
  const makings = {
    undici: async () => (await load("undici")).fetch,
    "node-fetch": async () => (await load("node-fetch")).default,
  };
  const inputs = {
    "URL and init": (url) => [url, { method: "POST", body: "amount=100", headers: { "X-Key": "k1" } }],
    "a Request": (url) => [new Request(url, { method: "POST", body: "amount=100", headers: { "X-Key": "k1" } })],
    "a Request and init": (url) => [new Request(url, { method: "POST" }), { body: "amount=100", headers: { "X-Key": "k1" } }],
  };
  for (const [name, make] of Object.entries(makings)) {
    for (const [form, args] of Object.entries(inputs)) {
      for (const first of [200, 401]) {
        test(`${name}: ${form}, first answer ${first}`, async () => {
          const own = new DigitalpayeAuth({ ...credentials, baseUrl: api.url, maxRetries: 0, fetch: await make() });
          if (first === 401) api.revoked.add((await own.getToken()).token);
          const got = await (await own.fetch(...args(`${api.url}/v1/pay`))).json();
          assert.equal(got.text, "amount=100");
          assert.equal(got.headers["x-key"], "k1");
          assert.equal(got.headers["content-length"], "10");
          assert.equal(got.headers["transfer-encoding"], undefined);
          assert.equal(api.requests.length, first === 401 ? 2 : 1);
        });
      }
    }
  }

  test("undici's own Request", async () => {
    const { fetch, Request } = await load("undici");
    const own = new DigitalpayeAuth({ ...credentials, baseUrl: api.url, maxRetries: 0, fetch });
    const request = new Request(`${api.url}/v1/pay`, { method: "POST", body: "amount=100", headers: { "X-Key": "k1" } });
    const got = await (await own.fetch(request)).json();
    assert.deepEqual([got.method, got.text, got.headers["x-key"]], ["POST", "amount=100", "k1"]);
  });

  test("node-fetch's own Request", async () => {
    const { default: fetch, Request } = await load("node-fetch");
    const own = new DigitalpayeAuth({ ...credentials, baseUrl: api.url, maxRetries: 0, fetch });
    const request = new Request(`${api.url}/v1/pay`, { method: "PUT", body: "amount=100", headers: { "X-Key": "k1" } });
    const got = await (await own.fetch(request)).json();
    assert.deepEqual([got.method, got.text, got.headers["x-key"]], ["PUT", "amount=100", "k1"]);
  });

  // The platform knows none of them: its Request makes text of a form, "[object FormData]", and a web stream of one of Node.js.
  const bodies = {
    "a form of undici, by undici": async () => {
      const { fetch, FormData } = await load("undici");
      const body = new FormData();
      body.append("amount", "100");
      return { fetch, body, changed: () => body.append("amount", "200") };
    },
    "a form of node-fetch, by node-fetch": async () => {
      const { default: fetch, FormData, File } = await load("node-fetch");
      const body = new FormData();
      body.append("amount", "100");
      body.append("proof", new File(["bytes"], "proof.txt"));
      return { fetch, body, changed: () => body.append("amount", "200") };
    },
    "a Blob of node-fetch, by node-fetch": async () => {
      const { default: fetch, Blob } = await load("node-fetch");
      return { fetch, body: new Blob(["bytes"], { type: "text/x" }) };
    },
    "a stream of Node.js, by node-fetch": async () => ({ fetch: (await load("node-fetch")).default, body: Readable.from([Buffer.from("bytes")]), isOnce: true }),
  };
  for (const [name, make] of Object.entries(bodies)) {
    const boundary = /-{4,}[\w-]+/g;
    const seen = ({ text, headers }) => [text.replace(boundary, "B"), headers["content-type"]?.replace(boundary, "B"), headers["transfer-encoding"]];
    for (const first of [200, 401]) {
      test(`${name}, first answer ${first}`, async () => {
        const plain = await make();
        const expected = await (await plain.fetch(`${api.url}/v1/pay`, { method: "POST", body: plain.body })).json();
        api.requests.length = 0;
        const { fetch, body, changed, isOnce } = await make();
        const own = new DigitalpayeAuth({ ...credentials, baseUrl: api.url, maxRetries: 0, fetch });
        if (first === 401) api.revoked.add((await own.getToken()).token);
        const call = own.fetch("v1/pay", { method: "POST", body });
        changed?.();
        const response = await call;
        const again = first === 401 && !isOnce;
        assert.equal(response.status, first === 401 && isOnce ? 401 : 200);
        assert.equal(api.requests.length, again ? 2 : 1);
        for (const request of api.requests) assert.deepEqual(seen(request), seen(expected));
      });
    }
  }

  test("a stream of Node.js is destroyed when there is no token to send it with", async () => {
    const body = Readable.from([Buffer.from("bytes")]);
    const own = new DigitalpayeAuth({ ...credentials, baseUrl: api.url, maxRetries: 0, fetch: async () => Promise.reject(new Error("no network")) });
    await assert.rejects(own.fetch("v1/pay", { method: "POST", body }), { code: "network" });
    assert.ok(body.destroyed);
  });
});
