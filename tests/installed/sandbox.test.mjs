// The stand-in as the other tests use it: started, asked, told, and gone when its parent is.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startSandbox, valuesOf } from "../lib/sandbox.mjs";

// Asked of the port, not of the process: one that has ended keeps its number until it is reaped.
function answers(url) {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  return new Promise((done) => {
    socket.once("connect", () => done(true)).once("error", () => done(false));
  }).finally(() => socket.destroy());
}

async function isGone(url) {
  for (let turn = 0; turn < 300; turn += 1) {
    if (!(await answers(url))) return true;
    await sleep(10);
  }
  return false;
}

async function exchange({ url, apiKey, apiSecret }) {
  const encoded = Buffer.from(`${apiKey}:${apiSecret}`, "utf8").toString("base64");
  const answer = await fetch(`${url}/v1/auth`, { method: "POST", headers: { Authorization: `Basic ${encoded}` } });
  return { status: answer.status, ...(await answer.json()) };
}

test("it is asked and told, and goes back to how it was started", async (t) => {
  const sandbox = await startSandbox({ apiKey: "clé", apiSecret: "a:b", lifetime: 20, opaque: true });
  t.after(() => sandbox.stop());
  const { data: { token } } = await exchange(sandbox);
  assert.match(token, /^[\w-]{43}$/);
  const [request] = await sandbox.requests();
  assert.deepEqual(valuesOf(request, "AUTHORIZATION"), [`Basic ${Buffer.from("clé:a:b").toString("base64")}`]);
  assert.ok(Buffer.isBuffer(request.body) && request.body.length === 0);
  assert.equal(await sandbox.exchanges(), 1);
  assert.deepEqual(await sandbox.counts(), { "POST /v1/auth": 1 });

  assert.deepEqual(await sandbox.script([{ status: 503, times: 2 }]), { left: 2 });
  assert.equal((await exchange(sandbox)).status, 503);
  assert.deepEqual(await sandbox.revoke(token), { revoked: 1 });
  assert.equal((await sandbox.config({ lifetime: 5, apiSecret: "another" })).lifetime, 5);

  await sandbox.reset();
  assert.deepEqual(await sandbox.requests(), []);
  assert.equal(await sandbox.exchanges(), 0);
  const { lifetime, opaque } = await sandbox.config();
  assert.deepEqual({ lifetime, opaque }, { lifetime: 20, opaque: true });
  assert.equal((await exchange(sandbox)).status, 200);
  await sandbox.forget();
  assert.deepEqual(await sandbox.counts(), {});
});

test("what it is waited to see is seen, or the wait ends with what was seen instead", async (t) => {
  const sandbox = await startSandbox();
  t.after(() => sandbox.stop());
  await sandbox.script([{ hang: true }]);
  const leaving = new AbortController();
  const left = assert.rejects(fetch(`${sandbox.url}/v1/auth`, { method: "POST", signal: leaving.signal }));
  await sandbox.until(([request]) => request?.outcome === "pending");
  await assert.rejects(sandbox.until(([request]) => request.outcome !== "pending", 50), /POST \/v1\/auth null pending$/);
  leaving.abort();
  await left;
  const [request] = await sandbox.until(([first]) => first.outcome !== "pending");
  assert.equal(request.outcome, "client-closed");
});

test("what it refuses is an error that says why", async (t) => {
  const sandbox = await startSandbox();
  t.after(() => sandbox.stop());
  await assert.rejects(sandbox.script([{ stauts: 503 }]), /refused POST \/script: unknown field `stauts`/);
  await assert.rejects(sandbox.config({ lifetime: 1e12 }), /refused POST \/config: lifetime must be within/);
  await assert.rejects(startSandbox({ lifetime: "long" }), /refused POST \/config: invalid type/);
  await assert.rejects(startSandbox({ apiKey: "a:b" }), /did not start: .*must not hold a colon/);
  const port = Number(new URL(sandbox.url).port);
  await assert.rejects(startSandbox({ port }), new RegExp(`did not start: .*port ${port} is taken`));
});

test("a stand-in that is not built is an error that says how to build it", async (t) => {
  const given = process.env.DIGITALPAYE_SANDBOX_BIN;
  t.after(() => {
    if (given === undefined) delete process.env.DIGITALPAYE_SANDBOX_BIN;
    else process.env.DIGITALPAYE_SANDBOX_BIN = given;
  });
  process.env.DIGITALPAYE_SANDBOX_BIN = "/nowhere/digitalpaye-sandbox";
  await assert.rejects(startSandbox(), /"cargo build -p digitalpaye-sandbox" builds it/);
});

test("it is gone once it is stopped, however often", async () => {
  const sandbox = await startSandbox();
  await sandbox.script([{ hang: true }]);
  const hanging = assert.rejects(fetch(`${sandbox.url}/v1/auth`, { method: "POST" }));
  await sandbox.until((requests) => requests.length === 1);
  await sandbox.stop();
  assert.equal(await answers(sandbox.url), false);
  await hanging;
  await sandbox.stop();
});

for (const [how, end] of [["ends", (child) => child.stdin.end()], ["is killed", (child) => child.kill("SIGKILL")]]) {
  test(`it is gone when the process that started it ${how}`, async (t) => {
    const library = new URL("../lib/sandbox.mjs", import.meta.url);
    // Once its input has ended nothing is left to do but to talk to the stand-in, which must not keep it alive.
    const script = `import { startSandbox } from ${JSON.stringify(library)};
console.log((await startSandbox()).url);
process.stdin.resume();`;
    const parent = spawn(process.execPath, ["--input-type=module", "--eval", script], { stdio: ["pipe", "pipe", "inherit"] });
    t.after(() => parent.kill("SIGKILL"));
    const closed = once(parent, "close");
    const [url] = await once(createInterface({ input: parent.stdout }), "line");
    assert.ok(await answers(url));
    end(parent);
    await closed;
    assert.ok(await isGone(url), `the stand-in at ${url} goes on`);
  });
}
