// One execution: an input is built, run in virtual time, and everything that must hold is checked.
import { track } from "../lib/tokens.mjs";
import { compare, judgeFields, kindOf } from "./compare.mjs";
import { base64, describe, isError, isToken, seen } from "./look.mjs";
import { judge } from "./oracle.mjs";
import { build, firstOf } from "./values.mjs";

/** What a call may end after its deadline, in virtual time: timers are whole milliseconds, and a late body is given some. */
const GRACE_MS = 30;
/** No call is waited for any longer: a timer of 24 days is armed again and again. */
const HORIZON_MS = 2e12;
/** How many timers may go off in one execution: a lease is asked for again and again, for as long as a call may take. */
const TIMERS = 2_000;
/** How long what goes on in a store may take once every client was disposed of: a write, then the lease's return, of 2 s each. */
const DRAIN_MS = 5_000;
const dispose = Symbol.dispose ?? Symbol.for("Symbol.dispose");

export async function run(world) {
  const { input } = world;
  const isClient = input.api === "client";
  const names = ["apiKey", "apiSecret", "environment", "baseUrl", "timeout", "maxRetries", "fetch", "onEvent", ...(isClient ? ["store", "waitUntil"] : [])];
  const verdict = judgeFields(world, input.options, names);
  note(world, input.options, verdict);
  const options = world.object(input.options);
  world.firstCall = input.call;
  const call = input.call && world.object(input.call);

  if (!isClient) {
    world.call("authenticate", () => (input.call ? world.api.authenticate(options, call) : world.api.authenticate(options)), { first: true, given: input.call });
  } else if (construct(world, options, verdict)) {
    for (const step of input.steps ?? [{ do: "getToken" }]) await take(world, step, call);
  }
  await settled(world);
  for (const each of world.calls) check(world, each);
  compare(world, verdict);
  await end(world);
}

/** What is known of the first client, whatever else is wrong with its options. */
function note(world, { fields = {}, value }, verdict) {
  const first = (name) => (fields[name] === undefined || value !== undefined ? undefined : firstOf(fields[name], world).value);
  const usable = (name) => judge(name, first(name), kindOf(fields[name])) === "good";
  world.timeout = (usable("timeout") && first("timeout")) || 30_000;
  world.maxRetries = usable("maxRetries") ? first("maxRetries") ?? 2 : 2;
  if (!usable("apiKey") || !usable("apiSecret")) return;
  world.key = first("apiKey");
  const secret = first("apiSecret");
  world.secret = typeof secret === "function" ? build(fields.apiSecret.value, world) : secret;
  world.asked = typeof secret !== "function" ? undefined : judge("apiSecret", world.secret) === "bad" ? "unfit" : fields.apiSecret.how;
  // Nobody has one that is unfit: what replies repeat is what the clients have that are made within.
  if (world.asked === "unfit") world.secret = world.marks.secret;
  world.basic = base64(`${world.key}:${world.secret}`);
  if (!verdict || verdict.bad.length > 0 || verdict.open.length > 0) return;
  const { origin, href } = new URL(String(first("baseUrl") ?? "https://api.digitalpaye.com"));
  world.origin = origin;
  world.url = `${href}${href.endsWith("/") ? "" : "/"}v1/auth`;
}

function construct(world, options, verdict) {
  try {
    world.client = new world.api.DigitalpayeAuth(options);
    world.clients.push(world.client);
    if (verdict?.bad.length > 0) world.problem(`the constructor took ${verdict.bad}`);
    return true;
  } catch (error) {
    isError(world, error, "the constructor");
    if (error?.code !== "invalid_options") world.problem(`the constructor threw ${describe(error)}`);
    else if (world.depth === 0 && verdict && ![...verdict.bad, ...verdict.open].includes(error.option)) world.problem(`the constructor blames ${error.option}, not ${verdict.bad}: ${error.message}${"cause" in error ? `, ${describe(error.cause)}` : ""}`);
    world.refused = true;
    return false;
  }
}

async function take(world, { do: what, call, act, value, ms, input, init }, shared) {
  const { client, time } = world;
  switch (what) {
    case "getToken": {
      const own = call ? world.object(call) : shared;
      if (call && world.calls.length === 0) world.firstCall = call;
      world.call("getToken", () => (own === undefined ? client.getToken() : client.getToken(own)), { first: world.calls.length === 0, given: call ?? world.input.call });
      break;
    }
    case "force": world.call("getToken", () => client.getToken({ forceRefresh: true })); break;
    case "invalidate": {
      const token = build(value ?? { $: "undefined" }, world);
      try {
        client.invalidate(token);
      } catch (error) {
        if (typeof token === "string" || token === undefined || error?.option !== "token") world.problem(`invalidate threw ${describe(error)}`);
        isError(world, error, "invalidate");
      }
      break;
    }
    case "fetch": world.call("fetch", () => (input?.$ === "nothing" ? client.fetch() : client.fetch(build(input, world), ...(init ? [build(init, world)] : []))), { timeout: Infinity }); break;
    case "advance": await time.advance(ms); break;
    case "dispose": client[dispose](); break;
    case "act": world.act(act); break;
    case "print": seen(world, client, "the client"); break;
    case "deep": deep(world, act); break;
    default:
  }
  await time.settle();
}

/** At each of the last levels of the stack: wherever in a call it may end, it does once. */
function deep(world, act) {
  let left;
  world.acted += 1;
  const recurse = () => {
    try {
      recurse();
    } catch {
      left = 300;
    }
    if ((left -= 1) < 0) return;
    const { calls, problems } = world;
    world.calls = [];
    world.problems = [];
    try {
      world.do(act);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    } finally {
      // That call may fail, as it likes.
      world.calls = calls;
      world.problems = problems;
    }
  };
  try {
    recurse();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  world.deep = true;
}

/** Goes on until every call has settled, or should have. */
async function settled(world) {
  const { time } = world;
  const pending = () => world.calls.filter(({ state, timeout }) => state === "pending" && timeout !== Infinity);
  const due = ({ begun, timeout }) => begun + Math.ceil(timeout) + world.backwards + GRACE_MS;
  let timers = TIMERS;
  await time.settle();
  while (timers > 0) {
    const waiting = pending().filter((call) => due(call) > time.now() && due(call) < HORIZON_MS);
    if (waiting.length === 0) break;
    const horizon = Math.max(...waiting.map(due));
    await time.until(() => (timers -= 1) < 0 || pending().length === 0, horizon);
  }
  for (const call of pending()) {
    if (due(call) < Math.min(HORIZON_MS, time.now() + 1)) world.problem(`${call.kind} has not settled ${time.now() - call.begun} ms after it began, with a timeout of ${call.timeout} ms`);
  }
}

function check(world, call) {
  const { kind, state, value, error, begun, at, timeout } = call;
  // In the same turn: whoever waits for longer has not heard of it.
  if (call.hasSignal && world.abortedAt !== undefined && !(at <= Math.max(world.abortedAt, begun))) {
    world.problem(`${kind} has not ended with the abort`);
  }
  if (state === "pending") return;
  const took = at - begun;
  if (took > Math.ceil(timeout) + world.backwards + GRACE_MS) world.problem(`${kind} took ${took} ms, with a timeout of ${timeout} ms`);
  if (state === "resolved") {
    if (kind !== "fetch") isToken(world, value, kind);
  } else if (!isReason(world, error, call)) {
    // What fetch rejects with is the platform's own, or another's.
    if (kind !== "fetch" || world.api.AuthError.is(error)) isError(world, error, kind);
  }
}

function isReason(world, error, { reasons }) {
  if (reasons.some((reason) => Object.is(reason, error))) return true;
  if (world.controller?.signal.aborted && Object.is(world.controller.signal.reason, error)) return true;
  return world.fakes.length > 0 && !world.api.AuthError.is(error);
}

/** Nothing goes on, nothing is kept, and the next exchange works. */
async function end(world) {
  const { time, api } = world;
  world.over = true;
  // An exchange that went by the book shows as much as another one would.
  if (world.compared && world.clients.length === 0 && world.hung.length === 0 && time.pending().length === 0) return;
  for (const client of world.clients) client[dispose]();
  for (const give of world.hung.splice(0)) give(new Error("over"));
  time.skew = 0;
  world.shift = 0;
  const exp = Math.floor(time.serverNow() / 1_000) + 600;
  const next = track(api.authenticate({ apiKey: "key", apiSecret: "other", maxRetries: 0, fetch: async () => plainReply(exp) }));
  await time.settle();
  if (next.value?.token !== "next" || next.value.exp !== exp) {
    world.problem(`the next exchange fails: ${next.error ? describe(next.error) : "it does not end"}`);
    world.poisoned = true;
  }
  if (time.pending().length > 0) await drain(world);
  time.clear();
}

/** Lets time go on until nothing of the package's is under way: what it waits for then is given up within seconds. */
async function drain(world) {
  const { time } = world;
  const ofPackage = () => time.pending().filter(({ id }) => !world.ours.has(id));
  if (!world.calls.some(({ state, kind }) => state === "pending" && kind !== "fetch")) {
    await time.advance(50);
    const kept = ofPackage().filter(({ ref }) => ref);
    if (kept.length > 0) world.problem(`${kept.length} timers keep the process when every call has settled and every client was disposed of`);
  }
  // A lease may be one of half a millisecond, and is renewed for as long as a write goes on.
  let timers = 2 * DRAIN_MS;
  await time.until(() => ofPackage().length === 0 || (timers -= 1) < 0, time.now() + DRAIN_MS);
  const left = ofPackage().length;
  if (left > 0) world.problem(`${left} timers are left ${DRAIN_MS} ms after every client was disposed of`);
}

/** Whether every client could be disposed of, after something else had failed. */
export function closed(world) {
  try {
    for (const client of world.clients) client[dispose]();
    return true;
  } catch {
    return false;
  }
}

/** What came of the calls, to be counted. */
export function outcomes(world) {
  if (world.refused) return ["invalid_options"];
  return world.calls.map(({ kind, state, error }) => {
    if (state !== "rejected") return kind === "fetch" && state === "resolved" ? "a response" : state === "resolved" ? "token" : "pending";
    return world.api.AuthError.is(error) ? error.code : kind === "fetch" ? "the platform's own" : "an abort's reason";
  });
}

function plainReply(exp) {
  let bytes = new TextEncoder().encode(`{"statusCode":200,"data":{"token":"next","exp":${exp}}}`);
  const read = async () => {
    const value = bytes;
    bytes = undefined;
    return { done: value === undefined, value };
  };
  return { status: 200, headers: { get: () => null }, body: { getReader: () => ({ read, cancel: async () => {} }) } };
}
