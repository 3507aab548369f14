// What each example that serves HTTP has to do, first against the emulator as its README says, then against a stand-in that
// fails on request.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { startSandbox, valuesOf } from "../lib/sandbox.mjs";
import { clean, commandsOf, installOnce } from "./project.mjs";
import { launch } from "./program.mjs";
import { SETTINGS, words } from "./settings.mjs";

const CREDENTIALS = { apiKey: "example-merchant-key", apiSecret: "example-merchant-secret-Kp4" };
const PAYMENTS = "/v1/payments";
const PAYMENT = "/orders/A-1001/payment";

/** `devEnds` is whether the end of `npm run dev` is looked at too. */
export function serverCases(name, { devEnds = true } = {}) {
  const { serve, prepare, env = () => ({}), ready, balance = "/balance", refused = "payment_refused", ends = [0],
    finishes = true, devArgs = [] } = SETTINGS[name];
  describe(name, () => {
    let project;
    let more;
    before(async () => {
      more = await env();
      project = await installOnce(name, { env: more });
    }, { timeout: 600_000 });
    const begin = (t, words) => launch(t, words, { cwd: project.folder, env: clean(more) });

    test("its README leads to a balance from the emulator, by one exchange; Ctrl-C leaves nothing", async (t) => {
      const commands = commandsOf(name, "run");
      assert.deepEqual(commands, ["npm install", "npm run dev"]);
      const program = begin(t, [...commands[1].split(" "), ...(devArgs.length > 0 ? ["--", ...devArgs] : [])]);
      const [, url] = await program.saw(ready);
      const [first, second] = commandsOf(name, "ask").map((command) => curl(command, url));
      assert.match(first, /125000/);
      assert.deepEqual(pick(JSON.parse(second), ["error", "status"]), { error: refused, status: 404 });
      await program.saw(/POST \/v1\/payments \(Bearer \*\*\*\): 404/);
      assert.equal(program.output().match(/emulator: POST \/v1\/auth/g).length, 1);
      assert.equal(program.output().match(/digitalpaye: token/g).length, 1);
      assert.ok(!program.output().includes("emulator_secret"));
      program.interrupt();
      await program.ended;
      assert.deepEqual(await program.left(), []);
    });

    if (devEnds) test("what `npm run dev` starts ends with 0 by SIGTERM, without npm between, and leaves nothing", async (t) => {
      const program = begin(t, words(project.manifest.scripts.dev, devArgs));
      await program.saw(ready);
      program.kill("SIGTERM");
      assert.deepEqual(await program.ended, { code: 0, signal: null });
      assert.deepEqual(await program.left(), []);
    });

    describe("against an API that fails", () => {
      let api;
      let program;
      let url;
      const over = [];
      const ask = (path, init) => fetch(url + path, { ...init, signal: AbortSignal.timeout(60_000) });
      const pay = async () => {
        const response = await ask(PAYMENT, { method: "POST" });
        return { ...await response.json(), status: response.status, headers: response.headers };
      };
      /** The payments that the API has seen since the last reset. */
      const payments = async () => (await api.requests()).filter(({ path }) => path === PAYMENTS);

      before(async () => {
        api = await startSandbox({ ...CREDENTIALS, distinctTokens: true });
        await prepare(project.folder, { ...CREDENTIALS, baseUrl: api.url });
        assert.deepEqual(await api.requests(), []);
        program = begin({ after: (end) => over.push(end) }, serve(project));
        [, url] = await program.saw(ready);
      }, { timeout: 600_000 });
      after(async () => {
        for (const end of over) end();
        await api?.stop();
      });

      test("ten requests at once make one exchange", async () => {
        const replies = await Promise.all(Array.from({ length: 10 }, () => ask(balance)));
        for (const reply of replies) {
          assert.equal(reply.status, 200);
          assert.match(await reply.text(), /125000/);
        }
        assert.equal(await api.exchanges(), 1);
      });

      test("a payment has its order's key, the same one when it is sent again after a 401", async () => {
        await api.forget();
        await api.script([{ path: PAYMENTS, status: 401 }, { path: PAYMENTS, status: 201, body: { id: "p-1" } }]);
        assert.deepEqual(pick(await pay(), ["status", "id"]), { status: 201, id: "p-1" });
        const sent = await payments();
        assert.deepEqual(sent.map(({ status }) => status), [401, 201]);
        for (const payment of sent) {
          assert.deepEqual(valuesOf(payment, "Idempotency-Key"), ["order-A-1001"]);
          assert.deepEqual(JSON.parse(payment.body), { amount: 5_000, currency: "XOF" });
        }
        assert.notDeepEqual(...sent.map((payment) => valuesOf(payment, "Authorization")));
      });

      test("a payment that the API refuses is told with its status", async () => {
        await api.script([{ path: PAYMENTS, status: 422 }]);
        const { status, error } = await pay();
        assert.deepEqual({ status, error }, { status: 502, error: refused });
      });

      test("an order that is not there is no payment", async () => {
        await api.forget();
        const response = await ask("/orders/B-2/payment", { method: "POST" });
        assert.equal(response.status, 404);
        assert.deepEqual(await payments(), []);
      });

      test("an API that answers 503 twice is asked a third time, and the caller sees nothing of it", async () => {
        await api.forget();
        await api.script([{ path: "/v1/balance", status: 401 }, { status: 503, times: 2 }]);
        const reply = await ask(balance);
        assert.equal(reply.status, 200);
        assert.match(await reply.text(), /125000/);
        assert.equal(await api.exchanges(), 3);
      });

      test("one that goes on with it is a 503 with the error's code, and no payment", async () => {
        await api.forget();
        await api.script([{ path: PAYMENTS, status: 401 }, { status: 503, times: 3 }]);
        assert.deepEqual(pick(await pay(), ["status", "error"]), { status: 503, error: "internal_server_error" });
        assert.deepEqual((await payments()).map(({ status }) => status), [401]);
        await program.saw(/internal_server_error/);
      });

      test("a payment without an answer is a 504, for it may have been made", async () => {
        await api.forget();
        await api.script([{ path: PAYMENTS, reset: true }]);
        assert.deepEqual(pick(await pay(), ["status", "error"]), { status: 504, error: "no_answer" });
        assert.equal((await payments()).length, 1);
      });

      test("an API that wants to be left alone is a 503 at once, with its Retry-After", async () => {
        await api.script([{ path: PAYMENTS, status: 401 }, { retryAfter: 60 }]);
        const answer = await pay();
        assert.deepEqual(pick(answer, ["status", "error"]), { status: 503, error: "rate_limited" });
        assert.equal(answer.headers.get("Retry-After"), "60");
      });

      test("no output holds the secret, what it is sent as, or a token", async () => {
        const requests = await api.requests();
        const sent = requests.flatMap((request) => valuesOf(request, "Authorization")).map((value) => value.split(" ")[1]);
        assert.ok(sent.length > 0);
        for (const secret of [CREDENTIALS.apiKey, CREDENTIALS.apiSecret, ...sent]) assert.ok(!program.output().includes(secret));
        program.kill("SIGTERM");
        await program.ended;
        assert.deepEqual(await program.left(), []);
      });

      test("SIGTERM ends it, after an answer that is under way", async () => {
        const again = begin({ after: (end) => over.push(end) }, serve(project));
        const [, address] = await again.saw(ready);
        await api.reset();
        await api.script([{ path: "/v1/balance", latencyMs: 700 }]);
        const reply = fetch(address + balance, { headers: { Connection: "close" } }).then(async (response) => [response.status, /125000/.test(await response.text())], (error) => error);
        await api.until((requests) => requests.some(({ path }) => path === "/v1/balance"), 20_000);
        again.kill("SIGTERM");
        if (finishes) assert.deepEqual(await reply, [200, true]);
        const { code, signal } = await again.ended;
        assert.ok(ends.includes(code), `ended by ${code ?? signal}:\n${again.output()}`);
        assert.deepEqual(await again.left(), []);
      });
    });
  });
}

/** Runs the README's line, with the address that this run has. */
function curl(command, url) {
  const [program, ...args] = command.split(" ");
  assert.equal(program, "curl");
  const { status, stdout, stderr } = spawnSync(program, ["--silent", "--show-error", "--max-time", "60",
    ...args.map((arg) => arg.replace(/^http:\/\/127\.0\.0\.1:\d+/, url))], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return stdout;
}

const pick = (object, names) => Object.fromEntries(names.map((name) => [name, object[name]]));
