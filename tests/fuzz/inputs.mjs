// Draws an input: everything that one execution does, in JSON. Mostly one part of it is hostile and the rest is not, so that
// the oracle has something to say; at times all of it is.
import { drawAct, drawReply } from "./replies.mjs";
import { wild } from "./values.mjs";

const KEYS = ["key", "key", "k", "marchand-é", "clé \u{1f511}", "a=b&c", "%3A"];
const SECRETS = ["«mark»", "«mark»", "x«mark»:y", "«mark»é\u{1f511}", "s", ":", "«mark»\u0085"];
const TIMEOUTS = [0.5, 50, 1_000, 5_000, 5_000, 30_000, 30_000, 1_000_000, 1e12];
const BASES = ["http://127.0.0.1:9", "http://127.0.0.1:9", "http://localhost:9/p", "https://h.example", "https://h.example/p/", "http://[::1]:9", { $: "url", href: "https://h.example/q" }];
const SHAPES = ["bare", "inherited", "frozen", "through", "function", "class", "foreign"];
const METHODS = ["fine", "fine", "throws", "rejects", "hangs", "gives", "resolves", "thenable", "acts", "late", "nothing"];

/** What an `apiSecret` function does. */
const ASKED = ["gives", "gives", "gives", "resolves", "resolves", "changes", "late", "throws", "rejects", "unfit", "hangs", "acts", "thenable"];

const GOOD = '{"statusCode":200,"data":{"token":"«token»","exp":«now+600»}}';

export function drawInput(dice) {
  const { chance, pick, below } = dice;
  const everything = chance(0.05);
  const part = pick(["replies", "replies", "options", "call", "fetch", "fetch", "client", "client", "clock", "none"]);
  const hostile = (name) => everything || part === name;
  const isClient = hostile("client") || chance(0.35);
  const input = {
    api: isClient ? "client" : "authenticate",
    options: drawOptions(dice, hostile("options")),
    replies: Array.from({ length: 1 + below(3) }, () => drawReply(dice, { hostile: hostile("fetch") && chance(0.8) })),
    random: pick([0, 0.5, 0.999]),
  };
  if (hostile("call") || chance(0.15)) input.call = drawCall(dice, hostile("call"));
  if (hostile("clock") || chance(0.05)) input.clock = drawClock(dice);
  else if (chance(0.2)) input.skew = pick([-3_600_000, 3_600_000, 250]);
  if (isClient && (hostile("client") || chance(0.1))) {
    if (chance(0.6)) {
      const { fields } = input.options;
      fields.store = drawStore(dice);
      // A lease is asked for every 400 ms, for half of that time.
      if (fields.timeout > 30_000) fields.timeout = 5_000;
    }
    if (chance(0.3)) input.options.fields.waitUntil = drawMethod(dice);
    if (chance(0.05)) input.digest = drawMethod(dice);
    input.steps = Array.from({ length: 1 + below(6) }, () => drawStep(dice));
    if (chance(0.4)) input.resources = Array.from({ length: 1 + below(2) }, () => (chance(0.5) ? { whole: { status: pick([200, 401, 401, 500, 302]), headers: {}, via: "response", body: { text: "{}" } } } : drawReply(dice, { hostile: true })));
  }
  if (input.steps && chance(0.2)) {
    // Into the windows in which a token is renewed, behind a caller or before one.
    input.replies.unshift({ whole: { status: 200, headers: {}, via: "object", body: { text: GOOD } } });
    input.steps.unshift({ do: "getToken" }, { do: "advance", ms: pick([485_000, 592_000, 599_000, 600_000]) }, { do: "getToken" });
  }
  if (chance(0.000_3)) input.steps = [...(input.steps ?? []), { do: "deep", act: pick(["getToken", "force", "invalidate", "make", "abortedCall", "fetch"]) }, { do: "getToken" }];
  if (input.steps) input.api = "client";
  return input;
}

function drawOptions(dice, hostile) {
  const { chance, pick, below } = dice;
  const fields = { apiKey: pick(KEYS), apiSecret: pick(SECRETS), fetch: { $: "fetch" }, timeout: pick(TIMEOUTS), maxRetries: pick([0, 0, 1, 2, 3, 10]) };
  if (chance(0.8)) fields.baseUrl = pick(BASES);
  if (chance(0.3)) fields.environment = pick(["Sandbox", "Production", "x~!", { $: "undefined" }]);
  if (chance(0.1)) delete fields.fetch;
  if (chance(0.1)) delete fields.timeout;
  if (chance(0.15)) fields.apiSecret = { $: "asked", how: pick(ASKED), value: pick(SECRETS), ...(chance(0.3) && { act: drawAct(dice) }) };
  if (chance(0.2)) fields.onEvent = { ...drawMethod(dice), $: "listener" };
  const options = { fields };
  if (!hostile) return options;
  const good = { ...fields };
  const names = ["apiKey", "apiSecret", "environment", "baseUrl", "timeout", "maxRetries", "fetch", "store", "waitUntil", "onEvent"];
  for (let left = below(4); left > 0; left -= 1) {
    const name = pick(names);
    if (chance(0.1)) delete fields[name];
    else fields[name] = drawProperty(dice, good[name] ?? { $: "undefined" });
  }
  if (chance(0.2)) options.shape = pick(SHAPES);
  else if (chance(0.1)) options.value = wild(dice);
  return options;
}

function drawProperty(dice, good) {
  const { chance, below } = dice;
  switch (below(6)) {
    case 0: return { $: "throws", value: wild(dice) };
    case 1: return { $: "changes", values: [chance(0.7) ? good : wild(dice), wild(dice)] };
    case 2: return { $: "acts", act: drawAct(dice), value: chance(0.8) ? good : wild(dice) };
    case 3: return chance(0.003) ? { $: "recurses", value: good } : wild(dice);
    default: return wild(dice);
  }
}

function drawCall(dice, hostile) {
  const { chance, pick } = dice;
  const signal = () => ({ $: "signal", is: pick(["live", "aborted", "at", "at"]), ms: pick([1, 30, 600, 4_000]), ...(chance(0.7) && { reason: hostile ? wild(dice) : pick(["enough", { $: "error", name: "AbortError" }]) }) });
  if (!hostile) return { fields: { signal: signal() } };
  if (chance(0.15)) return { value: wild(dice) };
  const fields = {};
  if (chance(0.8)) fields.signal = chance(0.3) ? signal() : chance(0.5) ? drawFake(dice) : drawProperty(dice, signal());
  if (chance(0.4)) fields.forceRefresh = drawProperty(dice, true);
  return { fields, ...(chance(0.2) && { shape: pick(SHAPES) }) };
}

/** What looks like a signal, and does as told. */
const drawFake = (dice) => ({
  $: "fakeSignal",
  listen: dice.pick(["fine", "throws", "fires", "firesTwice", "gives", "acts"]),
  unlisten: dice.pick(["fine", "throws", "none", "acts"]),
  reason: dice.chance(0.3) ? { $: "throws", value: wild(dice) } : wild(dice),
  aborted: dice.pick([false, false, false, true, { $: "acts", act: drawAct(dice), value: false }, wild(dice)]),
  act: drawAct(dice), value: wild(dice),
});

function drawMethod(dice) {
  const how = dice.pick(METHODS);
  return { $: "method", how, ...(["throws", "rejects", "gives", "resolves"].includes(how) && { value: wild(dice) }), ...(how === "acts" && { act: drawAct(dice) }), ...(how === "late" && { ms: dice.pick([1, 500, 1_999, 2_001, 20_000]) }) };
}

function drawStore(dice) {
  const { chance, pick } = dice;
  const store = { $: "store", get: drawMethod(dice), set: drawMethod(dice) };
  for (const name of ["delete", "acquire", "release"]) if (chance(0.5)) store[name] = drawMethod(dice);
  if (chance(0.3)) {
    store.get = { $: "method", how: "resolves", value: { $: "object", members: {
      token: pick(["«token»", "«token» x", "", 5, { $: "throws", value: "no" }, { $: "acts", act: drawAct(dice), value: "«token»" }]),
      exp: pick([{ $: "now", plus: 600 }, { $: "now", plus: -1 }, { $: "now", plus: 90_000 }, 0.5, null, wild(dice)]),
      ...(chance(0.5) && { ttlSeconds: pick([5, 600, 0, -1, 86_400, 86_401, { $: "nan" }, wild(dice)]) }),
    } } };
  }
  if (store.acquire && chance(0.4)) store.acquire = { $: "method", how: "resolves", value: pick([true, false, false, wild(dice)]) };
  return store;
}

function drawStep(dice) {
  const { chance, pick } = dice;
  switch (dice.below(12)) {
    case 0: return { do: "force" };
    case 1: return { do: "invalidate", ...(chance(0.5) && { value: wild(dice) }) };
    case 2: case 3: return drawFetch(dice);
    case 4: case 5: return { do: "advance", ms: pick([1, 300, 2_100, 5_000, 31_000, 480_000, 599_000, 601_000]) };
    case 6: return chance(0.3) ? { do: "dispose" } : { do: "turn" };
    case 7: return { do: "getToken", call: drawCall(dice, chance(0.3)) };
    case 8: return { do: "act", act: drawAct(dice) };
    case 9: return { do: "print" };
    default: return { do: "getToken" };
  }
}

function drawFetch(dice) {
  const { chance, pick } = dice;
  const step = { do: "fetch", input: "/v1/balance" };
  if (chance(0.3)) step.input = pick(["https://elsewhere.example/x", "//elsewhere.example", { $: "nothing" }, wild(dice)]);
  else if (chance(0.3)) step.input = { $: "request", path: pick(["/x", "/x", "https://elsewhere.example/"]), ...pick([{}, { headers: { "X-Environment": "Sandbox", authorization: "Bearer none" } }, { method: "POST", body: "text" }, { method: "PUT", body: "text", used: true }]) };
  if (chance(0.3)) {
    const members = { method: "POST", body: pick(["text", { $: "bytes" }, { $: "stream" }, { $: "through", of: "object" }, wild(dice)]), duplex: "half" };
    if (chance(0.3)) members.signal = pick([null, { $: "signal", is: "live" }, { $: "signal", is: "aborted", reason: "enough" }, wild(dice)]);
    if (chance(0.3)) members.headers = pick([{ $: "object", members: { a: "b" } }, { $: "list", items: [] }, wild(dice)]);
    step.init = chance(0.8) ? { $: "object", members } : wild(dice);
  }
  return step;
}

const drawClock = ({ pick, below }) => ({
  skew: pick([0, -3_600_000, 86_400_000, -1e12, 1e12]),
  jumps: Array.from({ length: below(4) }, () => ({ at: pick([0, 1, 50, 900, 20_000]), wall: pick([0, 0, 3_600_000, -3_600_000, 1e12]), monotonic: pick([0, 0, 1_000, 3_600_000, -1_000, -4_000]) })),
});
