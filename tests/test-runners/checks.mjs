// What holds in a test of a user's that fakes time: by sinon's fake timers, by what Jest and Vitest make of them, by Jest's
// legacy ones, by node:test. Each check gets the package and `fakes`:
//
//   fake(), restore()   fakes all that there is to fake, and puts it back
//   advance(ms)         moves the timers, and lets promises go on meanwhile
//   setDate(ms)         sets the wall clock alone; not there where it is not faked
//   hasClock            whether performance.now() moves along with the timers
//   equal(actual, expected)

// Taken now: later they are faked.
const { setTimeout: later } = globalThis;
const PROMPT_MS = 3_000;

/** A fetch as tests mock it: by plain objects, since jsdom has no Response. The last answer is given again and again. */
function mockFetch(...answers) {
  const calls = [];
  const fetch = async (input) => {
    calls.push(typeof input === "string" ? input : input.url);
    return answers[Math.min(calls.length, answers.length) - 1]();
  };
  return { fetch, calls };
}

const reply = (status, body) => () => ({
  status,
  ok: status === 200,
  headers: { get: () => null },
  arrayBuffer: async () => Uint8Array.from(JSON.stringify(body), (letter) => letter.charCodeAt(0)).buffer,
  json: async () => body,
});
const token = () => reply(200, { statusCode: 200, data: { token: "opaque", exp: Math.floor(Date.now() / 1_000) + 600 } })();
const busy = reply(503, { statusCode: 503, reason: "Busy" });
const hang = () => new Promise(() => {});

/** What a promise comes to in real time, without a timer being moved. */
const promptly = (promise) => Promise.race([promise, new Promise((done) => later(done, PROMPT_MS, "nothing, for ever"))]);
const options = { apiKey: "key", apiSecret: "secret" };

export const checks = {
  async "a mocked fetch gives a token, and no timer is moved for it"({ DigitalpayeAuth, authenticate }, { equal }) {
    const { fetch, calls } = mockFetch(token);
    const auth = new DigitalpayeAuth({ ...options, fetch });
    equal((await promptly(authenticate({ ...options, fetch }))).token, "opaque");
    equal((await promptly(auth.getToken())).token, "opaque");
    equal((await promptly(auth.getToken({ forceRefresh: true }))).token, "opaque");
    equal(calls.length, 3);
  },

  async "a mocked global fetch does, too"({ DigitalpayeAuth }, { equal }) {
    const before = Object.getOwnPropertyDescriptor(globalThis, "fetch");
    globalThis.fetch = mockFetch(token).fetch;
    try {
      equal((await promptly(new DigitalpayeAuth(options).getToken())).token, "opaque");
    } finally {
      if (before) Object.defineProperty(globalThis, "fetch", before);
      else delete globalThis.fetch;
    }
  },

  async "auth.fetch gives the answer"({ DigitalpayeAuth }, { equal }) {
    const { fetch, calls } = mockFetch(token, reply(200, { balance: 5 }));
    const answer = promptly(new DigitalpayeAuth({ ...options, fetch }).fetch("v1/balance"));
    // Jest's jsdom has no fetch, and none of its classes.
    if (typeof Request === "undefined") return equal(await answer.catch((error) => error.message), "Request is not defined");
    equal((await (await answer).json()).balance, 5);
    equal(calls.length, 2);
  },

  async "a failure is its error"({ authenticate }, { equal }) {
    const refused = await promptly(authenticate({ ...options, fetch: mockFetch(reply(401, { statusCode: 401 })).fetch }).catch((error) => error));
    equal(refused.code, "unauthorized");
    const aborted = new AbortController();
    const call = authenticate({ ...options, fetch: mockFetch(hang).fetch }, { signal: aborted.signal }).catch((error) => error.name);
    aborted.abort();
    equal(await promptly(call), "AbortError");
  },

  async "a retry waits until the test moves the timers"({ authenticate }, { advance, hasClock, equal }) {
    const { fetch, calls } = mockFetch(busy, token);
    const call = authenticate({ ...options, fetch });
    await advance(0);
    equal(calls.length, 1);
    // A wait goes by the monotonic clock: where that is the real one, it takes its time.
    for (let turn = 0; turn < 40 && calls.length < 2; turn += 1) {
      if (!hasClock) await new Promise((done) => later(done, 25));
      await advance(250);
    }
    equal((await promptly(call)).token, "opaque");
    equal(calls.length, 2);
  },

  async "a fetch that hangs times out when the test moves the timers"({ authenticate }, { advance, hasClock, equal }) {
    const timeout = hasClock ? 30_000 : 50;
    const call = authenticate({ ...options, timeout, fetch: mockFetch(hang).fetch }).catch((error) => error.code);
    if (!hasClock) await new Promise((done) => later(done, 100));
    await advance(30_000);
    equal(await promptly(call), "timeout");
  },

  async "a client that was made before time was faked goes on, and so does one after"({ DigitalpayeAuth }, { fake, restore, equal }) {
    restore();
    const early = new DigitalpayeAuth({ ...options, fetch: mockFetch(token).fetch });
    fake();
    equal((await promptly(early.getToken())).token, "opaque");
    const late = new DigitalpayeAuth({ ...options, fetch: mockFetch(token).fetch });
    restore();
    equal((await promptly(late.getToken())).token, "opaque");
    equal((await promptly(early.getToken({ forceRefresh: true }))).token, "opaque");
  },
};

/** The same where the date is faked, too. */
export const dateChecks = {
  async "a token ends with the faked clock"({ DigitalpayeAuth }, { advance, hasClock, setDate, equal }) {
    const { fetch, calls } = mockFetch(token);
    const auth = new DigitalpayeAuth({ ...options, fetch });
    await promptly(auth.getToken());
    if (hasClock) {
      await advance(300_000);
      await promptly(auth.getToken());
      equal(calls.length, 1);
      await advance(301_000);
    } else {
      setDate(Date.now() + 601_000);
    }
    await promptly(auth.getToken());
    equal(calls.length, 2);
  },

  async "a date that is set a month on ends a token, one that is set back does not"({ DigitalpayeAuth }, { setDate, equal }) {
    const { fetch, calls } = mockFetch(token);
    const auth = new DigitalpayeAuth({ ...options, fetch });
    await promptly(auth.getToken());
    setDate(Date.now() + 30 * 86_400_000);
    await promptly(auth.getToken());
    equal(calls.length, 2);
    setDate(Date.now() - 86_400_000);
    await promptly(auth.getToken());
    equal(calls.length, 2);
  },
};

export const checksFor = (fakes) => (fakes.setDate ? { ...checks, ...dateChecks } : checks);

/** Runs every check with time faked. `test` is the runner's. */
export function runChecks(test, api, fakes) {
  for (const [name, check] of Object.entries(checksFor(fakes))) {
    test(name, async () => {
      fakes.fake();
      try {
        await check(api, fakes);
      } finally {
        fakes.restore();
      }
    });
  }
}
