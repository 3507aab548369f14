// What fetch does: whole replies, which the oracle reads too, and everything that no reply should be. Described in JSON.
import { LyingBuffer, LyingBytes } from "../lib/lying.mjs";
import { codeOf, readReply } from "./oracle.mjs";
import { build, property, wild } from "./values.mjs";

/** Whole replies, or not: `{ whole }`, `{ strange }`, `{ fetch: kind }`. */
export function drawReply(dice, { hostile }) {
  if (!hostile) return { whole: drawWhole(dice) };
  const { pick, chance, below } = dice;
  switch (below(10)) {
    case 0: return { fetch: "throws", value: drawThrown(dice) };
    case 1: return { fetch: "rejects", value: drawThrown(dice) };
    case 2: return { fetch: "gives", value: wild(dice) };
    case 3: return { fetch: "never", deaf: chance(0.5) };
    case 4: return { fetch: "thenable", how: pick(THENABLES), whole: drawWhole(dice) };
    case 5: return { fetch: "late", ms: pick([1, 40, 900, 5_000, 40_000]), whole: drawWhole(dice) };
    case 6: return { fetch: "acts", act: drawAct(dice), whole: drawWhole(dice) };
    default: return { strange: drawStrange(dice) };
  }
}

export const ACTS = ["getToken", "force", "invalidate", "invalidateOther", "fetch", "dispose", "abortedCall", "abort", "authenticate",
  "authenticateBadly", "make", "makeBadly", "all"];
export const drawAct = ({ pick }) => pick(ACTS);
const THENABLES = ["now", "twice", "throwing", "getter", "never", "late", "nested", "rejecting"];

function drawThrown(dice) {
  return dice.chance(0.2) ? { $: "parser", depth: dice.below(3), ...dice.pick([{ name: "Error", code: "HPE_INVALID_HEADER_TOKEN" }, {}, { code: "HPE_INVALID_HEADER_TOKEN" }]), text: "HTTP/1.1 200\r\n«token»" } : wild(dice);
}

const STATUSES = [400, 401, 403, 404, 408, 418, 429, 500, 502, 503, 504, 599, 301, 302, 307, 201, 202, 206, 204, 304];
const ODD_STATUSES = [100, 101, 199, 299, 0, 600, 601, 999, 1000, -1, 65_536];

function drawWhole(dice) {
  const { chance, pick, below } = dice;
  const headers = {};
  if (chance(0.5)) headers.date = pick(["«date»", "«date»", "«date+30»", "«date-3600»", "«date+3600»", "nonsense", "2026-01-15", "«now»"]);
  if (chance(0.1)) headers.age = pick(["0", "5", "nonsense"]);
  if (chance(0.15)) headers["retry-after"] = pick(["0", "1", "3", "120", "99999999", "«date+2»", "«date-5»", "«date+500»", "soon", "-1", "1.5", "0.2", "1e3", "3, 120", "2.5,9", "«date+2», 1", ", 1", "1.", "1.5.2"]);
  const via = pick(["response", "object", "object", "buffer"]);
  const status = chance(0.6) ? 200 : via === "response" || chance(0.8) ? pick(STATUSES) : pick(ODD_STATUSES);
  const whole = { status, headers, via, body: drawBody(dice) };
  if (via === "object" && chance(0.5)) whole.pieces = 1 + below(4);
  return whole;
}

const TOKENS = ['"«token»"', '"«token»"', '"«token»"', '"«token»="', '"«token»=="', '"«token»/+-._~"', '"«token» x"', '" «token»"', '"«token»\\n"',
  '"=«token»"', '"«token»=x"', '"é«token»"', '"\\u0000"', '"\\ud800«token»"', '""', '"="', '"Bearer «token»"', "null", "5", '["«token»"]', "{}", "true",
  '"\\u0065yJ«token»"', '"a.b.c"', '"a..c"', '"..."', '"«token»%20"', '"«token»,"'];
const CLAIMS = ['{"iat":«now»,"exp":«now+600»}', '{"iat":«now»,"exp":«now+600»}', '{"iat":«now-599»,"exp":«now+600»}', '{"iat":«now+3600»,"exp":«now+4200»}',
  '{"iat":«now-601»,"exp":«now-1»}', '{"iat":«now»}', '{"exp":«now+5»}', '{"iat":«now»,"exp":«now»}', '{"iat":"«now»","exp":null}', "{}", "[]", "null", '"text"', "{",
  '{"iat":1e308,"exp":-1e308}', '{"iat":0,"exp":86400}', '{"iat":0,"exp":86401}', '{"iat":«now».5,"exp":«now+600».5}', '{"__proto__":{"iat":0},"exp":«now+600»}',
  '{"iat":«now»,"iat":0,"exp":«now+600»}', '{"iat":1e400}', '{"iat":-0,"exp":1}', '\ufeff{"iat":0}', '{"iat":«now»,"exp":«now+86400»}', '{"iat":«now»,"exp":«now+86401»}'];
const EXPS = ["«now»", "«now+1»", "«now-1»", "«now+2»", "«now+86399»", "«now+86400»", "«now+86401»", "«now+600».0", "«now+600».5", '"«now+600»"', "null", "true",
  "0", "-1", "-0", "1e400", "-1e400", "9007199254740993", "1e300", "1.7e9", "[«now+600»]", "{}", "600", "«now+600»e0", "86400", "1"];
const STATUS_CODES = ["201", "400", "401", "404", "408", "429", "500", "503", "599", "0", "-1", "200.0", "2e2", "200.5", '"401"', "null", "1e400", "9007199254740993",
  "9007199254740991", "true", "[]", "{}", "4.01e2", "-0"];
const REASONS = ['"raison"', '"«secret»"', '"vous avez envoyé «secret».«basic»"', '"Basic «basic»"', "5", "null", '"\\ud800"', '""', '{"a":"«secret»"}', '"\\u0000\\n"', '"«secret"'];

/** A body as text with its members, then, at times, broken at one place or another. */
function drawBody(dice) {
  const { chance, pick, below } = dice;
  const members = [];
  const put = (name, text) => members.push(`${chance(0.02) ? `"\\u00${name.charCodeAt(0).toString(16)}${name.slice(1)}"` : JSON.stringify(name)}:${text}`);
  if (chance(0.9)) put("statusCode", chance(0.85) ? "200" : pick(STATUS_CODES));
  if (chance(0.5)) put("message", '"Successful"');
  if (chance(0.3)) put("reason", pick(REASONS));
  const data = [];
  if (chance(0.98)) data.push(`"token":${chance(0.3) ? `"«jwt:${pick(CLAIMS)}»"` : chance(0.6) ? '"«token»"' : pick(TOKENS)}`);
  if (chance(0.98)) data.push(`"exp":${chance(0.7) ? "«now+600»" : pick(EXPS)}`);
  if (chance(0.02)) data.push(`"exp":${pick(EXPS)}`);
  if (chance(0.02)) data.push(`"__proto__":{"token":"«token»","exp":«now+600»}`);
  if (chance(0.97)) put("data", chance(0.97) ? `{${data.join()}}` : pick(["null", "[]", '"text"', "5", "true", "[{}]", '"__proto__"']));
  if (chance(0.03)) put("data", `{${data.join()}}`);
  if (chance(0.02)) put("__proto__", `{"data":{${data.join()}},"statusCode":401}`);
  if (chance(0.02)) put("constructor", '{"prototype":{}}');
  if (chance(0.1)) members.reverse();
  const body = { text: chance(0.97) ? `{${members.join()}}` : pick(["", "null", "[]", '"text"', "200", "<html>502</html>", "{}", `[{${members.join()}}]`, "\ufeff{}", "true", "NaN"]) };
  if (chance(0.1)) body.broken = Array.from({ length: 1 + below(3) }, () => ({ at: below(1_000) / 1_000, cut: below(3), put: chance(0.5) ? "" : pick(["{", "}", "[", "]", ",", ":", '"', "\\", "\u0000", "0", " ", "é", "\ufeff", "1e5", "//", "null"]) }));
  if (chance(0.03)) body.pad = pick([60_000, 65_535, 65_536, 65_537, 70_000]);
  if (chance(0.005)) body.nest = pick([100, 5_000, 30_000]);
  if (chance(0.02)) body.raw = Array.from({ length: 1 + below(3) }, () => ({ at: below(1_000) / 1_000, byte: pick([0xff, 0x80, 0xc3, 0x00, 0xed]) }));
  return body;
}

const encoder = new TextEncoder();

/** The bytes of a body's description. */
export function bytesOf({ text, broken = [], pad = 0, nest = 0, raw = [] }, world) {
  let whole = world.expand(text);
  for (const { at, cut, put } of broken) {
    const place = Math.floor(at * whole.length);
    whole = whole.slice(0, place) + put + whole.slice(place + cut);
  }
  if (nest > 0) whole = `${"[".repeat(nest)}${whole}${"]".repeat(nest)}`;
  let bytes = encoder.encode(whole);
  if (pad > bytes.length) {
    const padded = new Uint8Array(pad).fill(0x20);
    padded.set(bytes);
    bytes = padded;
  }
  for (const { at, byte } of raw) if (bytes.length > 0) bytes[Math.floor(at * bytes.length)] = byte;
  return bytes;
}

/** One reply out of a description that the oracle reads as well; notes what is expected of it. */
function whole({ status, headers, via, body, pieces = 1 }, world) {
  const fields = Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, world.expand(text)]));
  const noBody = via === "response" && [101, 204, 205, 304].includes(status);
  const bytes = noBody ? new Uint8Array() : bytesOf(body, world);
  const expected = readReply({ status, headers: fields, bytes }, world.readings());
  for (const { token } of expected) if (token !== undefined) world.issues(token);
  if (via === "response") return { response: new Response(noBody ? null : bytes, { status, headers: fields }), expected };
  const get = (name) => fields[name.toLowerCase()] ?? null;
  if (via === "buffer") {
    return { response: { status, headers: { get }, arrayBuffer: async () => bytes.slice().buffer }, expected };
  }
  const parts = Array.from({ length: pieces }, (_, index) => bytes.slice((index * bytes.length) / pieces, ((index + 1) * bytes.length) / pieces));
  const read = async () => (parts.length > 0 ? { done: false, value: parts.shift() } : { done: true, value: undefined });
  return { response: { status, headers: { get }, body: { getReader: () => ({ read, cancel: async () => {} }) } }, expected };
}

const CHUNKS = ["part", "part", "empty", "detached", "list", "buffer", "dataview", "shared", "lying", "text", "wild", "large", "proxy", "words", "resized"];

function drawStrange(dice) {
  const { chance, pick, below } = dice;
  const odd = (value) => (chance(0.3) ? { $: "throws", value: wild(dice) } : chance(0.3) ? { $: "acts", act: drawAct(dice), value } : chance(0.2) ? { $: "changes", values: [value, wild(dice)] } : value);
  const strange = { status: odd(chance(0.6) ? 200 : pick([...STATUSES, ...ODD_STATUSES])) };
  if (chance(0.2)) strange.status = odd(wild(dice));
  const headers = below(6);
  if (headers === 0) strange.headers = { value: wild(dice) };
  else if (headers === 1) strange.headers = { get: wild(dice) };
  else strange.headers = { says: pick(["throws", "wild", "acts", "null", "null", "null"]), value: wild(dice), act: drawAct(dice) };
  const body = below(8);
  if (body === 0) strange.body = { value: odd(wild(dice)) };
  else if (body === 1) strange.body = { buffer: pick(["bytes", "wild", "rejects", "throws", "never", "large", "lying", "late"]), value: wild(dice) };
  else if (body === 2) strange.body = { reader: wild(dice) };
  else {
    strange.body = {
      reads: Array.from({ length: below(5) }, () => drawRead(dice)),
      end: pick(["done", "done", "never", "throws", "rejects", "forever"]),
      cancel: pick(["none", "fine", "throws", "rejects", "never", "wild", "acts"]),
      value: wild(dice), act: drawAct(dice),
    };
  }
  strange.text = drawBody(dice);
  return strange;
}

function drawRead(dice) {
  switch (dice.below(8)) {
    case 0: return { result: wild(dice) };
    case 1: return { late: dice.pick([1, 200, 9_000]) };
    case 2: return { act: drawAct(dice) };
    case 3: return { rejects: wild(dice) };
    default: return { chunk: dice.pick(CHUNKS), value: wild(dice) };
  }
}

function chunkOf(kind, next, value, world) {
  switch (kind) {
    case "empty": return new Uint8Array(0);
    case "detached": {
      const bytes = next();
      structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
      return bytes;
    }
    case "list": return [...next()];
    case "buffer": return next().buffer;
    case "dataview": return new DataView(next().buffer);
    case "shared": {
      const bytes = next();
      const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
      shared.set(bytes);
      return shared;
    }
    case "lying": return new LyingBytes(next());
    case "text": return "text";
    case "wild": return build(value, world);
    case "large": return new Uint8Array(70_000);
    case "proxy": return new Proxy(next(), {});
    case "words": return new Uint16Array(4);
    case "resized": {
      const bytes = new Uint8Array(new ArrayBuffer(8, { maxByteLength: 8 }));
      bytes.buffer.resize?.(0);
      return bytes;
    }
    default: return next();
  }
}

function strange({ status, headers, body, text }, world) {
  const response = {};
  Object.defineProperty(response, "status", property(status, world));
  const bytes = bytesOf(text, world);
  world.serves(bytes);
  const saying = {
    throws: () => { throw new Error("no header"); },
    wild: () => build(headers.value, world),
    acts: () => (world.act(headers.act), null),
    null: () => null,
  };
  if ("value" in headers) response.headers = build(headers.value, world);
  else response.headers = { get: "get" in headers ? build(headers.get, world) : saying[headers.says] };
  if ("value" in body) Object.defineProperty(response, "body", property(body.value, world));
  else if ("buffer" in body) response.arrayBuffer = arrayBufferOf(body, bytes, world);
  else if ("reader" in body) response.body = { getReader: () => build(body.reader, world) };
  else response.body = { getReader: () => readerOf(body, bytes, world) };
  return { response, ...expectedOfStrange(status, world) };
}

function arrayBufferOf({ buffer, value }, bytes, world) {
  switch (buffer) {
    case "wild": return async () => build(value, world);
    case "rejects": return () => Promise.reject(build(value, world));
    case "throws": return () => { throw build(value, world); };
    case "never": return () => world.hang();
    case "large": return async () => new ArrayBuffer(70_000);
    case "lying": return async () => new LyingBuffer(65_537);
    case "late": return () => world.later(700).then(() => bytes.slice().buffer);
    default: return async () => bytes.slice().buffer;
  }
}

function readerOf({ reads, end, cancel, value, act }, bytes, world) {
  let at = 0;
  let given = 0;
  const parts = Math.max(1, reads.length);
  const next = () => {
    const from = given;
    given = Math.min(bytes.length, given + Math.ceil(bytes.length / parts));
    return bytes.slice(from, given);
  };
  const ends = {
    done: async () => (given < bytes.length && reads.length === 0 ? { done: false, value: next() } : { done: true }),
    never: () => world.hang(),
    throws: () => { throw build(value, world); },
    rejects: () => Promise.reject(build(value, world)),
    // Not without end: a stream that never keeps anybody waiting keeps time from passing, too.
    forever: async () => ((at += 1) < 40 ? { done: false, value: new Uint8Array(0) } : (await world.later(3_000), { done: at > 60, value: new Uint8Array(1) })),
  };
  const cancels = {
    none: undefined, fine: async () => {}, throws: () => { throw build(value, world); }, rejects: () => Promise.reject(build(value, world)),
    never: () => world.hang(), wild: () => build(value, world), acts: () => world.act(act),
  };
  return {
    cancel: cancels[cancel],
    read() {
      const step = reads[at];
      if (step === undefined) return ends[end]();
      at += 1;
      if ("result" in step) return (async () => build(step.result, world))();
      if ("late" in step) return world.later(step.late).then(() => ({ done: false, value: next() }));
      if ("act" in step) return (world.act(step.act), Promise.resolve({ done: false, value: next() }));
      if ("rejects" in step) return Promise.reject(build(step.rejects, world));
      return Promise.resolve({ done: false, value: chunkOf(step.chunk, next, step.value, world) });
    },
  };
}

/** By status where there is one; of a 200 that is odd, anything but an error that only another status may be. */
function expectedOfStrange(status, world) {
  const first = status?.$ === "throws" ? undefined : ["changes", "acts"].includes(status?.$) ? build(status.$ === "acts" ? status.value : status.values[0], world) : build(status, world);
  if (typeof first !== "number" || !Number.isInteger(first)) return { codes: ["invalid_response"] };
  if (!Number.isSafeInteger(first)) return { codes: ["invalid_response", "unexpected_status"] };
  if (first !== 200) return { codes: [codeOf(first)] };
  return { codes: ["*"] };
}

/** What a custom fetch does, once: returns or throws. Notes in `world.sends` what may come of it. */
export function serve(reply, send, world) {
  const answer = (description) => {
    const { response, expected, codes } = description.strange ? strange(description.strange, world) : whole(description.whole, world);
    Object.assign(send, { expected, codes });
    return response;
  };
  if (reply.strange || !reply.fetch) return Promise.resolve(answer(reply));
  switch (reply.fetch) {
    case "throws": {
      send.codes = ["network"];
      const thrown = build(reply.value, world);
      send.causes.push(thrown);
      throw thrown;
    }
    case "rejects": {
      send.codes = ["network"];
      const thrown = build(reply.value, world);
      send.causes.push(thrown);
      return Promise.reject(thrown);
    }
    case "gives": {
      const value = build(reply.value, world);
      const isObject = (typeof value === "object" && value !== null) || typeof value === "function";
      send.codes = isObject ? ["invalid_response", "network", "timeout", "unexpected_status", "*"] : ["invalid_response"];
      return value;
    }
    case "never": {
      send.codes = ["timeout"];
      return world.hang(reply.deaf ? undefined : send.init.signal);
    }
    case "late": {
      send.slow = true;
      return world.later(reply.ms).then(() => answer(reply));
    }
    case "acts": {
      world.act(reply.act);
      return Promise.resolve(answer(reply));
    }
    default: return thenable(reply.how, () => answer(reply), send, world);
  }
}

function thenable(how, answer, send, world) {
  switch (how) {
    case "now": return { then: (resolve) => resolve(answer()) };
    case "twice": return { then: (resolve, reject) => { resolve(answer()); resolve(5); reject(new Error("late")); throw new Error("later"); } };
    case "throwing": return (send.codes = ["network"], { then() { throw new Error("then"); } });
    case "getter": return (send.codes = ["network"], { get then() { throw new Error("then"); } });
    case "never": return (send.codes = ["timeout"], { then() {} });
    case "late": return (send.slow = true, { then: (resolve) => void world.later(300).then(() => resolve(answer())) });
    case "nested": return { then: (resolve) => resolve({ then: (inner) => inner(answer()) }) };
    default: return (send.codes = ["network"], { then: (_, reject) => reject(undefined) });
  }
}
