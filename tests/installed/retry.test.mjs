// What is tried again, how often, and after which wait.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { rejection } from "../lib/errors.mjs";
import { importInstalled } from "../lib/install.mjs";
import { startRaw } from "../lib/raw.mjs";
import { PAGE, PAGE_TOKEN, failure, reply } from "../lib/replies.mjs";
import { virtualTime } from "../lib/virtual.mjs";

const { authenticate } = await importInstalled();
const raw = await startRaw();
after(() => raw.stop());

const options = { apiKey: "key", apiSecret: "a secret of no importance" };

/** Math.random for as long as `work` takes. */
async function withRandom(random, work) {
  const original = Math.random;
  Math.random = random;
  try {
    return await work();
  } finally {
    Math.random = original;
  }
}

describe("over a socket", () => {
  const retryable = {
    "429": reply(429),
    "500": reply(500, PAGE[500]),
    "503": reply(503, "<html>"),
    "408": reply(408),
    "a reset connection": (exchange) => exchange.reset(),
    "a closed connection": "",
    "a body that broke off": reply(200, "{", { "Content-Length": 500 }),
    "a 200 whose statusCode is 500": reply(200, failure(500, "plus tard")),
  };
  for (const [name, script] of Object.entries(retryable)) {
    test(`${name}: tried again, and again, then rejected with the last error`, async () => {
      await withRandom(() => 0.01, async () => {
        raw.reset(script, script, reply(200, PAGE[200]));
        assert.deepEqual(await authenticate({ ...options, baseUrl: raw.url }), PAGE_TOKEN);
        assert.equal(raw.requests.length, 3, "maxRetries is 2 by default");

        raw.reset(script);
        assert.equal((await rejection(authenticate({ ...options, baseUrl: raw.url }))).attempts, 3);
        assert.equal(raw.requests.length, 3);
      });
    });
  }

  test("maxRetries counts attempts after the first, from 0 to 10", async () => {
    await withRandom(() => 0, async () => {
      for (const maxRetries of [0, 1, 2, 3, 10]) {
        raw.reset(reply(503));
        const error = await rejection(authenticate({ ...options, baseUrl: raw.url, maxRetries }));
        assert.equal(error.attempts, maxRetries + 1);
        assert.equal(raw.requests.length, maxRetries + 1);
      }
    });
  });

  test("what is rejected with is the last failure, not the first", async () => {
    await withRandom(() => 0, async () => {
      raw.reset("", reply(429, failure(429, "trop")), reply(503, failure(503, "en panne")));
      const error = await rejection(authenticate({ ...options, baseUrl: raw.url }));
      assert.deepEqual([error.code, error.status, error.reason, error.attempts], ["internal_server_error", 503, "en panne", 3]);
      raw.reset(reply(503), reply(503), reply(401, PAGE[401]));
      const final = await rejection(authenticate({ ...options, baseUrl: raw.url, maxRetries: 10 }));
      assert.deepEqual([final.code, final.attempts], ["unauthorized", 3]);
      assert.equal(raw.requests.length, 3);
    });
  });

  test("a retry is the same request, on no broken connection", async () => {
    raw.reset("", reply(503), reply(200, PAGE[200]));
    await withRandom(() => 0, () => authenticate({ ...options, baseUrl: raw.url }));
    const [first, ...others] = raw.requests.map(({ bytes }) => bytes.toString("latin1"));
    assert.deepEqual(others, [first, first]);
  });

  test("the connection of an attempt that failed is not kept open for its body", async () => {
    raw.reset(
      (exchange) => exchange.write(Buffer.concat([reply(503, Buffer.alloc(70_000, 0x20), { "Content-Length": 1_000_000 })])),
      reply(200, PAGE[200]),
    );
    assert.deepEqual(await withRandom(() => 0, () => authenticate({ ...options, baseUrl: raw.url })), PAGE_TOKEN);
    await raw.requests[0].closed;
  });

  test("Retry-After is waited for in real time", async () => {
    for (const [headers, least] of [
      [{ "Retry-After": "1" }, 1_000],
      [{ "Retry-After": "Tue, 24 Nov 2026 12:00:01 GMT", Date: "Tue, 24 Nov 2026 12:00:00 GMT" }, 1_000],
    ]) {
      raw.reset(reply(429, "", headers), reply(200, PAGE[200]));
      assert.deepEqual(await withRandom(() => 0, () => authenticate({ ...options, baseUrl: raw.url })), PAGE_TOKEN);
      const [first, second] = raw.requests;
      const gap = second.at - first.at;
      assert.ok(gap >= least - 5 && gap < least + 2_000, `${gap} ms`);
    }
  });

  test("a wait that does not fit is not begun: the last error, at once", async () => {
    for (const [retryAfter, timeout] of [["2", 1_500], ["30", 30_000], ["3600", 30_000], ["9".repeat(400), 30_000]]) {
      raw.reset(reply(429, failure(429, "trop"), { "Retry-After": retryAfter }));
      const started = performance.now();
      const error = await rejection(authenticate({ ...options, baseUrl: raw.url, timeout, maxRetries: 10 }));
      const took = performance.now() - started;
      assert.deepEqual([error.code, error.status, error.reason, error.attempts], ["rate_limited", 429, "trop", 1]);
      assert.ok(took < 1_000, `${took} ms`);
      assert.equal(raw.requests.length, 1);
    }
  });
});

// Hours in milliseconds, and exact: every wait is seen to the fraction.
describe("by the clock", () => {
  let time;
  before(() => {
    time = virtualTime();
  });
  after(() => time.restore());

  /**
   * One call whose attempts fail as `reply` says (it is given the attempt's number, and returns a Response or throws);
   * resolves to the waits between attempts, the error or token, and when it settled.
   */
  async function schedule(replyTo, more = {}) {
    const at = [];
    const began = time.now();
    let settled;
    authenticate({
      ...options,
      timeout: 1e9,
      maxRetries: 10,
      ...more,
      fetch: async () => {
        at.push(time.now() - began);
        return replyTo(at.length);
      },
    }).then((token) => ({ token }), (error) => ({ error })).then((outcome) => {
      settled = { ...outcome, took: time.now() - began };
    });
    for (let turns = 0; settled === undefined && turns < 1_000; turns += 1) {
      await time.settle();
      const [next] = time.pending().sort((a, b) => a.at - b.at);
      if (settled === undefined) await time.advanceTo(Math.max(next?.at ?? 0, time.now()));
    }
    assert.ok(settled, "it settled");
    return { waits: at.slice(1).map((each, index) => each - at[index]), attempts: at.length, ...settled };
  }
  const down = () => new Response("", { status: 503 });
  const near = (actual, expected, message) => {
    // Timers go by whole milliseconds, and never fire early.
    assert.ok(actual >= expected - 1e-6 && actual <= expected + 2, `${message}: ${actual}, not ${expected}`);
  };

  test("the wait is a random share of 250 ms, doubled with every attempt up to 5 s", async () => {
    const most = [250, 500, 1_000, 2_000, 4_000, 5_000, 5_000, 5_000, 5_000, 5_000];
    for (const random of [0, 0.1, 0.5, 0.999999]) {
      const { waits, attempts, error } = await withRandom(() => random, () => schedule(down));
      assert.equal(attempts, 11);
      assert.equal(error.attempts, 11);
      waits.forEach((wait, index) => near(wait, Math.max(random * most[index], 0), `wait ${index + 1} at random ${random}`));
    }
  });

  test("each wait is drawn anew, from nothing up to the most: full jitter", async () => {
    const firsts = [];
    const seconds = [];
    for (let run = 0; run < 200; run += 1) {
      const { waits } = await schedule(down, { maxRetries: 2 });
      firsts.push(waits[0]);
      seconds.push(waits[1]);
    }
    for (const [waits, most] of [[firsts, 250], [seconds, 500]]) {
      const mean = waits.reduce((sum, wait) => sum + wait, 0) / waits.length;
      assert.ok(Math.max(...waits) <= most + 2);
      assert.ok(Math.min(...waits) < most * 0.1, `the least of 200 is ${Math.min(...waits)}`);
      assert.ok(Math.max(...waits) > most * 0.9, `the most of 200 is ${Math.max(...waits)}`);
      assert.ok(mean > most * 0.38 && mean < most * 0.62, `the mean of 200 is ${mean}`);
    }
    const shares = firsts.map((first, index) => first / 250 - seconds[index] / 500);
    assert.ok(shares.filter((difference) => Math.abs(difference) < 0.02).length < 30, "one draw for all waits");
  });

  test("Retry-After is obeyed, to the second, before a wait of our own", async () => {
    const date = (seconds) => new Date(time.serverNow() + seconds * 1_000).toUTCString();
    const rfc850 = (seconds) => {
      const [day, dayOfMonth, month, year, clock] = date(seconds).replace(",", "").split(" ");
      const name = { Sun: "Sunday", Mon: "Monday", Tue: "Tuesday", Wed: "Wednesday", Thu: "Thursday", Fri: "Friday", Sat: "Saturday" }[day];
      return `${name}, ${dayOfMonth}-${month}-${year.slice(2)} ${clock} GMT`;
    };
    const asctime = (seconds) => {
      const [day, dayOfMonth, month, year, clock] = date(seconds).replace(",", "").split(" ");
      return `${day} ${month} ${String(Number(dayOfMonth)).padStart(2)} ${clock} ${year}`;
    };
    const second = () => 1_000 - (time.serverNow() % 1_000 || 1_000);
    const rows = {
      "seconds": () => ["37", 37_000],
      "one second": () => ["1", 1_000],
      "a day": () => ["86400", 86_400_000],
      "an IMF-fixdate": () => [date(40), 40_000],
      "an RFC 850 date": () => [rfc850(40), 40_000],
      "an asctime date": () => [asctime(40), 40_000],
    };
    for (const [name, row] of Object.entries(rows)) {
      await time.advance(second());
      const [retryAfter, expected] = row();
      const headers = { "Retry-After": retryAfter, Date: date(0) };
      const { waits, attempts, token } = await withRandom(() => 0.5, () =>
        schedule((attempt) => (attempt === 1 ? new Response("", { status: 503, headers }) : new Response(PAGE[200]))));
      assert.deepEqual([attempts, token], [2, PAGE_TOKEN], name);
      near(waits[0], expected, name);
    }
  });

  test("a date is against the reply's Date, whatever our clock says, and against our clock without", async () => {
    for (const skew of [0, 3_600_000, -3_600_000, 86_400_000]) {
      time.skew = skew;
      try {
        await time.advance(1_000 - (time.serverNow() % 1_000));
        const server = (seconds) => new Date(time.serverNow() + seconds * 1_000).toUTCString();
        const local = (seconds) => new Date(Date.now() + seconds * 1_000).toUTCString();
        const forms = {
          "against Date": () => ({ "Retry-After": server(20), Date: server(0) }),
          "without Date": () => ({ "Retry-After": local(20) }),
          "with a Date that is none": () => ({ "Retry-After": local(20), Date: "nonsense" }),
        };
        for (const [form, headers] of Object.entries(forms)) {
          const limited = () => new Response("", { status: 429, headers: headers() });
          const { waits, error } = await withRandom(() => 0.5, () => schedule(limited, { maxRetries: 1 }));
          near(waits[0], 20_000, `${form}, skew ${skew}`);
          assert.equal(error.retryAfter, 20, `${form}, skew ${skew}`);
          await time.advance(1_000 - (time.serverNow() % 1_000));
        }
      } finally {
        time.skew = 0;
      }
    }
  });

  test("without Retry-After, with one of 0 or in the past, or with nonsense, the wait is our own", async () => {
    const past = new Date(time.serverNow() - 60_000).toUTCString();
    for (const retryAfter of [undefined, "0", past, "soon", "", "-5", "1."]) {
      const headers = retryAfter === undefined ? {} : { "Retry-After": retryAfter };
      const { waits } = await withRandom(() => 0.5, () => schedule(() => new Response("", { status: 503, headers }), { maxRetries: 2 }));
      near(waits[0], 125, `Retry-After: ${retryAfter}`);
      near(waits[1], 250, `Retry-After: ${retryAfter}`);
    }
  });

  test("Retry-After holds for its own reply alone", async () => {
    const { waits } = await withRandom(() => 0.5, () =>
      schedule((attempt) => {
        if (attempt === 1) return new Response("", { status: 429, headers: { "Retry-After": "9" } });
        if (attempt === 2) throw new TypeError("fetch failed");
        return down();
      }, { maxRetries: 3 }));
    near(waits[0], 9_000, "first");
    near(waits[1], 250, "second");
    near(waits[2], 500, "third");
  });

  test("a wait that ends before the deadline is begun, one that does not is not", async () => {
    const limited = (seconds) => () => new Response("", { status: 429, headers: { "Retry-After": seconds } });
    const fits = await schedule(limited("9"), { timeout: 10_000 });
    assert.equal(fits.attempts, 2, "the second one's wait does not fit");
    near(fits.took, 9_000, "took");
    assert.equal(fits.error.code, "rate_limited");
    for (const seconds of ["10", "11", "100000"]) {
      const not = await schedule(limited(seconds), { timeout: 10_000 });
      assert.deepEqual([not.attempts, not.took, not.error.code, not.error.retryAfter], [1, 0, "rate_limited", Number(seconds)]);
    }
    const own = await withRandom(() => 0.9, () => schedule(down, { timeout: 1_000 }));
    assert.equal(own.attempts, 3, "225 and 450 ms fit, 900 more do not");
    near(own.took, 675, "took");
    assert.equal(own.error.code, "internal_server_error");
  });

  test("the default timeout is 30 s, the default of retries 2", async () => {
    const hang = () => new Promise(() => {});
    const { took, error } = await schedule(hang, { timeout: undefined });
    near(took, 30_000, "timeout");
    assert.deepEqual([error.code, error.attempts], ["timeout", 1]);
    assert.equal((await schedule(down, { maxRetries: undefined })).attempts, 3);
  });

  test("timeout by the millisecond, fractions included, however long", async () => {
    const hang = () => new Promise(() => {});
    for (const timeout of [1, 1.5, 999.25, 60_000, 2 ** 31 - 1, 2 ** 31, 2 ** 32 + 5, 1e10]) {
      const { took, error } = await schedule(hang, { timeout });
      assert.equal(error.code, "timeout");
      near(took, timeout, `timeout ${timeout}`);
    }
  });

  test("it ends attempts that hang later on, and counts them", async () => {
    const { took, error, attempts } = await withRandom(() => 0.5, () =>
      schedule((attempt) => (attempt < 3 ? down() : new Promise(() => {})), { timeout: 5_000 }));
    near(took, 5_000, "took");
    assert.deepEqual([error.code, error.attempts, attempts], ["timeout", 3, 3]);
  });

  test("setting the wall clock changes no deadline and no wait", async () => {
    try {
      const { waits, took, error } = await withRandom(() => 0.5, () =>
        schedule((attempt) => {
          time.skew = attempt % 2 ? 3_600_000 : -3_600_000;
          return attempt < 3 ? down() : new Promise(() => {});
        }, { timeout: 5_000 }));
      near(waits[0], 125, "first");
      near(waits[1], 250, "second");
      near(took, 5_000, "timeout");
      assert.equal(error.code, "timeout");
    } finally {
      time.skew = 0;
    }
  });

  test("nothing is left behind: no timer after any outcome", async () => {
    await schedule(() => new Response(PAGE[200]));
    await schedule(down, { maxRetries: 1 });
    await schedule(() => new Promise(() => {}), { timeout: 100 });
    await schedule(() => new Response("", { status: 401 }));
    const controller = new AbortController();
    const call = authenticate({ ...options, fetch: () => new Promise(() => {}) }, { signal: controller.signal });
    controller.abort();
    await call.catch(() => {});
    await time.settle();
    assert.deepEqual(time.pending(), []);
  });
});

test("a timeout of 1e12 ms does not fire at once", async () => {
  raw.reset((exchange) => setTimeout(() => exchange.end(reply(200, PAGE[200])), 150));
  const warnings = [];
  const note = (warning) => warnings.push(warning.name);
  process.on("warning", note);
  for (const timeout of [1e12, Number.MAX_VALUE, 2 ** 31, 2 ** 32 + 1]) {
    assert.deepEqual(await authenticate({ ...options, baseUrl: raw.url, timeout }), PAGE_TOKEN);
  }
  process.off("warning", note);
  assert.deepEqual(warnings, [], "a TimeoutOverflowWarning, for one");
});

test("a timeout so short that nothing can come in it", async () => {
  for (const timeout of [Number.MIN_VALUE, 1e-9, 0.1]) {
    const error = await rejection(authenticate({ ...options, fetch: () => new Promise(() => {}), timeout }));
    assert.equal(error.code, "timeout");
    assert.ok(error.attempts <= 1);
  }
});
