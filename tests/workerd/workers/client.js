// A client at module scope, shared by all requests, as one writes it.

import { memory } from "./memory.js";
import { env } from "cloudflare:workers";
import { DigitalpayeAuth, authenticate } from "digitalpaye-auth";
import { describe } from "./describe.js";

const { waitUntil, ...given } = JSON.parse(env.OPTIONS ?? "{}");
const options = { apiKey: env.API_KEY, apiSecret: env.API_SECRET, baseUrl: env.BASE_URL, ...given };

// What `waitUntil: "counted"` was given, and what became of it.
const handedOver = { count: 0, settled: 0 };
let context;
if (waitUntil === "counted") {
  options.waitUntil = (work) => {
    handedOver.count += 1;
    const settled = () => (handedOver.settled += 1);
    work.then(settled, settled);
    context.waitUntil(work);
  };
} else if (waitUntil === "throws") {
  options.waitUntil = () => {
    handedOver.count += 1;
    throw new Error("waitUntil throws");
  };
}

const auth = new DigitalpayeAuth(options);
const other = new DigitalpayeAuth({ ...options, apiKey: "another_key" });

let elsewhere;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const answer = (token) => ({ ...token, at: Date.now() });
const inBackground = (work) => void work.catch(() => {});

// Every form in which a body can be given that can be sent again, and one that cannot.
const form = (body, made) => (made.append("field", body), made);
const inputs = {
  text: (path, init) => [path, init],
  url: (path, init) => [new URL(path, env.BASE_URL), init],
  bytes: (path, { method, body }) => [path, { method, body: new TextEncoder().encode(body) }],
  buffer: (path, { method, body }) => [path, { method, body: new TextEncoder().encode(body).buffer }],
  blob: (path, { method, body }) => [path, { method, body: new Blob([body], { type: "application/json" }) }],
  parameters: (path, { method, body }) => [path, { method, body: form(body, new URLSearchParams()) }],
  form: (path, { method, body }) => [path, { method, body: form(body, new FormData()) }],
  request: (path, init) => [new Request(new URL(path, env.BASE_URL), init)],
  "request and headers": (path, init) => [new Request(new URL(path, env.BASE_URL), init), { headers: { "X-Trace": "1" } }],
  stream: (path, { method, body }) => [path, { method, body: new Response(body).body }],
};

const routes = {
  token: async ({ force, timeout }) =>
    answer(await auth.getToken({ forceRefresh: force === "1", ...(timeout && { signal: AbortSignal.timeout(Number(timeout)) }) })),
  other: async () => answer(await other.getToken()),
  once: async () => answer(await authenticate(options)),

  // Leads an exchange, or joins one, and answers `after` ms later, whatever has become of it.
  async early({ after, force }) {
    inBackground(auth.getToken({ forceRefresh: force === "1" }));
    if (after !== undefined) await pause(Number(after));
    return { early: true };
  },

  // The same, and the answer's body has no end until its client goes away.
  async stream() {
    inBackground(auth.getToken());
    const { readable, writable } = new TransformStream();
    const writer = writable.getWriter();
    inBackground(
      (async () => {
        for (let n = 0; n < 1_000; n += 1) {
          await writer.write(new TextEncoder().encode(".".repeat(100)));
          await pause(20);
        }
        await writer.close();
      })(),
    );
    return new Response(readable);
  },

  // Takes its token, thinks, and answers.
  async think({ ms }) {
    const token = answer(await auth.getToken());
    await pause(Number(ms));
    return token;
  },

  async fetch({ path, method = "GET", body, as = "text" }) {
    const response = await auth.fetch(...inputs[as](path, { method, body }));
    return { status: response.status, body: await response.text() };
  },

  // A fetch of ours whose caller aborts after `after` ms.
  async "fetch-aborted"({ path, after }) {
    const controller = new AbortController();
    const reason = new Error("enough");
    setTimeout(() => controller.abort(reason), Number(after));
    const began = Date.now();
    try {
      const response = await auth.fetch(path, { signal: controller.signal });
      return { aborted: false, status: response.status };
    } catch (error) {
      return { aborted: true, message: error.message, after: Date.now() - began };
    }
  },

  // `count` callers in one request, the first of which gives up after `after` ms; is it told in the same turn?
  async abort({ count, after, all }) {
    const reason = { why: "the caller's own reason" };
    const controllers = Array.from({ length: Number(count) }, () => new AbortController());
    const calls = controllers.map(({ signal }) => auth.getToken({ signal }));
    const outcomes = calls.map(() => "pending");
    calls.forEach((call, n) =>
      call.then(
        () => (outcomes[n] = "token"),
        (error) => (outcomes[n] = error === reason ? "own reason" : String(error)),
      ),
    );
    await pause(Number(after));
    const aborted = all === "1" ? controllers : controllers.slice(0, 1);
    for (const controller of aborted) controller.abort(reason);
    // Microtasks alone: no timer and no I/O may be needed for it.
    for (let n = 0; n < 50; n += 1) await null;
    const inSameTurn = [...outcomes];
    if (all !== "1") await Promise.allSettled(calls);
    return { inSameTurn, outcomes };
  },

  // A caller whose signal is another request's to abort.
  async "abort-elsewhere"() {
    elsewhere = new AbortController();
    const { signal } = elsewhere;
    let outcome;
    try {
      outcome = { token: (await auth.getToken({ signal })).token };
    } catch (error) {
      outcome = { ownReason: error === signal.reason };
    }
    // It is in its own request yet, if this works.
    return { ...outcome, next: (await auth.getToken()).token };
  },
  "abort-that"() {
    elsewhere.abort(new Error("from elsewhere"));
    return {};
  },

  async aborted() {
    const reason = new Error("before it began");
    try {
      await auth.getToken({ signal: AbortSignal.abort(reason) });
      return { refused: false };
    } catch (error) {
      return { refused: error === reason, ...describe(error) };
    }
  },

  invalidate({ token }) {
    auth.invalidate(token);
    return {};
  },
  dispose() {
    auth[Symbol.dispose]();
    return {};
  },
  state: () => ({ handedOver, memory: memory() }),
};

export default {
  async fetch(request, _env, ctx) {
    context = ctx;
    const { pathname, searchParams } = new URL(request.url);
    try {
      const answered = await routes[pathname.slice(1)](Object.fromEntries(searchParams));
      return answered instanceof Response ? answered : Response.json(answered);
    } catch (error) {
      return Response.json(describe(error));
    }
  },
};
