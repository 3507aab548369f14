// What auth.fetch keeps of a body, and when it took it. The forms one by one are in tests/fetch-matrix.
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { must } from "../../scripts/lib/process.mjs";
import { engine } from "../conformance/lib/engines.mjs";
import { api, apiPerTest, auth } from "../lib/client.mjs";
import { installed } from "../lib/install.mjs";
import { until } from "../lib/tokens.mjs";

const MIB = 1_048_576;

apiPerTest();

describe("three payments sent one after another stay three", () => {
  const sends = {
    "a Headers and a URLSearchParams that are changed": () => {
      const headers = new Headers();
      const body = new URLSearchParams();
      return (n) => {
        headers.set("Idempotency-Key", `k${n}`);
        body.set("amount", `${n}00`);
        return ["/pay", { method: "POST", headers, body }];
      };
    },
    "one init": () => {
      const init = { method: "POST", headers: {} };
      return (n) => {
        init.headers["Idempotency-Key"] = `k${n}`;
        init.body = `amount=${n}00`;
        return ["/pay", init];
      };
    },
    "one buffer": () => {
      const body = new TextEncoder().encode("amount=000");
      return (n) => {
        body[7] = 48 + n;
        return ["/pay", { method: "POST", headers: [["Idempotency-Key", `k${n}`]], body }];
      };
    },
  };
  for (const [name, make] of Object.entries(sends)) {
    for (const first of ["cold", "held", "revoked"]) {
      test(`${name}, token ${first}`, async () => {
        if (first !== "cold") await auth.getToken();
        if (first === "revoked") api.revoked.add((await auth.getToken()).token);
        const next = make();
        const sent = [1, 2, 3].map((n) => auth.fetch(...next(n)));
        const got = await Promise.all((await Promise.all(sent)).map((response) => response.json()));
        assert.deepEqual(got.map(({ headers, text }) => `${headers["idempotency-key"]} ${text}`), ["k1 amount=100", "k2 amount=200", "k3 amount=300"]);
      });
    }
  }
});

describe("a Request's body is sent again", () => {
  const sizes = { "of a few bytes": [10, true], "of 1 MiB": [MIB, true], "of a byte more": [MIB + 1, false] };
  for (const [name, [size, isKept]] of Object.entries(sizes)) {
    test(`${name}: ${isKept ? "yes" : "no"}`, async () => {
      api.revoked.add((await auth.getToken()).token);
      const response = await auth.fetch(new Request(`${api.url}/pay`, { method: "POST", body: "x".repeat(size) }));
      const { text } = await response.json();
      assert.equal(response.status, isKept ? 200 : 401);
      assert.equal(text.length, size);
      assert.equal(api.requests.length, isKept ? 2 : 1);
    });
  }

  test("with its referrer policy, and everything else that it had", async () => {
    api.revoked.add((await auth.getToken()).token);
    const init = { method: "POST", body: "x", referrer: `${api.url}/from`, referrerPolicy: "origin", cache: "no-store", headers: { "X-Key": "k" } };
    await (await fetch(new Request(`${api.url}/plain`, init))).text();
    await (await auth.fetch(new Request(`${api.url}/ours`, init))).text();
    const [plain, first, second] = api.requests.map(({ headers: { authorization: _, "x-environment": __, ...headers } }) => headers);
    assert.deepEqual(first, plain);
    assert.deepEqual(second, plain);
  });
});

// In Node 26: the fetch of Node 20 keeps all of a stream by itself.
test("a stream of 150 MiB takes no memory", { timeout: 120_000 }, async () => {
  const address = pathToFileURL(join(await installed(), "node_modules", "digitalpaye-auth", "index.js")).href;
  const { stdout } = await must(await engine("Node 26"), [fileURLToPath(new URL("../lib/long-stream.mjs", import.meta.url)), address], { timeout: 100_000 });
  const ways = Object.entries(JSON.parse(stdout));
  assert.equal(ways.length, 3);
  for (const [name, { arrived, mebibytes }] of ways) {
    assert.equal(arrived, 150, name);
    assert.ok(mebibytes < 8, `${name}: ${mebibytes} MiB`);
  }
});

describe("the source of a stream is told that nobody reads it", () => {
  const source = () => {
    const seen = {};
    seen.body = new ReadableStream({ cancel: (reason) => void (seen.reason = reason) }, { highWaterMark: 0 });
    return seen;
  };

  test("when the signal was aborted before", async () => {
    const reason = new Error("enough");
    const seen = source();
    const call = auth.fetch("/pay", { method: "POST", body: seen.body, duplex: "half", signal: AbortSignal.abort(reason) });
    assert.equal(seen.reason, reason, "in the same turn");
    await assert.rejects(call, (error) => error === reason);
    assert.equal(api.requests.length, 0);
  });

  test("when the caller aborts while the token is awaited", async () => {
    const answer = api.answer;
    api.answer = () => {};
    const seen = source();
    const controller = new AbortController();
    const reason = new Error("enough");
    const call = auth.fetch("/pay", { method: "POST", body: seen.body, duplex: "half", signal: controller.signal });
    await api.exchange(api.count + 1);
    controller.abort(reason);
    await assert.rejects(call, (error) => error === reason);
    await until(() => seen.reason === reason);
    api.answer = answer;
  });

  test("when there is no token to be had", async () => {
    const answer = api.answer;
    api.answer = (exchange) => exchange.fail(401);
    const seen = source();
    const call = auth.fetch("/pay", { method: "POST", body: seen.body, duplex: "half" });
    const error = await call.catch((each) => each);
    assert.equal(error.code, "unauthorized");
    await until(() => seen.reason === error);
    api.answer = answer;
  });
});
