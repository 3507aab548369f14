// invalidate(): what was asked for before is not kept, whoever waits gets the token of a new exchange.
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { api, apiPerTest, client, rejectionsPerTest } from "../lib/client.mjs";
import { importInstalled } from "../lib/install.mjs";
import { credentials, track, until } from "../lib/tokens.mjs";
import { scriptedFetch, virtualTime } from "../lib/virtual.mjs";

let DigitalpayeAuth, InternalServerError, InvalidOptionsError;

before(async () => {
  ({ DigitalpayeAuth, InternalServerError, InvalidOptionsError } = await importInstalled());
});
rejectionsPerTest();

describe("over HTTP", () => {
  apiPerTest();

  test("forgets the held token", async () => {
    const auth = client();
    const { token: old } = await auth.getToken();
    assert.equal(auth.invalidate(), undefined);
    assert.notEqual((await auth.getToken()).token, old);
    assert.equal(api.count, 2);
  });

  test("asks for nothing by itself", async () => {
    const auth = client();
    auth.invalidate();
    await auth.getToken();
    auth.invalidate();
    auth.invalidate();
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(api.count, 1);
  });

  test("invalidate(old) keeps the new", async () => {
    const auth = client();
    const { token: old } = await auth.getToken();
    auth.invalidate(old);
    const { token: current } = await auth.getToken();
    assert.notEqual(current, old);
    for (const token of [old, "nobody's", "", current.slice(0, -1), `${current}x`]) auth.invalidate(token);
    assert.equal((await auth.getToken()).token, current);
    assert.equal(api.count, 2);
  });

  test("invalidate(held) forgets it, once", async () => {
    const auth = client();
    const { token: old } = await auth.getToken();
    auth.invalidate(old);
    const calls = [auth.getToken(), auth.getToken()];
    auth.invalidate(old);
    const tokens = (await Promise.all(calls)).map(({ token }) => token);
    assert.equal(tokens[0], tokens[1]);
    assert.notEqual(tokens[0], old);
    assert.equal(api.count, 2, "the second invalidate(old) does not restart the exchange");
  });

  test("invalidate(old) leaves the exchange under way alone", async () => {
    const auth = client();
    const { token: old } = await auth.getToken();
    auth.invalidate(old);
    api.answer = () => {};
    const call = track(auth.getToken());
    const exchange = await api.exchange(2);
    auth.invalidate(old);
    auth.invalidate("nobody's");
    const token = exchange.token();
    await call.settled;
    assert.equal(call.value?.token, token);
    assert.equal(api.count, 2);
  });

  test("callers who wait get the token of a new exchange; the old one is cancelled", async () => {
    api.answer = (exchange) => exchange.n > 1 && exchange.token();
    const auth = client();
    const calls = Array.from({ length: 100 }, (_, index) => auth.getToken(index % 2 ? { forceRefresh: true } : undefined));
    const first = await api.exchange(1);
    auth.invalidate();
    const granted = await Promise.all(calls);
    assert.ok(granted.every(({ token }) => token === api.tokens[0]));
    assert.equal(api.count, 2);
    assert.equal(await first.closed, true);
    assert.equal((await auth.getToken()).token, api.tokens[0]);
  });

  test("again and again while callers wait: each time one new exchange", async () => {
    api.answer = (exchange) => exchange.n === 5 && exchange.token();
    const auth = client();
    const call = auth.getToken();
    for (let n = 1; n < 5; n += 1) {
      await api.exchange(n);
      auth.invalidate();
    }
    assert.equal((await call).token, api.tokens[0]);
    assert.equal(api.count, 5);
    await until(() => api.exchanges.slice(0, 4).every(({ hungUp }) => hungUp));
  });

  test("50 parallel 401s in fetch() make 1 refresh", async () => {
    const auth = client();
    const { token: old } = await auth.getToken();
    api.revoked.add(old);
    const responses = await Promise.all(Array.from({ length: 50 }, () => auth.fetch("/v1/balance")));
    assert.ok(responses.every(({ status }) => status === 200));
    assert.equal(api.count, 2);
    assert.equal(api.requests.length, 100);
    await Promise.all(responses.map((response) => response.text()));
  });

  test("50 401s that come one by one, also after the refresh, make 1 refresh", async () => {
    const auth = client();
    const { token: old } = await auth.getToken();
    api.revoked.add(old);
    let refusals = 0;
    api.resource = (request, response) => {
      const isOld = request.headers.authorization === `Bearer ${old}`;
      setTimeout(() => api.echo(request, response), isOld ? (refusals += 1) * 5 : 0);
    };
    const responses = await Promise.all(Array.from({ length: 50 }, () => auth.fetch("/v1/balance")));
    assert.ok(responses.every(({ status }) => status === 200));
    assert.equal(refusals, 50);
    assert.equal(api.count, 2);
    await Promise.all(responses.map((response) => response.text()));
  });

  for (const value of [null, 1, {}, Symbol("token"), ["token"]]) {
    test(`invalidate(${String(value)}) is an error, and evicts nothing`, async () => {
      const auth = client();
      const { token } = await auth.getToken();
      assert.throws(
        () => auth.invalidate(value),
        (error) => error instanceof InvalidOptionsError && error.option === "token",
      );
      assert.equal((await auth.getToken()).token, token);
      assert.equal(api.count, 1);
    });
  }
});

// Each test has these to itself: nothing above may wait on virtual time.
describe("in virtual time", () => {
  let time;
  before(() => {
    time = virtualTime();
  });
  const client = (world, options) =>
    new DigitalpayeAuth({ ...credentials, baseUrl: "http://127.0.0.1:9", maxRetries: 0, fetch: world.fetch, ...options });
  const now = async (auth, call) => {
    const caller = track(auth.getToken(call));
    await time.settle();
    return caller;
  };

  test("a reply that comes after it is not kept, even by a fetch that is deaf to its signal", async () => {
    const world = scriptedFetch(time, { deaf: true });
    const auth = client(world);
    const caller = await now(auth);
    auth.invalidate();
    await time.settle();
    assert.equal(world.count, 2);
    world.exchanges[0].token(600);
    await time.settle();
    assert.equal(caller.state, "pending", "the late reply is nobody's");
    const token = world.exchanges[1].token(600);
    await time.settle();
    assert.equal(caller.value?.token, token);
    assert.equal((await now(auth)).value?.token, token);
  });

  test("nor one of which the body was being read", async () => {
    const world = scriptedFetch(time, { deaf: true });
    const auth = client(world);
    const caller = await now(auth);
    let body;
    world.exchanges[0].reply(200, new ReadableStream({ start: (controller) => (body = controller) }));
    await time.settle();
    body.enqueue(new TextEncoder().encode('{"statusCode":200,"data":{"token":"late","exp":'));
    await time.settle();
    auth.invalidate();
    await time.settle();
    try {
      body.enqueue(new TextEncoder().encode(`${Math.floor(Date.now() / 1_000) + 600}}}`));
      body.close();
    } catch {
      // The reader may have cancelled it.
    }
    await time.settle();
    assert.equal(caller.state, "pending");
    const token = world.exchanges[1].token(600);
    await time.settle();
    assert.equal(caller.value?.token, token);
  });

  test("nor one that arrives in the very turn", async () => {
    const world = scriptedFetch(time, { deaf: true });
    const auth = client(world);
    const caller = await now(auth);
    world.exchanges[0].token(600);
    auth.invalidate();
    await time.settle();
    assert.equal(caller.state, "pending");
    assert.equal(world.count, 2);
    world.exchanges[1].fail(503);
    await time.settle();
    assert.ok(caller.error instanceof InternalServerError);
    assert.equal((await now(auth)).state, "pending", "nothing is held");
  });

  test("nor the one of a refresh behind the callers' backs, which nobody needs any more", async () => {
    const world = scriptedFetch(time, { deaf: true });
    const auth = client(world);
    const first = await now(auth);
    const old = world.last.token(600);
    await first.settled;
    await time.advance(590_000 - 1);
    assert.equal((await now(auth)).value?.token, old);
    assert.equal(world.count, 2);
    auth.invalidate();
    await time.settle();
    assert.equal(world.last.aborted, true);
    assert.equal(world.count, 2, "nobody waits, nothing is asked for");
    world.last.token(600);
    await time.settle();
    const caller = await now(auth);
    assert.equal(caller.state, "pending");
    assert.equal(world.count, 3);
    const token = world.last.token(600);
    await time.settle();
    assert.equal(caller.value?.token, token);
    assert.deepEqual(time.pending(), []);
  });

  test("callers in the hard window get the new token, and no longer the held one if that fails", async () => {
    const world = scriptedFetch(time);
    const auth = client(world);
    const first = await now(auth);
    const old = world.last.token(600);
    await first.settled;
    await time.advance(595_000);
    const caller = await now(auth);
    auth.invalidate(old);
    await time.settle();
    assert.equal(world.count, 3);
    assert.equal(world.exchanges[1].aborted, true);
    world.last.fail(503);
    await time.settle();
    assert.ok(caller.error instanceof InternalServerError, "the held token was invalidated");
  });

  test("ends the wait after a failed refresh: with nothing held the next caller asks at once", async () => {
    const world = scriptedFetch(time);
    const auth = client(world);
    const first = await now(auth);
    world.last.token(600);
    await first.settled;
    await time.advance(500_000);
    await now(auth);
    world.last.fail(503);
    await time.settle();
    await now(auth);
    assert.equal(world.count, 2, "cooling down");
    auth.invalidate();
    await now(auth);
    assert.equal(world.count, 3);
  });

  test("keeps each caller's own deadline", async () => {
    const world = scriptedFetch(time);
    const auth = client(world, { timeout: 10_000 });
    const first = await now(auth);
    await time.advance(6_000);
    const second = await now(auth);
    auth.invalidate();
    await time.advance(3_900);
    assert.equal(first.state, "pending");
    await time.advance(200);
    assert.equal(first.error?.code, "timeout");
    assert.equal(second.state, "pending");
    assert.equal(world.count, 2);
    assert.equal(world.last.aborted, false, "the second caller still has time");
    await time.advance(6_000);
    assert.equal(second.error?.code, "timeout");
    assert.equal(world.last.aborted, true);
  });
});
