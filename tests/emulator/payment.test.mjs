// A user's test of a payment: fast, and without a socket.
import assert from "node:assert/strict";
import { Socket } from "node:net";
import { test } from "node:test";
import { importInstalled } from "../lib/install.mjs";

const { createEmulator } = await importInstalled("digitalpaye-auth/emulator");
const { DigitalpayeAuth } = await importInstalled();

async function pay(auth, amount) {
  const { data } = await (await auth.fetch("/v1/balance")).json();
  if (data.balance < amount) throw new Error("not enough money");
  return (await auth.fetch("/v1/payments", { method: "POST", body: JSON.stringify({ amount }) })).json();
}

async function scenario(t) {
  const emulator = createEmulator();
  const auth = new DigitalpayeAuth({ ...emulator.credentials, fetch: emulator.fetch });
  await auth.getToken();
  emulator.advance(600);
  emulator.script([{ status: 503, times: 2 }, { path: "/v1/payments", status: 201, body: { id: "p-1" } }]);
  t.mock.method(Math, "random", () => 0);
  assert.deepEqual(await pay(auth, 500), { id: "p-1" });
  t.mock.restoreAll();
  assert.deepEqual(emulator.requests().map(({ method, path, status }) => `${method} ${path} ${status}`), [
    "POST /v1/auth 200", "GET /v1/balance 401", "POST /v1/auth 503", "POST /v1/auth 503", "POST /v1/auth 200",
    "GET /v1/balance 200", "POST /v1/payments 201",
  ]);
}

test("a payment that survives two 503s and an expired token takes less than 100 ms and no socket", async (t) => {
  const { connect } = Socket.prototype;
  let sockets = 0;
  Socket.prototype.connect = function (...args) {
    sockets += 1;
    return connect.apply(this, args);
  };
  t.after(() => { Socket.prototype.connect = connect; });
  const times = [];
  // Other processes share the machine, and the first turn loads the platform's fetch: one of them has to do it.
  for (let turn = 0; turn < 100 && !(Math.min(...times) < 100); turn += 1) {
    const begun = performance.now();
    await scenario(t);
    times.push(performance.now() - begun);
  }
  t.diagnostic(`${times.map((ms) => ms.toFixed(1)).join(", ")} ms`);
  assert.ok(Math.min(...times) < 100, `${times} ms`);
  assert.equal(sockets, 0);
});
