// Time that stands still unless a test moves it, and a `fetch` whose every call the test answers: hours pass in
// milliseconds, and always in the same order.
import { granted, mint, refused } from "./tokens.mjs";

const native = { Date, setImmediate, setTimeout, clearTimeout };

/**
 * Takes over `performance.now`, `Date`, `setTimeout` and `clearTimeout`. To be called before the package is imported, so
 * that it cannot have kept the real ones.
 *
 * `skew` (ms) is how far the wall clock is off; `serverNow()` is the right time. `turns` of the event loop are given to all
 * that can happen now: as many as it takes the platform's own streams.
 */
export function virtualTime({ skew = 0, turns = 4 } = {}) {
  const origin = native.Date.UTC(2026, 0, 15, 12);
  const timers = new Map();
  let passed = 0;
  let ids = 0;

  const time = {
    skew,
    /** Milliseconds since the beginning. */
    now: () => passed,
    serverNow: () => origin + passed,
    /** Timers that have yet to fire; `ref` tells whether one keeps the process. */
    pending: () => [...timers.values()],
    /** Lets all that can happen now happen. */
    async settle() {
      for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => native.setImmediate(resolve));
    },
    /** Moves on, and fires on the way what is due. */
    advance: (milliseconds) => time.until(() => false, passed + milliseconds),
    /** Moves on until something is so, no further than `end`. */
    async until(condition, end) {
      for (;;) {
        await time.settle();
        if (condition()) return;
        const [next] = [...timers.values()].sort((a, b) => a.at - b.at || a.id - b.id);
        if (!next || next.at > end) break;
        passed = Math.max(passed, next.at);
        timers.delete(next.id);
        next.callback();
      }
      passed = Math.max(passed, end);
      await time.settle();
    },
    /** Back to the beginning, without any timer. */
    restart() {
      passed = 0;
      timers.clear();
    },
    /** Drops every timer, for what comes next not to be disturbed by what is over. */
    clear: () => timers.clear(),
    advanceTo: (milliseconds) => time.advance(milliseconds - passed),
    restore() {
      delete performance.now;
      Object.assign(globalThis, { Date: native.Date, setTimeout: native.setTimeout, clearTimeout: native.clearTimeout });
    },
  };

  // An origin that is no whole number: a real one never is.
  Object.defineProperty(performance, "now", { value: () => 4_321.0625 + passed, configurable: true, writable: true });
  const wall = () => origin + passed + time.skew;
  globalThis.Date = class Date extends native.Date {
    constructor(...parts) {
      if (parts.length === 0) super(wall());
      else super(...parts);
    }
    static now() {
      return wall();
    }
  };
  globalThis.setTimeout = (callback, milliseconds = 0, ...parts) => {
    const id = (ids += 1);
    const timer = { id, at: passed + Math.max(1, milliseconds), ref: true, callback: () => callback(...parts) };
    timers.set(id, timer);
    return {
      unref() {
        timer.ref = false;
        return this;
      },
      ref() {
        timer.ref = true;
        return this;
      },
      hasRef: () => timer.ref,
      [Symbol.toPrimitive]: () => id,
    };
  };
  globalThis.clearTimeout = (timer) => timers.delete(Number(timer));
  return time;
}

/**
 * A `fetch` for the option of that name. Every call is an exchange in `exchanges`, to be answered by the test; it
 * rejects when its signal aborts, unless it is `deaf`.
 */
export function scriptedFetch(time, { deaf = false } = {}) {
  const world = {
    exchanges: [],
    /** Called for every new exchange. */
    answer: () => {},
    get count() {
      return world.exchanges.length;
    },
    get last() {
      return world.exchanges.at(-1);
    },
    fetch(url, init) {
      return new Promise((resolve, reject) => {
        const exchange = {
          n: world.exchanges.length + 1,
          at: time.now(),
          url,
          init,
          aborted: false,
          answered: false,
          reply(status, body, headers) {
            exchange.answered = true;
            resolve(new Response(body, { status, headers }));
          },
          /** A token of that life by the server's clock, `age` seconds old. */
          token(lifetime, { opaque = false, date = true, age = 0 } = {}) {
            const grant = mint(lifetime, { opaque, now: time.serverNow() - age * 1_000 });
            exchange.reply(200, granted(grant), date ? { Date: new Date(time.serverNow()).toUTCString() } : {});
            exchange.granted = grant.token;
            return grant.token;
          },
          fail: (status = 503, headers = {}) => exchange.reply(status, refused(status), headers),
          reject(error) {
            exchange.answered = true;
            reject(error);
          },
        };
        init.signal?.addEventListener("abort", () => {
          exchange.aborted = true;
          if (!deaf) reject(init.signal.reason);
        });
        world.exchanges.push(exchange);
        world.answer(exchange);
      });
    },
  };
  return world;
}
