// A 401 of auth.fetch: one renewal and one more try; a 401 that a new token does not help against is not the token's fault.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { api, apiPerTest, auth, client } from "../lib/client.mjs";

const BELIEVED_MS = 30_000;

apiPerTest();
beforeEach(() => {
  api.resource = (request, response) => (request.url.startsWith("/forbidden") ? response.writeHead(401).end("no") : api.echo(request, response));
});

const status = async (...args) => {
  const response = await auth.fetch(...args);
  await response.text();
  return response.status;
};
const stream = (text = "a body") => new Blob([text]).stream();

/** Sets the clock of this process forward. */
function later(t, milliseconds) {
  const now = performance.now.bind(performance);
  t.mock.method(performance, "now", () => now() + milliseconds);
}

test("an endpoint that refuses everybody costs one exchange, and other callers nothing", async () => {
  await auth.getToken();
  for (let turn = 0; turn < 20; turn += 1) {
    assert.equal(await status("/forbidden"), 401);
    assert.equal(await status("/balance"), 200);
  }
  assert.equal(api.count, 2);
  assert.equal(api.requests.filter(({ url }) => url === "/forbidden").length, 21, "the first call alone tries twice");
});

test("a call at a time, or all at once: no more than one exchange for the refusals", async () => {
  await auth.getToken();
  const all = await Promise.all(Array.from({ length: 50 }, (_, n) => status(n % 5 === 0 ? "/forbidden" : "/balance")));
  assert.equal(all.filter((each) => each === 401).length, 10);
  assert.equal(api.count, 2);
});

test("with a stream, which cannot be sent again, it costs one exchange too", async () => {
  await auth.getToken();
  for (let turn = 0; turn < 20; turn += 1) {
    assert.equal(await status("/forbidden", { method: "POST", body: stream(), duplex: "half" }), 401);
    assert.equal(await status("/balance"), 200);
  }
  assert.equal(api.count, 2);
  assert.equal(api.requests.filter(({ url }) => url === "/forbidden").length, 20);
});

test("after a stream's refusal, a call that can be sent again still is", async () => {
  api.revoked.add((await auth.getToken()).token);
  assert.equal(await status("/balance", { method: "POST", body: stream(), duplex: "half" }), 401);
  api.revoked.add((await auth.getToken()).token);
  assert.equal(await status("/balance", { method: "POST", body: "a body" }), 200);
  assert.equal(api.count, 3);
});

test("for 30 s 401s are believed, then one more renewal is tried", async (t) => {
  assert.equal(await status("/forbidden"), 401);
  assert.equal(api.count, 2);
  later(t, BELIEVED_MS - 1_000);
  assert.equal(await status("/forbidden"), 401);
  assert.equal(api.count, 2);
  t.mock.restoreAll();
  later(t, BELIEVED_MS + 1_000);
  assert.equal(await status("/forbidden"), 401);
  assert.equal(api.count, 3);
});

test("another token by then: its 401 is a 401 like any other", async () => {
  assert.equal(await status("/forbidden"), 401);
  await auth.getToken({ forceRefresh: true });
  api.revoked.add((await auth.getToken()).token);
  assert.equal(await status("/balance"), 200);
  assert.equal(api.count, 4);
});

test("each of several clients believes for itself", async () => {
  const other = client();
  assert.equal(await status("/forbidden"), 401);
  api.revoked.add((await other.getToken()).token);
  const response = await other.fetch("/balance");
  await response.text();
  assert.equal(response.status, 200);
});
