// The emulator's API: what only JavaScript can make, a Request, a Response and a timer. What is answered, and what a
// config or a script may say, is decided by the wasm module.
import { Config, Emulator, Script } from "../wasm/digitalpaye_emulator_bg.js";

// Taken now: a test may put faked ones in their place.
const stopwatch = globalThis.performance ?? Date;
const { now } = stopwatch;
const elapsed = () => Reflect.apply(now, stopwatch, []);
const { queueMicrotask: microtask } = globalThis;

export function createEmulator(config) {
  const settings = Config.read(config);
  const credentials = Object.freeze({ apiKey: settings.apiKey(), apiSecret: settings.apiSecret() });
  const clock = startClock();
  let api;
  let seeded;
  function reset() {
    api = new Emulator(settings);
    seeded = false;
  }
  reset();

  // Runs in the turn of its caller up to the first wait: a request is in the records as soon as fetch was called.
  async function fetch(input, init) {
    const signal = signalOf(input, init);
    const request = new Request(input, init?.signal ? withoutSignal(init) : init);
    if (signal?.aborted) throw signal.reason;
    if (request.body !== null) await discardBody(request, signal);
    if (!seeded) api.seed(crypto.getRandomValues(new Uint8Array(Emulator.keyLength())));
    seeded = true;
    // After a reset a request that is under way ends where it began.
    const server = api;
    const { pathname, search } = new URL(request.url);
    const { number, delayMs, act } = JSON.parse(server.receive(request.method, pathname + search, [...request.headers].flat()));
    try {
      if (delayMs > 0) await delay(delayMs, signal);
      if (act === "hang") await unlessAborted(signal, new Promise(() => {}));
      if (act === "reject") throw brokenConnection(new Error("the emulator's script breaks the connection"));
    } catch (error) {
      server.abandon(number);
      throw error;
    }
    const { body, ...head } = JSON.parse(server.answer(number, clock()));
    return new Response(body !== null && microtasksAreFaked() ? streamOf(body) : body, head);
  }

  return Object.freeze({
    credentials,
    fetch,
    script(steps) {
      const script = Script.read(steps);
      api.setScript(script);
      script.free();
    },
    advance: (seconds) => api.advance(seconds),
    revoke: (token) => api.revoke(token),
    requests: () => JSON.parse(api.requests()),
    reset,
  });
}

/**
 * The wall clock as it is now, and the time since by a stopwatch: another Date afterwards ends no token. At module scope both
 * of workerd's stand at 0, and both jump to the wall clock at the first request.
 */
function startClock() {
  const wall = Date.now();
  const started = elapsed();
  return () => wall + Math.max(0, elapsed() - started);
}

function signalOf(input, init) {
  const signal = init?.signal === undefined ? input?.signal : init.signal;
  if (signal != null && (typeof signal.aborted !== "boolean" || typeof signal.addEventListener !== "function")) {
    throw new TypeError("signal must be an AbortSignal");
  }
  return signal;
}

/** A Request refuses the signal of another implementation (jsdom's). A proxy, since an init may be a Request itself. */
function withoutSignal(init) {
  // Not over the init itself: a proxy may not say anything else of a member that is frozen.
  return new Proxy(Object.create(init), {
    get: (_, name) => (name === "signal" ? undefined : init[name]),
    // Vercel's edge runtime copies the init before it reads it.
    ownKeys: () => Reflect.ownKeys(init),
    getOwnPropertyDescriptor(_, name) {
      const own = Reflect.getOwnPropertyDescriptor(init, name);
      return own && { value: undefined, enumerable: own.enumerable, configurable: true };
    },
  });
}

async function discardBody(request, signal) {
  // Some Firefox releases have no `body`.
  if (!request.body) return unlessAborted(signal, request.arrayBuffer());
  // Not read where that would never end.
  if (microtasksAreFaked()) return void request.body.cancel().catch(() => {});
  const body = request.body.getReader();
  try {
    while (!(await unlessAborted(signal, body.read())).done);
  } catch (error) {
    body.cancel(error).catch(() => {});
    throw signal?.aborted ? signal.reason : brokenConnection(error);
  }
}

/** Node.js ends the stream of a string by the global queueMicrotask: where that is faked, it has no end. */
const microtasksAreFaked = () => globalThis.queueMicrotask !== microtask || Boolean(microtask?.clock);

const streamOf = (text) => new ReadableStream({
  start(controller) {
    if (text !== "") controller.enqueue(new TextEncoder().encode(text));
    controller.close();
  },
});

function delay(ms, signal) {
  let timer;
  const over = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  return unlessAborted(signal, over).finally(() => clearTimeout(timer));
}

/** As `promise`, or rejected with the signal's reason as soon as it is aborted. */
function unlessAborted(signal, promise) {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => {
      signal.removeEventListener("abort", abort);
      reject(signal.reason);
    };
    signal.addEventListener("abort", abort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
    if (signal.aborted) abort();
  });
}

/** What the platform's fetch rejects with when there is no response. */
const brokenConnection = (cause) => new TypeError("fetch failed", { cause });
