// What workerd does differently from other runtimes: no clock, timers or I/O at module scope, a `cache` that throws at old
// compatibility dates, wasm that comes as a module.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { bundle, DATES } from "../lib/workerd.mjs";
import { API_KEY, API_SECRET } from "./api.mjs";
import { start, worker } from "./start.mjs";

test("wrangler's rules bundle the package's own entry, and its wasm as a module", async () => {
  const modules = await bundle(worker("client"));
  assert.deepEqual(modules.map(({ type }) => type), ["esm", "wasm"]);
  assert.ok(modules.inputs.some((path) => path.endsWith("digitalpaye-auth/workerd.js")), modules.inputs.join());
  assert.ok(!modules.inputs.some((path) => path.endsWith("digitalpaye-auth/index.js")), modules.inputs.join());
  assert.ok(WebAssembly.validate(modules[1].contents));
});

for (const compatibilityDate of DATES) {
  describe(compatibilityDate, () => {
    test("a client made at module scope; its first use, and a function's", async (t) => {
      const { api, ask, output } = await start(t, "client", { compatibilityDate });
      const before = Math.floor(Date.now() / 1_000);
      const { token, exp } = await ask("/token");
      assert.ok(api.minted.has(token));
      assert.ok(exp >= before + 600 && exp <= before + 602);
      assert.ok(api.minted.has((await ask("/once")).token));
      assert.equal(api.exchanges.length, 2);
      assert.equal((await ask("/state")).memory.instances, 1);
      for (const { method, headers, body } of api.exchanges) {
        assert.equal(method, "POST");
        assert.equal(body, "");
        assert.equal(headers.authorization, `Basic ${btoa(`${API_KEY}:${API_SECRET}`)}`);
        assert.equal(headers["x-environment"], "Production");
        assert.equal(headers["content-type"], undefined);
      }
      assert.equal(output(), "");
    });

    test("what is asked for at module scope is refused with a typed error, and harms no later request", async (t) => {
      const { api, ask, output } = await start(t, "module-scope", { compatibilityDate, options: { timeout: 2_000 } });
      for (const path of ["/fresh", "/asked", "/in-request"]) {
        const answer = await ask(path);
        assert.ok(api.minted.has(answer.token), `${path}: ${JSON.stringify(answer)}`);
      }
      assert.equal(api.exchanges.length, 3);
      const results = await ask("/results");
      for (const name of ["getToken", "getToken again", "authenticate"]) {
        assert.equal(results[name]?.error?.isAuthError, true, `${name}: ${JSON.stringify(results[name])}`);
      }
      assert.equal(results.invalid.error.class, "InvalidOptionsError");
      assert.equal(results.invalid.error.option, "apiKey");
      assert.equal(output(), "");
    });

    test("the clock starts with the first request: a token's life is right from there on", async (t) => {
      const { api, ask } = await start(t, "client", { compatibilityDate, api: { lifetime: 2 } });
      const { token } = await ask("/token");
      for (let n = 0; n < 10; n += 1) assert.equal((await ask("/token")).token, token);
      assert.equal(api.exchanges.length, 1);
      await new Promise((resolve) => setTimeout(resolve, 2_100));
      assert.notEqual((await ask("/token")).token, token);
      assert.equal(api.exchanges.length, 2);
    });

    // They wait most of the time: some side by side.
    describe("errors", { concurrency: 4 }, () => {
      const html = "<html>Bad Gateway</html>";
      const cases = [
        [{ status: 400 }, "BadRequestError", { code: "bad_request", status: 400, attempts: 1, retryable: false }],
        [{ status: 401 }, "UnauthorizedError", { code: "unauthorized", status: 401, attempts: 1, retryable: false }],
        [
          { status: 429, headers: { "Retry-After": "60" } },
          "RateLimitError",
          { code: "rate_limited", status: 429, attempts: 1, retryable: true, retryAfter: 60 },
        ],
        [{ status: 500 }, "InternalServerError", { code: "internal_server_error", status: 500, attempts: 3, retryable: true }],
        [{ status: 503 }, "InternalServerError", { code: "internal_server_error", status: 503, attempts: 3, retryable: true }],
        [{ status: 502, body: html }, "InternalServerError", { code: "internal_server_error", status: 502, attempts: 3 }],
        [
          { status: 302, headers: { Location: "/v1/elsewhere" } },
          "UnexpectedStatusError",
          { code: "unexpected_status", status: 302, attempts: 1, retryable: false },
        ],
        [{ status: 200, body: html }, "InvalidResponseError", { code: "invalid_response", attempts: 1, retryable: false }],
        [{ status: 200, body: "x".repeat(70_000) }, "InvalidResponseError", { code: "invalid_response", attempts: 1 }],
        [{ reset: true }, "NetworkError", { code: "network", attempts: 3, retryable: true, hasCause: true }],
        [{ hang: true }, "TimeoutError", { code: "timeout", attempts: 1, retryable: true }],
      ];
      for (const [behaviour, name, expected] of cases) {
        test(`${JSON.stringify(behaviour).slice(0, 60)}: ${name}`, async (t) => {
          const timeout = behaviour.hang ? 500 : 10_000;
          const { api, ask, output } = await start(t, "client", { compatibilityDate, options: { timeout } });
          api.behave = () => behaviour;
          for (const path of ["/token", "/once"]) {
            const { error } = await ask(path);
            assert.ok(error, `${path} is refused`);
            assert.equal(error.name, name, JSON.stringify(error));
            assert.equal(error.class, name);
            assert.ok(error.instanceOfAuthError && error.isAuthError);
            for (const [field, value] of Object.entries(expected)) assert.equal(error[field], value, field);
          }
          api.behave = () => ({});
          const next = await ask("/token");
          if (behaviour.headers?.["Retry-After"]) {
            assert.deepEqual([next.error.name, next.error.attempts], [name, 0], "later calls wait for as long as the server said");
          } else {
            assert.ok(api.minted.has(next.token), "the next call is served");
          }
          assert.equal(output(), "");
        });
      }

      test("429 and 503, then a token", async (t) => {
        const { api, ask } = await start(t, "client", { compatibilityDate });
        api.behave = (n) => [{ status: 429, headers: { "Retry-After": "1" } }, { status: 503 }, {}][n - 1];
        assert.ok(api.minted.has((await ask("/token")).token));
        assert.equal(api.exchanges.length, 3);
        assert.ok(api.exchanges[1].at - api.exchanges[0].at >= 950, "Retry-After: 1 was obeyed");
      });
    });
  });
}
