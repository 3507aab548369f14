// The examples that need nothing but Node.js and Redis, from the tarball. The others are in frameworks.mjs.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startRedis } from "../lib/redis.mjs";
import { startSandbox, valuesOf } from "../lib/sandbox.mjs";
import { clean, commandsOf, installOnce } from "./project.mjs";
import { launch } from "./program.mjs";
import { serverCases } from "./server-cases.mjs";
import { SETTINGS, redisUrl, stopRedis, words } from "./settings.mjs";

const ACCOUNT = { apiKey: "example-merchant-key", apiSecret: "example-merchant-secret-Kp4" };
const { ready, prepare, serve } = SETTINGS.express;

after(stopRedis);

serverCases("express");
// How dev.js ends, Express has shown.
serverCases("fleet", { devEnds: false });

describe("express", () => {
  test("without a key it does not start, and says what is missing", async (t) => {
    const { folder } = await installOnce("express");
    const program = launch(t, ["node", "server.js"], { cwd: folder, env: clean({ PORT: "0" }) });
    assert.deepEqual(await program.ended, { code: 1, signal: null });
    assert.match(program.output(), /InvalidOptionsError: apiKey is missing: DIGITALPAYE_API_KEY is not set/);
  });

  test("with a wrong secret it says so, is a 500, and pays nothing", async (t) => {
    const api = await startSandbox(ACCOUNT);
    t.after(() => api.stop());
    const { folder, manifest } = await installOnce("express");
    prepare(folder, { ...ACCOUNT, apiSecret: "another-secret", baseUrl: api.url });
    const program = launch(t, serve({ manifest }), { cwd: folder, env: clean({ PORT: "0" }) });
    const [, url] = await program.saw(ready);
    const reply = await fetch(`${url}/orders/A-1001/payment`, { method: "POST" });
    assert.deepEqual([reply.status, await reply.json()], [500, { error: "unauthorized" }]);
    assert.deepEqual(Object.keys(await api.counts()), ["POST /v1/auth"]);
    assert.match(program.output(), /unauthorized: /);
    assert.ok(!program.output().includes("another-secret"));
  });
});

describe("fleet", () => {
  test("four processes, one token: all of them answer, one has asked for it", async (t) => {
    const api = await startSandbox({ ...ACCOUNT, distinctTokens: true });
    t.after(() => api.stop());
    const { folder, manifest } = await installOnce("fleet");
    prepare(folder, { ...ACCOUNT, baseUrl: api.url });
    const program = launch(t, serve({ manifest }), { cwd: folder, env: clean({ PORT: "0", REDIS_URL: await redisUrl() }) });
    const [, url] = await program.saw(new RegExp(`(?:${ready.source}[^]*?){4}`, "m"));
    const pids = new Set();
    for (let count = 0; count < 40 && pids.size < 4; count++) {
      const replies = await Promise.all(Array.from({ length: 4 }, () => fetch(`${url}/balance`, { headers: { Connection: "close" } })));
      for (const reply of replies) {
        assert.equal(reply.status, 200);
        pids.add((await reply.json()).pid);
      }
    }
    assert.equal(pids.size, 4);
    assert.equal(await api.exchanges(), 1);
    assert.equal(program.output().match(/digitalpaye: token exchange/g).length, 1);
    assert.equal(program.output().match(/digitalpaye: token store/g).length, 3);
    program.kill("SIGTERM");
    assert.deepEqual(await program.ended, { code: 0, signal: null });
    assert.deepEqual(await program.left(), []);
  });

  test("when Redis goes, the requests are answered all the same", async (t) => {
    const [api, store] = await Promise.all([startSandbox({ ...ACCOUNT, distinctTokens: true }), startRedis({ tcp: true })]);
    t.after(() => Promise.all([api.stop(), store.stop()]));
    const { folder, manifest } = await installOnce("fleet");
    prepare(folder, { ...ACCOUNT, baseUrl: api.url });
    const env = clean({ PORT: "0", WORKERS: "1", REDIS_URL: `redis://127.0.0.1:${store.port}` });
    const program = launch(t, serve({ manifest }), { cwd: folder, env });
    const [, url] = await program.saw(ready);
    await store.stop();
    const reply = await fetch(`${url}/balance`, { headers: { Connection: "close" } });
    assert.equal(reply.status, 200);
    await program.saw(/redis: /);
    program.kill("SIGTERM");
    assert.deepEqual(await program.ended, { code: 0, signal: null });
    assert.deepEqual(await program.left(), []);
  });
});

describe("cron", () => {
  const PAYMENTS = "/v1/payments";
  let project;
  let api;
  before(async () => {
    project = await installOnce("cron");
    api = await startSandbox({ ...ACCOUNT, distinctTokens: true });
    prepare(project.folder, { ...ACCOUNT, baseUrl: api.url });
  }, { timeout: 300_000 });
  after(() => api?.stop());

  /** Runs `npm run pay` without npm, for a month's salaries, while the API does as `script` says. */
  const begin = async (t, script = []) => {
    await api.reset();
    await api.script(script);
    return launch(t, words(project.manifest.scripts.pay), { cwd: project.folder, env: clean() });
  };
  const paid = (times = 1) => ({ path: PAYMENTS, status: 201, body: { id: "p" }, times });
  const keys = async () => (await api.requests()).filter(({ path }) => path === PAYMENTS).map((request) => valuesOf(request, "Idempotency-Key")[0]);

  test("its README leads to a rehearsal: a balance, nothing paid, exit code 0, nothing left", async (t) => {
    const commands = commandsOf("cron", "run");
    assert.deepEqual(commands, ["npm install", "npm run dev"]);
    const program = launch(t, commands[1].split(" "), { cwd: project.folder, env: clean() });
    assert.deepEqual(await program.ended, { code: 0, signal: null });
    // The emulator's lines are of another process: they may come between these two.
    assert.match(program.output(), /^\d{4}-\d\d: 3 salaries, 124500 XOF of 125000 XOF\n(emulator: .*\n)*A rehearsal/m);
    assert.equal(program.output().match(/emulator: POST \/v1\/auth/g).length, 1);
    assert.doesNotMatch(program.output(), /payments|emulator_secret/);
    assert.deepEqual(await program.left(), []);
  });

  test("it pays each salary once, by one token, and again by the same keys", async (t) => {
    const runs = [];
    for (let run = 0; run < 2; run++) {
      const program = await begin(t, [paid(3)]);
      assert.deepEqual(await program.ended, { code: 0, signal: null });
      assert.equal(await api.exchanges(), 1);
      const requests = await api.requests();
      for (const value of requests.flatMap((request) => valuesOf(request, "Authorization"))) assert.ok(!program.output().includes(value.split(" ")[1]));
      for (const secret of Object.values(ACCOUNT)) assert.ok(!program.output().includes(secret));
      runs.push(await keys());
    }
    assert.equal(new Set(runs[0]).size, 3);
    assert.deepEqual(runs[0].map((key) => key.replace(/\d{4}-\d\d/, "month")), ["salary-month-awa", "salary-month-koffi", "salary-month-mariam"]);
    assert.deepEqual(runs[1], runs[0]);
  });

  test("an API that answers 503 twice is asked a third time; one that goes on with it ends the run with 1", async (t) => {
    const patient = await begin(t, [paid(3), { status: 503, times: 2 }]);
    assert.deepEqual(await patient.ended, { code: 0, signal: null });
    assert.equal(await api.exchanges(), 3);
    const failed = await begin(t, [paid(3), { status: 503, times: 3 }]);
    assert.deepEqual(await failed.ended, { code: 1, signal: null });
    assert.match(failed.output(), /^internal_server_error: /m);
    assert.deepEqual(await keys(), []);
  });

  test("a payment that is refused ends the run with 1, before the next one", async (t) => {
    const program = await begin(t, [paid(1), { path: PAYMENTS, status: 422 }]);
    assert.deepEqual(await program.ended, { code: 1, signal: null });
    assert.match(program.output(), /^koffi: status 422$/m);
    assert.equal((await keys()).length, 2);
  });

  test("too little money pays nobody", async (t) => {
    const body = { statusCode: 200, message: "Successful", data: { balance: 124_499, currency: "XOF" } };
    const program = await begin(t, [paid(3), { path: "/v1/balance", status: 200, body }]);
    assert.deepEqual(await program.ended, { code: 1, signal: null });
    assert.match(program.output(), /^there is not enough money$/m);
    assert.deepEqual(await keys(), []);
  });

  test("SIGTERM lets the payment under way end, and begins no other", async (t) => {
    const program = await begin(t, [{ ...paid(), latencyMs: 1_000 }, paid(2)]);
    await api.until((requests) => requests.some(({ path }) => path === PAYMENTS), 20_000);
    program.kill("SIGTERM");
    assert.deepEqual(await program.ended, { code: 1, signal: null });
    assert.match(program.output(), /^awa: 45000 XOF paid$/m);
    assert.match(program.output(), /^stopped before koffi$/m);
    assert.equal((await keys()).length, 1);
    assert.deepEqual(await program.left(), []);
  });

  test("without a key the exit code is 2", async (t) => {
    const program = launch(t, ["node", "payroll.js", "--pay"], { cwd: project.folder, env: clean() });
    assert.deepEqual(await program.ended, { code: 2, signal: null });
    assert.match(program.output(), /^invalid_options: apiKey is missing/m);
  });
});
