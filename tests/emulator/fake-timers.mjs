// What a test with faked timers sees of the emulator, for any runner of sinon's kind: `fake()` fakes everything that there is
// to fake, `advance(ms)` moves it, `setDate(ms)` sets the faked wall clock.
export async function fakeTimers({ createEmulator, DigitalpayeAuth }, { fake, advance, setDate, equal }) {
  const early = createEmulator();
  fake();
  equal(setTimeout.clock !== undefined && queueMicrotask.clock !== undefined, true, "timers and microtasks are faked");
  for (const emulator of [early, createEmulator()]) {
    const authorization = `Basic ${btoa("emulator_key:emulator_secret")}`;
    const exchange = (init) => emulator.fetch("https://h/v1/auth", { method: "POST", headers: { authorization }, ...init });
    const statusOf = async (token) => (await emulator.fetch("https://h/v1/balance", { headers: { authorization: `Bearer ${token}` } })).status;

    // No timer has to be moved for an answer, whatever the body is.
    const { data: { token } } = await (await exchange()).json();
    equal((await exchange({ body: "text" })).status, 200, "a text as body");
    equal((await emulator.fetch(new Request("https://h/v1/auth", { method: "POST", headers: { authorization }, body: "text" }))).status, 200, "a Request with a body");

    // A wall clock that is set ends no token, nor does a timer that is moved.
    setDate(Date.now() + 10 * 365 * 86_400_000);
    await advance(3_600_000);
    equal(await statusOf(token), 200, "the token after ten faked years");
    // Its own clock runs meanwhile: a busy machine has some seconds for what is asked here.
    emulator.advance(580);
    equal(await statusOf(token), 200, "the token after 580 s");
    emulator.advance(20);
    equal(await statusOf(token), 401, "the token after 600 s");

    // delayMs waits for the test to move the timers.
    emulator.script([{ delayMs: 5_000, status: 503 }]);
    let status;
    const delayed = exchange().then((response) => { status = response.status; });
    await advance(4_999);
    equal(status, undefined, "before the delay is over");
    await advance(1);
    await delayed;
    equal(status, 503, "after it");

    // And a client of the package.
    const auth = new DigitalpayeAuth({ ...emulator.credentials, fetch: emulator.fetch });
    emulator.script([{ status: 503, times: 2 }]);
    // What the client itself waits for is its own: the timers go on until it is there.
    const meanwhile = async (promise) => {
      let settled = false;
      const done = promise.finally(() => (settled = true));
      for (let turn = 0; turn < 100 && !settled; turn += 1) await advance(50);
      return done;
    };
    equal((await meanwhile(auth.fetch("/v1/balance"))).status, 200, "after two retries");
    equal((await meanwhile(auth.fetch("/v1/payments", { method: "POST", body: "x" }))).status, 404, "with a body");
  }
}
