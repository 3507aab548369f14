// An execution beside the oracle: which options are wrong, and what the call had to end with.
import { isObject } from "./look.mjs";
import { isRetryable, judge } from "./oracle.mjs";
import { build, firstOf } from "./values.mjs";

/** The fields that are wrong, and those that may be; `undefined` for an object that is none. */
export function judgeFields(world, { fields = {}, value }, names) {
  if (value !== undefined) {
    const built = build(value, world);
    return isObject(built) ? undefined : { bad: built === undefined && !names.includes("apiKey") ? [] : ["options", "call"], open: [] };
  }
  const bad = [];
  const open = [];
  for (const name of names) {
    const { throws, value: first } = firstOf(name in fields ? fields[name] : { $: "undefined" }, world);
    const verdict = throws ? "bad" : judge(name, first, kindOf(fields[name]));
    if (verdict === "bad") bad.push(name);
    if (verdict === "either") open.push(name);
  }
  return { bad, open };
}

/** What the judge cannot see of an object: whether it is the platform's, or nothing of the sort. */
export function kindOf(description) {
  if (description?.$ === "asked") return "asked";
  const of = description?.$ === "acts" ? description.value : description?.$ === "changes" ? description.values[0] : description;
  if (of?.$ === "url" || (of?.$ === "plain" && of.of === "url")) return "url";
  if (of?.$ === "signal" || (of?.$ === "plain" && of.of === "signal")) return "signal";
  if (["list", "bytes", "error", "promise", "converting", "boxed", "object"].includes(of?.$)) return "bad";
  return undefined;
}

/** Where the only call of the execution had whole replies and nobody interfered. */
export function compare(world, verdict) {
  const { input, calls: [call], sends } = world;
  if (!call?.first || world.calls.length > 1 || world.acted > 0 || call.state === "pending") return;
  const callVerdict = world.firstCall ? judgeFields(world, world.firstCall, ["signal", ...(input.api === "client" ? ["forceRefresh"] : [])]) : { bad: [], open: [] };
  if (!verdict || !callVerdict) return;
  if (input.api === "client" && (input.steps?.length > 1 || input.options.fields?.store || input.digest)) return;
  const { value } = call;
  const error = world.api.AuthError.is(call.error) ? call.error : undefined;
  if (error === undefined && value === undefined && !world.controller?.signal.aborted && world.fakes.length === 0) return;
  const wrong = [...verdict.bad, ...callVerdict.bad];
  const open = [...verdict.open, ...callVerdict.open];
  if (error?.code === "invalid_options") {
    if (![...wrong, ...open].includes(error.option)) world.problem(`${error.option} was refused: ${error.message}`);
    if ("cause" in error && !world.thrown.some((thrown) => Object.is(thrown, error.cause))) world.problem(`the cause of ${error.option} is not what was thrown`);
    if (sends.length > 0) world.problem("a request was sent for options that were refused");
    return;
  }
  const signal = world.controller?.signal;
  if (open.length > 0 || world.fakes.length > 0) return;
  if (wrong.length > 0) return void (signal?.aborted || world.problem(`${wrong} was taken`));
  if (signal?.aborted) {
    if (world.firstCall?.fields?.signal?.is === "aborted" && (!Object.is(call.error, signal.reason) || sends.length > 0)) world.problem("an aborted signal was not refused");
    // Whatever came first.
    return;
  }
  if (!world.sentByUs()) return;
  if (["throws", "rejects", "unfit"].includes(world.asked)) {
    // Without a secret there is no request.
    if (!(error && ["credentials", "timeout"].includes(error.code)) || sends.length > 0) world.problem(`${error?.code} after ${sends.length} requests, without a secret`);
    return;
  }
  // When its answers come, or which, is not followed here.
  if (!["gives", "resolves", undefined].includes(world.asked)) return;
  compareAttempts(world, call, error, value);
  world.compared = world.problems.length === 0;
}

function compareAttempts(world, { begun, at, timeout }, error, value) {
  const { sends, maxRetries, input } = world;
  const jumped = (input.clock?.jumps ?? []).length > 0;
  const n = sends.length;
  if (n === 0 || n > maxRetries + 1) return world.problem(`${n} requests, with ${maxRetries} retries`);
  if (error && error.attempts !== n) world.problem(`${error.attempts} attempts, and ${n} requests`);
  const last = sends[n - 1];
  const elapsed = at - begun;
  const outOfTime = elapsed >= timeout - 1;
  // A token that has ended by the time it is there: another attempt takes its place, or that is the error.
  const mayHaveEnded = (send, until) => send.expected?.some(({ life }) => life !== undefined && (jumped || life === "either" || until - send.at >= life * 1_000 - 1));
  if (value !== undefined ? !last.expected?.some(({ token, exp }) => token === value.token && exp === value.exp) && !last.codes?.includes("*")
    : !mayEndWith(world, last, error, outOfTime) && !(error.code === "invalid_response" && mayHaveEnded(last, at))) {
    return world.problem(`ended with ${error ? `${error.code} (status ${error.status}, reason ${error.reason === undefined ? "none" : "some"}, ${error.message})` : "a token"}, after ${n} of ${maxRetries + 1} attempts, but for ${expectation(last)}`);
  }
  for (const [index, send] of sends.slice(0, -1).entries()) {
    if (mayHaveEnded(send, sends[index + 1].at)) continue;
    const codes = send.expected ? send.expected.filter(({ code, status }) => isRetryable(code, status)) : send.codes?.filter((code) => code === "*" || isRetryable(code, 408));
    if (codes?.length === 0) return world.problem(`tried again after ${expectation(send)}`);
    const wait = sends[index + 1].at - send.at;
    const after = send.expected?.length === 1 ? send.expected[0].retryAfter : "either";
    if (!jumped && !send.slow && after !== "either" && (after > 0 ? wait < after * 1_000 - 1 : wait > Math.min(5_000, 250 * 2 ** (index + 1)) + 2)) {
      return world.problem(`waited for ${wait} ms, with a Retry-After of ${after}`);
    }
  }
  const after = last.expected?.length === 1 ? last.expected[0].retryAfter : "either";
  if (!jumped && error?.retryable && n <= maxRetries && after !== "either") {
    const wait = after > 0 ? after * 1_000 : Math.min(5_000, 250 * 2 ** n);
    if (elapsed + wait < timeout - 1) return world.problem(`gave up after ${n} of ${maxRetries + 1} attempts and ${elapsed} of ${timeout} ms, for ${error.code}`);
  }
  return undefined;
}

function mayEndWith(world, { expected, codes, causes, slow }, error, outOfTime) {
  // A clock that jumps away from the timers may be past the deadline before them.
  if (["timeout", "network"].includes(error.code) && (world.input.clock?.jumps ?? []).length > 0) return true;
  if (error.code === "timeout") return outOfTime;
  if (error.code === "network" && causes.length > 0 && !causes.some((cause) => Object.is(cause, error.cause)) && !isOfParser(causes)) {
    world.problem("the cause is not what fetch rejected with");
  }
  if (codes) return codes.includes(error.code) || codes.includes("*");
  if (!expected) return slow && outOfTime;
  return expected.some((each) => each.code === error.code && each.status === error.status
    // What came too late, by a clock that jumps, was not read.
    && (each.reason === error.reason || (error.reason === undefined && (world.input.clock?.jumps ?? []).length > 0))
    && (each.retryAfter === "either" || (each.retryAfter === undefined ? error.retryAfter === undefined : Math.abs(each.retryAfter - error.retryAfter) <= 1)));
}

const expectation = ({ expected, codes }) => JSON.stringify(expected?.map(({ token, code, status, reason }) => (token === undefined ? { code, status, reason: reason === undefined ? "none" : "some" } : "a token")) ?? codes ?? "no answer");

function isOfParser(causes) {
  try {
    for (let error = causes[0], left = 5; isObject(error) && left > 0; error = error.cause, left -= 1) if (error.name === "HTTPParserError" || error.code?.startsWith("HPE_")) return true;
  } catch {
    // A stranger's.
  }
  return false;
}
