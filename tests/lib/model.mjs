// Random sequences of everything that can happen to a client, against a plain model of the rules, in virtual time.
import assert from "node:assert/strict";
import { dice } from "./dice.mjs";
import { credentials, track } from "./tokens.mjs";
import { scriptedFetch } from "./virtual.mjs";

const STEPS = 60;
const TIMEOUT = 4_000;
// Neither window of these begins at a multiple of STEP: no call comes at a border.
const LIVES = [11, 41, 101];
const STEP = 500;

/** What a client should do. Exchanges are known by their number, calls by their place. */
class Model {
  now;
  exchanges = 0;
  cancelled = new Set();
  calls = [];
  #held;
  #flight;
  #waiting = [];
  #failures = 0;
  #coolUntil = -Infinity;
  #disposed = false;

  constructor(now) {
    this.now = now;
  }

  call({ force, aborted }) {
    const call = { n: this.calls.length, force, deadline: this.now + TIMEOUT, outcome: "pending" };
    this.calls.push(call);
    if (aborted !== undefined) return this.#end(call, aborted);
    if (this.#disposed) return this.#end(call, "invalid_options");
    const held = force ? undefined : this.#held;
    if (held && this.now < held.hard) {
      this.#end(call, held.token);
      if (this.now >= held.soft && !this.#flight && !this.#cooling()) this.#start({ behind: true, deadline: call.deadline });
      return undefined;
    }
    if (held && this.now < held.end && !this.#flight && this.#cooling()) return this.#end(call, held.token);
    this.#waiting.push(call);
    if (!this.#flight) this.#start({ behind: false, deadline: call.deadline });
    return undefined;
  }

  token(n, token, life) {
    if (this.#flight?.n !== n) return;
    const end = this.#flight.at + life * 1_000;
    this.#flight = undefined;
    this.#held = { token, end, soft: end - Math.min(120_000, life * 200), hard: end - Math.min(10_000, life * 50) };
    this.#failures = 0;
    this.#coolUntil = -Infinity;
    for (const call of this.#waiting.splice(0)) this.#end(call, token);
  }

  fail(n, code) {
    if (this.#flight?.n !== n) return;
    this.#flight = undefined;
    const good = this.#good();
    if (good) this.#coolDown();
    for (const call of this.#waiting.splice(0)) this.#end(call, good && !call.force ? good : code);
  }

  abort(n, reason) {
    const call = this.calls[n];
    if (!this.#leave(call)) return;
    this.#end(call, reason);
    this.#endIfNobodyWaits();
  }

  invalidate(token) {
    if (this.#disposed || (token !== undefined && token !== this.#held?.token)) return;
    this.#held = undefined;
    this.#failures = 0;
    this.#coolUntil = -Infinity;
    if (this.#flight) {
      this.#cancel();
      this.#startForThoseWhoWait();
    }
  }

  dispose() {
    this.#disposed = true;
    this.#held = undefined;
    if (this.#flight) this.#cancel();
    for (const call of this.#waiting.splice(0)) this.#end(call, "invalid_options");
  }

  advance(milliseconds) {
    const end = this.now + milliseconds;
    for (;;) {
      const next = Math.min(this.#flight?.deadline ?? Infinity, ...this.#waiting.map(({ deadline }) => deadline));
      if (next > end) break;
      this.now = next;
      if (this.#flight?.deadline === next) this.#timeOut();
      else this.#deadline(this.#waiting.find(({ deadline }) => deadline === next));
    }
    this.now = end;
  }

  get pending() {
    return this.calls.filter(({ outcome }) => outcome === "pending").map(({ n }) => n);
  }

  #timeOut() {
    this.#cancel();
    const good = this.#good();
    if (good) this.#coolDown();
    for (const call of this.#waiting.splice(0)) {
      if (good && !call.force) this.#end(call, good);
      else if (call.deadline <= this.now) this.#end(call, "timeout");
      else this.#waiting.push(call);
    }
    this.#startForThoseWhoWait();
  }

  #deadline(call) {
    this.#leave(call);
    const good = this.#good();
    this.#end(call, good && !call.force ? good : "timeout");
    if (this.#endIfNobodyWaits() && good) this.#coolDown();
  }

  #good() {
    return this.#held && this.now < this.#held.end ? this.#held.token : undefined;
  }

  #cooling() {
    return this.now < this.#coolUntil;
  }

  #coolDown() {
    this.#coolUntil = this.now + Math.min(5_000 * 2 ** this.#failures, 30_000);
    this.#failures += 1;
  }

  #start({ behind, deadline }) {
    this.#flight = { n: (this.exchanges += 1), at: this.now, behind, deadline };
  }

  #startForThoseWhoWait() {
    const last = this.#waiting.at(-1);
    if (last) this.#start({ behind: false, deadline: last.deadline });
  }

  #cancel() {
    this.cancelled.add(this.#flight.n);
    this.#flight = undefined;
  }

  #endIfNobodyWaits() {
    if (this.#waiting.length > 0 || !this.#flight || this.#flight.behind) return false;
    this.#cancel();
    return true;
  }

  #leave(call) {
    const place = this.#waiting.indexOf(call);
    if (place >= 0) this.#waiting.splice(place, 1);
    return place >= 0;
  }

  #end(call, outcome) {
    call.outcome = outcome;
  }
}

/**
 * Plays one sequence; throws where the client does anything else than the model. `time` is virtual, and the client's
 * `Math.random` has to be 0, so that its windows have no spread. Resolves to how many calls and exchanges there were.
 */
export async function sequence(DigitalpayeAuth, time, seed) {
  const { chance, below, pick } = dice(seed);
  // Some platforms' fetch goes on after an abort: its answer comes when nobody asks for it any more.
  const api = scriptedFetch(time, { deaf: chance(0.5) });
  const auth = new DigitalpayeAuth({ ...credentials, baseUrl: "http://127.0.0.1:9", fetch: api.fetch, maxRetries: 0, timeout: TIMEOUT });
  const model = new Model(time.now());
  const calls = [];
  const tokens = [];
  const log = [];
  const unanswered = () => api.exchanges.filter(({ answered }) => !answered);

  const call = (options) => {
    const controller = new AbortController();
    const { force, aborted } = options;
    if (aborted !== undefined) controller.abort(aborted);
    const plain = !force && aborted === undefined && chance(0.5);
    const caller = track(auth.getToken(plain ? undefined : { forceRefresh: force, signal: controller.signal }));
    calls.push({ caller, controller, canAbort: !plain });
    model.call(options);
  };
  const steps = [
    [8, "call", () => call({ force: false })],
    [3, "forced call", () => call({ force: true })],
    [1, "aborted call", () => call({ force: chance(0.5), aborted: `aborted before ${calls.length}` })],
    [2, "several calls", () => {
      for (let count = 2 + below(4); count > 0; count -= 1) call({ force: chance(0.2) });
    }],
    [3, "abort", () => {
      const able = model.pending.filter((n) => calls[n].canAbort);
      if (able.length === 0) return;
      const n = pick(able);
      calls[n].controller.abort(`aborted ${n}`);
      model.abort(n, `aborted ${n}`);
    }],
    [1, "abort of all", () => {
      for (const n of model.pending.filter((n) => calls[n].canAbort)) {
        calls[n].controller.abort(`aborted ${n}`);
        model.abort(n, `aborted ${n}`);
      }
    }],
    [8, "token", () => {
      if (unanswered().length === 0) return;
      const exchange = pick(unanswered());
      const life = pick(LIVES);
      tokens.push(exchange.token(life));
      model.token(exchange.n, tokens.at(-1), life);
    }],
    [4, "failure", () => {
      if (unanswered().length === 0) return;
      const exchange = pick(unanswered());
      if (chance(0.5)) {
        exchange.fail(503);
        model.fail(exchange.n, "internal_server_error");
      } else {
        exchange.reject(new TypeError("fetch failed"));
        model.fail(exchange.n, "network");
      }
    }],
    [2, "invalidate()", () => {
      auth.invalidate();
      model.invalidate();
    }],
    [2, "invalidate(token)", () => {
      if (tokens.length === 0) return;
      const token = chance(0.5) ? tokens.at(-1) : pick(tokens);
      auth.invalidate(token);
      model.invalidate(token);
    }],
    [6, "a moment", async () => {
      const passed = STEP * (1 + below(6));
      await time.advance(passed);
      model.advance(passed);
    }],
    [4, "a while", async () => {
      const passed = STEP * (6 + below(40));
      await time.advance(passed);
      model.advance(passed);
    }],
  ];
  const total = steps.reduce((sum, [weight]) => sum + weight, 0);
  const draw = () => {
    let place = below(total);
    return steps.find(([weight]) => (place -= weight) < 0);
  };

  const check = () => {
    const outcome = ({ state, value, error }) => ({
      pending: () => "pending",
      resolved: () => value.token,
      rejected: () => error?.code ?? error,
    })[state]();
    const context = () => `seed ${seed}: ${log.join(", ")}`;
    assert.deepEqual(calls.map(({ caller }) => outcome(caller)), model.calls.map(({ outcome }) => outcome), context());
    assert.equal(api.count, model.exchanges, context());
    const open = api.exchanges.filter(({ answered, aborted }) => !answered && aborted).map(({ n }) => n);
    const expected = [...model.cancelled].filter((n) => !api.exchanges[n - 1].answered);
    assert.deepEqual(open, expected.sort((a, b) => a - b), context());
  };

  for (let step = 0; step < STEPS; step += 1) {
    const [, name, act] = draw();
    log.push(name);
    await act();
    await time.settle();
    check();
  }
  if (chance(0.5)) {
    log.push("dispose");
    auth[Symbol.dispose ?? Symbol.for("Symbol.dispose")]();
    model.dispose();
    call({ force: false });
  } else {
    log.push("the end");
    await time.advance(60_000);
    model.advance(60_000);
  }
  await time.settle();
  check();
  assert.deepEqual(model.pending, []);
  // What is read of a late reply is given up at once, but not in the same turn.
  await time.advance(100);
  assert.deepEqual(time.pending(), [], `seed ${seed}: nothing is left`);
  const exchanges = api.count;
  // Their signals lead to the client, which holds the fetch that holds them: no collector sees through the module.
  api.exchanges.length = 0;
  return { exchanges, calls: calls.length };
}
