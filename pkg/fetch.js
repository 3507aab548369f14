// `auth.fetch`: the platform's fetch with a token, and once more with a new token after a 401.
import { InvalidOptionsError, UnsupportedRuntimeError } from "./errors.js";
import { platform } from "./platform.js";

/** The longest body of a Request that is kept for the second try, in bytes. */
const KEPT_BYTES = 1 << 20;

/** How long an answer 401 waits for the copy of a body, in milliseconds. */
const COPY_MS = 100;

/** What a Request tells of its init, besides headers and body. No runtime has all of it. */
const FIELDS = ["method", "mode", "credentials", "cache", "redirect", "referrer", "referrerPolicy", "integrity", "keepalive", "signal", "cf"];

/** What older runtimes, and jsdom, do not have. */
const NEEDED = ["Request", "FormData"];

const ignore = () => {};

/** Calls fetch for `client` with the caller's arguments. Rejects, never throws. */
export async function fetchWithToken(client, args) {
  const send = client.fetch ?? globalThis.fetch;
  // The platform's own words for a call without input.
  if (args.length === 0) return Reflect.apply(send, undefined, args);
  const missing = NEEDED.find((name) => typeof globalThis[name] !== "function");
  if (missing) throw new UnsupportedRuntimeError(`this runtime has no ${missing}: use Node.js from 18 on, or getToken()`);
  const outgoing = await take(client, ...args);
  let record;
  try {
    const { token } = await tokenFor(client, outgoing);
    if (outgoing.isRecorded) record = outgoing.record = recordOf(outgoing.request);
    // A fetch of the caller's own gets a body that is there already with its length, not as a stream.
    if (client.fetch) await record?.within(0);
    const response = await Reflect.apply(send, undefined, argumentsFor(client, outgoing, token));
    if (response.status !== 401) return response;
    // The reply may have been faster than the copy.
    await record?.within(COPY_MS);
    const isReplayable = (record ? record.bytes : outgoing.body) !== undefined && !outgoing.body?.pipe;
    if (!client.unauthorized(token, isReplayable)) return response;

    // Frees the connection: nobody reads the body of this refusal.
    cancel(response);
    const { token: next } = await tokenFor(client, outgoing);
    outgoing.again = true;
    const second = await Reflect.apply(send, undefined, argumentsFor(client, outgoing, next));
    if (second.status === 401) client.unauthorizedAgain(next);
    return second;
  } finally {
    record?.stop();
  }
}

/** All of a request as it is now: what the caller changes from here on is for the next call. */
async function take({ baseUrl, fetch: ownFetch }, input, init) {
  const isRequest = input instanceof Request || Object.prototype.toString.call(input) === "[object Request]";
  let target;
  if (!isRequest) target = resolve(`${input}`, baseUrl);
  // One of another making, such as npm's undici, is none to the platform.
  else target = input instanceof Request ? input : new Request(input.url, initOf(input));
  if (target instanceof URL) checkOrigin(target, baseUrl);

  // The platform reads and checks everything here, in its own order and with its own errors, as its fetch does.
  // Without a prototype: a page's setters are none of theirs.
  const members = { __proto__: null };
  const wasUsed = isRequest && input.bodyUsed;
  let request;
  try {
    request = new Request(target, recorded(init, members, target, ownFetch));
  } catch (error) {
    // Some platforms' fetch has other words for it than their Request. The signal sees to it that nothing is sent.
    if (init == null || isObject(init)) await globalThis.fetch?.(target, { ...members, signal: AbortSignal.abort(error) });
    throw error;
  }
  const { body: given } = members;
  if (isRequest) {
    if (given === undefined) useUp(input, wasUsed);
    checkOrigin(new URL(request.url), baseUrl, request);
  }
  // On workerd, what of a Request's signal is passed on is the platform's to say.
  if (isRequest && members.signal === undefined && !platform.isolate) members.signal = input.signal;
  const signal = isSignal(members.signal) ? members.signal : request.signal;
  if (signal?.aborted) throw refused(request, signal.reason, given);
  // A stream is locked from here on.
  if (isStream(given)) request = new Request(request);

  const body = given == null ? null : copyOf(given, ownFetch && isForeign(given));
  // URL and init can be given to fetch as the caller did. Else the Request is what has the body.
  const isInit = !isRequest && body !== undefined;
  return {
    request,
    isInit,
    body,
    members: settled(members, request),
    extras: othersOf(init, members),
    signal: isRequest || members.signal ? signal : undefined,
    /** Whether a copy of the Request's body is kept, if it is short. */
    isRecorded: !isInit && !isStream(given) && body == null,
    record: undefined,
    again: false,
  };
}

/** Most runtimes do so when a Request is made of another; Bun would send the body of the same one twice. */
function useUp(input, wasUsed) {
  if (wasUsed) throw new TypeError("Request body already used");
  if (!input.bodyUsed) cancel(input);
}

/** A token, unless the caller aborts before there is one. */
async function tokenFor(client, { request, signal, body }) {
  try {
    return await client.getToken(signal && { signal });
  } catch (error) {
    throw refused(request, error, body);
  }
}

/** The error, once the source of the body is told that nobody reads it. */
function refused(request, error, body) {
  cancel(request, error);
  if (body?.pipe) body.destroy?.();
  return error;
}

/** What fetch is called with. */
function argumentsFor(client, { request, isInit, body: given, members, extras, record, again }, token) {
  const { headers } = request;
  headers.set("Authorization", `Bearer ${token}`);
  if (!headers.has("X-Environment")) headers.set("X-Environment", client.environment);

  const body = given ?? record?.bytes;
  // A form gets another boundary whenever it is made into bytes.
  if (body instanceof FormData && (isInit || client.fetch || again) && /boundary=/.test(headers.get("Content-Type"))) {
    headers.delete("Content-Type");
  }
  if (isInit) return [request.url, { ...members, ...extras, headers, body }];
  // It may be of another making, which does not know the platform's Request.
  if (client.fetch) return [request.url, { ...initOf(request), ...members, ...extras, ...(body != null && { body }) }];
  // The referrer would be lost with any member of an init.
  const { referrer, referrerPolicy } = request;
  // Node 20 does not send bytes on after a redirect, unless they are a Blob's; Deno sends chunks for a Blob without any.
  const blob = record?.bytes?.length ? new Blob([body]) : undefined;
  // The caller's own signal: by that of a Request, Node hears of an abort only until a collection of garbage.
  const { signal } = members;
  const init = signal ? { __proto__: null, signal, referrer, referrerPolicy, ...extras } : extras;
  return [again && body != null ? new Request(request, { body: blob ?? body, referrer, referrerPolicy }) : request, ...(init ? [init] : [])];
}

/** The members of an init that say what a Request says. */
function initOf(request) {
  const init = { __proto__: null, headers: request.headers };
  for (const name of FIELDS) if (request[name] !== undefined) init[name] = request[name];
  if (request.body) Object.assign(init, { body: request.body, duplex: "half" });
  return init;
}

/** Text that is no URL is left to the platform, which has its own words for it. */
function resolve(text, baseUrl) {
  try {
    return new URL(text, baseUrl);
  } catch {
    return text;
  }
}

function checkOrigin(url, baseUrl, request = {}) {
  if (url.origin === new URL(baseUrl).origin) return;
  const what = "input is of another origin than baseUrl; a token is sent to its own API only";
  throw refused(request, new InvalidOptionsError(what, { option: "input" }));
}

/** An init whose members are noted as they are read: a getter may say something else the next time. */
function recorded(init, members, { method }, ownFetch) {
  if (!isObject(init)) return init;
  // Not over the init itself: a proxy may not say anything else of a member that is frozen.
  return new Proxy(Object.create(init), {
    get(_, name) {
      const value = (members[name] = init[name]);
      // It goes along as it is. A Request that followed it would leave a listener on it: on one for all calls, one more a call.
      if (name === "signal" && isSignal(value)) return null;
      // The platform would take it for text, such as "[object FormData]".
      if (name === "body" && ownFetch && isForeign(value)) return null;
      // With an init, Bun forgets the method of a Request.
      return name === "method" && value === undefined ? method : value;
    },
    // Vercel's edge runtime copies the init before it reads it.
    ownKeys: () => Reflect.ownKeys(init),
    getOwnPropertyDescriptor(_, name) {
      const own = Reflect.getOwnPropertyDescriptor(init, name);
      return own && { value: undefined, enumerable: own.enumerable, configurable: true };
    },
  });
}

/** The members that were read, as the platform understood them; without headers and body. */
function settled(members, request) {
  const init = { __proto__: null };
  for (const [name, value] of Object.entries(members)) {
    if (value === undefined || name === "headers" || name === "body") continue;
    init[name] = (name !== "signal" && FIELDS.includes(name) ? request[name] : undefined) ?? value;
  }
  return init;
}

/** What an init has for this runtime's fetch or a framework's, such as Next.js's `next`; undefined if there is nothing. */
function othersOf(init, members) {
  let others;
  if (Object.prototype.toString.call(init) === "[object Request]") return others;
  for (const name in init) if (!(name in members)) (others = others || { __proto__: null })[name] = init[name];
  return others;
}

/** A body that can be sent as often as one likes, with what is in it now; undefined if there is none such. */
function copyOf(body, isForeign) {
  if (typeof body !== "object" || body instanceof Blob) return body;
  if (body instanceof URLSearchParams) return new URLSearchParams(body);
  const buffer = ArrayBuffer.isView(body) ? body.buffer : body;
  // Runtimes differ in what shared memory is to them. One that was transferred has no bytes, and its views throw.
  if (buffer instanceof ArrayBuffer) {
    return buffer.byteLength ? new Uint8Array(buffer, body.byteOffset, body.byteLength).slice() : new Uint8Array();
  }
  if (!(body instanceof FormData) && !isForeign) return undefined;
  if (!body[Symbol.iterator]) return body;
  const copy = new (isForeign ? body.constructor : FormData)();
  for (const [name, value] of body) copy.append(name, value);
  return copy;
}

const isObject = (value) => value !== null && (typeof value === "object" || typeof value === "function");
const isSignal = (value) => value instanceof AbortSignal;
const isStream = (body) => typeof body?.getReader === "function" || typeof body?.[Symbol.asyncIterator] === "function";

/** A body that is the business of the caller's own fetch: a stream of Node.js, as npm's form-data is, or a form or blob of another making. */
const isForeign = (body) => !(body instanceof FormData || body instanceof Blob)
  && (body?.pipe || /FormData|Blob|File/.test(Object.prototype.toString.call(body)));

/** Reads a copy of the body along with fetch, until it proves to be long: then nothing is kept. */
function recordOf(request) {
  const { body } = request.clone();
  if (!body) return { bytes: null, within: ignore, stop: ignore };
  const reader = body.getReader();
  const record = {
    /** The body, as soon as all of it is there. */
    bytes: undefined,
    /** Waits for it, but not for longer. */
    within: (ms) => new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      work.then(() => resolve(clearTimeout(timer)));
    }),
    stop: () => void reader.cancel().catch(ignore),
  };
  const work = readAll(reader).then((bytes) => (record.bytes = bytes), ignore);
  return record;
}

async function readAll(reader) {
  const chunks = [];
  for (let size = 0; ; ) {
    const { done, value } = await reader.read();
    if (done) return new Uint8Array(await new Blob(chunks).arrayBuffer());
    size += value.length;
    if (size > KEPT_BYTES) return void reader.cancel().catch(ignore);
    // Whoever wrote to the stream may use its buffer again.
    chunks.push(value.slice());
  }
}

/** Nobody reads the body of a request or a response. */
function cancel({ body }, reason) {
  Promise.resolve(body?.cancel?.(reason)).catch(ignore);
}
