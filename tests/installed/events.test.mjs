// Each event comes in its moment, with the members that are documented, and none when nothing happened.
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { importInstalled } from "../lib/install.mjs";
import { answering, failureReply, listen, membersOf, memoryStore, tokenReply } from "../lib/listen.mjs";
import { credentials, sleep, until } from "../lib/tokens.mjs";

const { authenticate, AuthError, DigitalpayeAuth, InternalServerError, RateLimitError, TimeoutError, UnauthorizedError } = await importInstalled();
const auths = [];

afterEach(() => {
  for (const auth of auths.splice(0)) auth[Symbol.dispose]();
});

/** A client that is listened to. */
function listened(options) {
  const heard = listen();
  const auth = new DigitalpayeAuth({ ...credentials, baseUrl: "http://127.0.0.1:9", maxRetries: 0, onEvent: heard.onEvent, ...options });
  auths.push(auth);
  return { auth, ...heard };
}

// Sums of fractions: a hair above is none.
const within = (value, low, high) => assert.ok(value >= low && value <= high + 1e-6, `${value} is not from ${low} to ${high}`);
const isFrozen = (events) => assert.ok(events.length > 0 && events.every(Object.isFrozen));

describe("token", () => {
  test("of an exchange: once for all who waited, and not for the token that is held", async () => {
    const { auth, events } = listened(answering(() => tokenReply()));
    const [{ exp }] = await Promise.all([auth.getToken(), auth.getToken(), auth.getToken()]);
    await auth.getToken();
    await sleep(20);
    assert.equal(events.length, 1);
    isFrozen(events);
    const [event] = events;
    assert.deepEqual(membersOf(event), ["attempts", "background", "durationMs", "exp", "source", "ttlSeconds", "type"]);
    const { ttlSeconds, durationMs, ...rest } = event;
    assert.deepEqual(rest, { type: "token", source: "exchange", exp, attempts: 1, background: false });
    within(ttlSeconds, 598, 600);
    within(durationMs, 0, 2_000);
  });

  test("of authenticate()", async () => {
    const { onEvent, events } = listen();
    const { exp } = await authenticate({ ...credentials, onEvent, ...answering(() => tokenReply()) });
    await sleep(10);
    assert.deepEqual(events.map(({ type, source, exp, attempts, background }) => ({ type, source, exp, attempts, background })), [
      { type: "token", source: "exchange", exp, attempts: 1, background: false },
    ]);
  });

  test("counts its attempts, and the time from the flight's start", async () => {
    const { auth, of } = listened({ maxRetries: 2, ...answering(() => failureReply(503), () => failureReply(503), () => tokenReply()) });
    const started = performance.now();
    await auth.getToken();
    const took = performance.now() - started;
    await sleep(10);
    const [{ attempts, durationMs }] = of("token");
    assert.equal(attempts, 3);
    const waits = of("retry").reduce((sum, { delayMs }) => sum + delayMs, 0);
    within(durationMs, waits - 2, took + 1);
  });

  test("of a store: no attempts, its own life", async () => {
    const store = memoryStore();
    const { auth: first } = listened({ store, ...answering(() => tokenReply()) });
    const { token, exp } = await first.getToken();
    for (const [key, entry] of store.entries) store.entries.set(key, { ...entry, ttlSeconds: 123 });
    const api = answering(() => tokenReply());
    const { auth, events } = listened({ store, ...api });
    assert.equal((await auth.getToken()).token, token);
    await sleep(10);
    assert.equal(api.requests.length, 0);
    assert.equal(events.length, 1);
    const { ttlSeconds, durationMs, ...rest } = events[0];
    assert.deepEqual(rest, { type: "token", source: "store", exp, attempts: 0, background: false });
    within(ttlSeconds, 122, 123);
    within(durationMs, 0, 1_000);
  });

  test("behind the callers: background, and one that fails there tells what is left", async () => {
    const { auth, of, events } = listened(answering(() => tokenReply(4), () => failureReply(503), () => tokenReply(4)));
    const held = await auth.getToken();
    // The soft window of a token of 4 s begins 0.8 s before its end, or up to a tenth of that earlier.
    await sleep(3_300);
    assert.equal((await auth.getToken()).token, held.token);
    await until(() => of("failure").length > 0);
    const [failure] = of("failure");
    isFrozen(events);
    assert.deepEqual(membersOf(failure), ["background", "error", "retryInMs", "ttlSeconds", "type"]);
    assert.equal(failure.background, true);
    assert.ok(failure.error instanceof InternalServerError);
    within(failure.ttlSeconds, 0.01, 0.8);
    within(failure.retryInMs, 4_000, 5_000);
    await sleep(Math.max(0, held.exp * 1_000 - Date.now()) + 200);
    await auth.getToken();
    await sleep(10);
    assert.equal(of("token").at(-1).background, false);
  });

  test("behind the callers, and good", async () => {
    const { auth, of } = listened(answering(() => tokenReply(4), () => tokenReply(600)));
    await auth.getToken();
    await sleep(3_300);
    await auth.getToken();
    await until(() => of("token").length === 2);
    assert.deepEqual(of("token").map(({ background }) => background), [false, true]);
    within(of("token")[1].ttlSeconds, 598, 600);
  });
});

describe("retry and failure", () => {
  test("a retry for each attempt that is followed by another, before its wait; then one failure", async () => {
    const at = [];
    const { onEvent: note, events } = listen();
    const onEvent = (event) => { at.push(performance.now()); note(event); };
    const { auth } = listened({ maxRetries: 2, onEvent, ...answering(() => failureReply(500)) });
    const error = await auth.getToken().catch((error) => error);
    await sleep(10);
    isFrozen(events);
    assert.deepEqual(events.map(({ type }) => type), ["retry", "retry", "failure"]);
    for (const [index, event] of events.slice(0, 2).entries()) {
      assert.deepEqual(membersOf(event), ["attempt", "delayMs", "error", "type"]);
      assert.equal(event.attempt, index + 1);
      assert.ok(event.error instanceof InternalServerError);
      within(event.delayMs, 0, 250 * 2 ** index);
      within(at[index + 1] - at[index], event.delayMs - 3, event.delayMs + 1_000);
    }
    const failure = events[2];
    assert.deepEqual(membersOf(failure), ["background", "error", "ttlSeconds", "type"]);
    assert.equal(failure.error.code, error.code);
    assert.equal(failure.error.attempts, 3);
    assert.equal(failure.background, false);
    assert.equal(failure.ttlSeconds, 0);
  });

  test("a Retry-After that does not fit: no retry, and the failure says when", async () => {
    const { auth, events } = listened({ maxRetries: 2, timeout: 5_000, ...answering(() => failureReply(429, { "Retry-After": "60" })) });
    await assert.rejects(auth.getToken(), RateLimitError);
    await sleep(10);
    assert.deepEqual(events.map(({ type }) => type), ["failure"]);
    within(events[0].retryInMs, 59_000, 60_000);
    assert.equal(events[0].error.retryAfter, 60);
  });

  test("what is not retryable fails once", async () => {
    const { auth, events } = listened({ maxRetries: 2, ...answering(() => failureReply(401)) });
    await assert.rejects(Promise.all([auth.getToken(), auth.getToken()]), UnauthorizedError);
    await sleep(10);
    assert.deepEqual(events.map(({ type }) => type), ["failure"]);
    assert.equal(events[0].error.reason, "raison 401");
    assert.ok(AuthError.is(events[0].error));
  });

  test("a token that had ended on arrival is a retry without a wait", async () => {
    // A life of a second, and a body that takes longer.
    const slow = () => new Response(new ReadableStream({
      async start(controller) {
        const bytes = new Uint8Array(await tokenReply(1).arrayBuffer());
        controller.enqueue(bytes.subarray(0, 20));
        await sleep(1_300);
        controller.enqueue(bytes.subarray(20));
        controller.close();
      },
    }));
    const { auth, events } = listened({ maxRetries: 1, ...answering(slow, () => tokenReply()) });
    await auth.getToken();
    await sleep(10);
    assert.deepEqual(events.map(({ type }) => type), ["retry", "token"]);
    assert.equal(events[0].error.code, "invalid_response");
    assert.equal(events[0].delayMs, 0);
    assert.equal(events[1].attempts, 2);
  });

  test("an abort is none, with one who waited and with several", async () => {
    const { auth, events } = listened(answering((_, { signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)))));
    const controllers = [new AbortController(), new AbortController()];
    const calls = controllers.map(({ signal }) => auth.getToken({ signal }).catch((error) => error));
    await sleep(10);
    for (const controller of controllers) controller.abort(new Error("enough"));
    for (const call of calls) assert.equal((await call).message, "enough");
    await sleep(20);
    assert.deepEqual(events, []);
  });

  test("the caller's own deadline is one, when its flight ends by it", async () => {
    const { auth, events } = listened({ timeout: 60, ...answering(() => new Promise(() => {})) });
    await assert.rejects(auth.getToken(), TimeoutError);
    await sleep(20);
    assert.deepEqual(events.map(({ type, background }) => ({ type, background })), [{ type: "failure", background: false }]);
    assert.ok(events[0].error instanceof TimeoutError);
  });

  test("to be disposed of is none, and nothing is told of what comes later", async () => {
    let answer;
    const { auth, events } = listened(answering(() => new Promise((resolve) => (answer = resolve))));
    const call = auth.getToken().catch((error) => error);
    await sleep(10);
    auth[Symbol.dispose]();
    assert.equal((await call).code, "invalid_options");
    answer(tokenReply());
    await sleep(20);
    assert.deepEqual(events.filter(({ type }) => type === "token"), []);
  });
});

describe("unauthorized", () => {
  const resource = (...statuses) => async (url) => (String(url).endsWith("/v1/auth") ? tokenReply() : new Response(null, { status: statuses.shift() }));

  test("a 401 that is tried once more, and one that is met again", async () => {
    const { auth, of } = listened({ fetch: resource(401, 401) });
    assert.equal((await auth.fetch("/v1/balance")).status, 401);
    await sleep(10);
    isFrozen(of("unauthorized"));
    assert.deepEqual(of("unauthorized").map((event) => ({ ...event })), [
      { type: "unauthorized", retried: true },
      { type: "unauthorized", retried: false },
    ]);
  });

  test("one whose body cannot be sent again", async () => {
    const { auth, of } = listened({ fetch: resource(401) });
    const body = new ReadableStream({ start: (controller) => { controller.enqueue(new TextEncoder().encode("x")); controller.close(); } });
    assert.equal((await auth.fetch("/v1/pay", { method: "POST", body, duplex: "half" })).status, 401);
    await sleep(10);
    assert.deepEqual(of("unauthorized").map(({ retried }) => retried), [false]);
  });

  test("none with any other status", async () => {
    const { auth, of } = listened({ fetch: resource(200, 403, 500) });
    for (const status of [200, 403, 500]) assert.equal((await auth.fetch("/v1/balance")).status, status);
    await sleep(10);
    assert.deepEqual(of("unauthorized"), []);
  });
});

describe("silence", () => {
  test("when options are refused, when a held token is given, when nothing is held to invalidate", async () => {
    const { onEvent, events } = listen();
    await authenticate({ ...credentials, timeout: -1, onEvent }).catch(() => {});
    assert.throws(() => new DigitalpayeAuth({ ...credentials, apiKey: "a:b", onEvent }));
    const { auth } = listened({ onEvent });
    auth.invalidate();
    await auth.getToken({ signal: AbortSignal.abort() }).catch(() => {});
    await auth.getToken({ signal: 1 }).catch(() => {});
    await sleep(10);
    assert.deepEqual(events, []);
  });

  test("an onEvent that is no function is refused", () => {
    for (const onEvent of [null, 1, {}, "log"]) {
      assert.throws(() => new DigitalpayeAuth({ ...credentials, onEvent }), { code: "invalid_options", option: "onEvent" });
    }
  });
});
