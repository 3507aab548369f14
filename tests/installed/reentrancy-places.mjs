// From where foreign code calls the client back, and what it does there.
import { track } from "../lib/tokens.mjs";
import { SECOND, api, client as virtualClient, now, time } from "../lib/virtual-client.mjs";

export const client = (options) => virtualClient({ timeout: 10_000, ...options });

/** What foreign code may do with the client in the middle of things; `calls` are to settle all the same. */
export const actions = {
  "getToken()": (auth, calls) => calls.push(track(auth.getToken())),
  "getToken({})": (auth, calls) => calls.push(track(auth.getToken({}))),
  "getToken({ signal })": (auth, calls) => calls.push(track(auth.getToken({ signal: new AbortController().signal }))),
  "getToken({ signal: aborted })": (auth, calls) => calls.push(track(auth.getToken({ signal: AbortSignal.abort() }))),
  "forceRefresh": (auth, calls) => calls.push(track(auth.getToken({ forceRefresh: true }))),
  "invalidate()": (auth) => auth.invalidate(),
  'invalidate("another")': (auth) => auth.invalidate("another"),
  "fetch()": (auth, calls) => calls.push(track(auth.fetch("/x"))),
  "dispose": (auth) => auth[Symbol.dispose](),
  "a call and its abort": (auth, calls) => {
    const controller = new AbortController();
    calls.push(track(auth.getToken({ signal: controller.signal })));
    controller.abort();
  },
  "everything": (auth, calls) => {
    for (const [name, action] of Object.entries(actions)) if (name !== "everything") action(auth, calls);
  },
};

/**
 * From where it may be done. Each gets `act`, which does it once, builds a client whose foreign code calls it, and brings
 * that about.
 */
export const places = {
  "a custom fetch": async (act) => {
    const auth = client({
      fetch: (...args) => {
        const sent = api.fetch(...args);
        act(auth);
        return sent;
      },
    });
    return { auth, calls: [await now(auth)] };
  },
  "a custom fetch that then throws": async (act) => {
    let first = true;
    const auth = client({
      fetch: (...args) => {
        act(auth);
        if (!first) return api.fetch(...args);
        first = false;
        throw new TypeError("no network");
      },
    });
    return { auth, calls: [await now(auth)] };
  },
  "an abort listener on the exchange's signal, at invalidate()": async (act) => {
    const auth = client({
      fetch: (url, init) => {
        init.signal?.addEventListener("abort", () => act(auth));
        return api.fetch(url, init);
      },
    });
    const calls = [await now(auth)];
    auth.invalidate();
    return { auth, calls };
  },
  "an abort listener on the exchange's signal, at a time-out": async (act) => {
    const auth = client({
      fetch: (url, init) => {
        init.signal?.addEventListener("abort", () => act(auth));
        return api.fetch(url, init);
      },
    });
    const calls = [await now(auth)];
    await time.advance(5 * SECOND);
    calls.push(await now(auth));
    await time.advance(5 * SECOND);
    return { auth, calls };
  },
  "an abort listener on the exchange's signal, at the last caller's abort": async (act) => {
    const auth = client({
      fetch: (url, init) => {
        init.signal?.addEventListener("abort", () => act(auth));
        return api.fetch(url, init);
      },
    });
    const controller = new AbortController();
    const calls = [await now(auth, { signal: controller.signal })];
    controller.abort();
    return { auth, calls };
  },
  "an abort listener on the exchange's signal, before a retry": async (act) => {
    const auth = client({
      maxRetries: 2,
      fetch: (url, init) => {
        init.signal?.addEventListener("abort", () => act(auth));
        return api.fetch(url, init);
      },
    });
    const calls = [await now(auth)];
    api.last.fail(503);
    await time.settle();
    return { auth, calls };
  },
  "an abort listener on a caller's signal, ahead of ours": async (act) => {
    const auth = client();
    const controller = new AbortController();
    controller.signal.addEventListener("abort", () => act(auth));
    const calls = [await now(auth, { signal: controller.signal }), await now(auth)];
    controller.abort();
    return { auth, calls };
  },
  "an abort listener on a caller's signal, behind ours": async (act) => {
    const auth = client();
    const controller = new AbortController();
    const calls = [await now(auth, { signal: controller.signal }), await now(auth, { signal: controller.signal })];
    controller.signal.addEventListener("abort", () => act(auth));
    controller.abort();
    return { auth, calls };
  },
  "waitUntil": async (act) => {
    let renews = false;
    const auth = client({ waitUntil: () => renews && act(auth) });
    const first = await now(auth);
    api.last.token(600);
    await first.settled;
    await time.advance(500 * SECOND);
    renews = true;
    return { auth, calls: [await now(auth)] };
  },
  "waitUntil, before there is a token": async (act) => {
    const auth = client({ waitUntil: () => act(auth) });
    return { auth, calls: [await now(auth)] };
  },
  "an AbortController of the page's own": async (act) => {
    const { AbortController: platform } = globalThis;
    const auth = client();
    globalThis.AbortController = class extends platform {
      get signal() {
        act(auth);
        return super.signal;
      }
    };
    try {
      return { auth, calls: [await now(auth)] };
    } finally {
      globalThis.AbortController = platform;
    }
  },
  "dice of the page's own": async (act) => {
    const { random } = Math;
    const auth = client();
    const calls = [await now(auth)];
    Math.random = () => {
      act(auth);
      return 0.5;
    };
    try {
      api.last.token(600);
      await time.settle();
    } finally {
      Math.random = random;
    }
    return { auth, calls };
  },
  "a getter of the call's signal": async (act) => {
    const auth = client();
    const call = {
      get signal() {
        act(auth);
        return new AbortController().signal;
      },
    };
    return { auth, calls: [await now(auth, call)] };
  },
  "a getter of forceRefresh": async (act) => {
    const auth = client();
    const call = {
      get forceRefresh() {
        act(auth);
        return true;
      },
    };
    return { auth, calls: [await now(auth, call)] };
  },
  "a proxy's traps": async (act) => {
    const auth = client();
    const call = new Proxy({}, { get: () => void act(auth) });
    return { auth, calls: [await now(auth, call)] };
  },
  "the status of a custom fetch's response": async (act) => {
    const auth = client({
      fetch: async (...args) => {
        const response = await api.fetch(...args);
        return new Proxy(response, {
          get: (target, name) => {
            act(auth);
            const value = Reflect.get(target, name, target);
            return typeof value === "function" ? value.bind(target) : value;
          },
        });
      },
    });
    const calls = [await now(auth)];
    api.last.token(600);
    await time.settle();
    return { auth, calls };
  },
  "the body of a custom fetch's response": async (act) => {
    const auth = client({
      fetch: async (...args) => {
        const response = await api.fetch(...args);
        const bytes = new Uint8Array(await response.arrayBuffer());
        const stream = new ReadableStream({
          pull: (controller) => {
            act(auth);
            controller.enqueue(bytes);
            controller.close();
          },
        }, { highWaterMark: 0 });
        return new Response(stream, { status: response.status, headers: response.headers });
      },
    });
    const calls = [await now(auth)];
    api.last.token(600);
    await time.settle();
    return { auth, calls };
  },
  "an accessor of Object.prototype that promises look for": async (act) => {
    const auth = client();
    const calls = [await now(auth)];
    api.last.token(600);
    let reads = 0;
    Object.defineProperty(Object.prototype, "then", {
      configurable: true,
      get() {
        if (Object.hasOwn(this, "exp") && (reads += 1) === 1) act(auth);
        return undefined;
      },
    });
    try {
      await time.settle();
    } finally {
      delete Object.prototype.then;
    }
    return { auth, calls };
  },
};
