// A reply, read as the Rust side (src/response.rs) wants it. `fetch` is an option, so a response may be a stranger's object.

// What came of a body.
export const JSON_TEXT = 0;
export const NOT_JSON = 1;
const TOO_LARGE = 2;
const BROKEN = 3;
/** There is no reply at all. */
export const NO_REPLY = 4;
/** It is not read yet. */
export const HEAD = 5;

/** The largest body that is read, in bytes, decoded. A real one has some 400. */
const CAP = 65_536;
/** More than by how much a timer may be late that was due before. */
const GRACE_MS = 10;

let decoder;

/** JSON out of bytes, as the Fetch standard's `json()` decodes it: a byte order mark is dropped. Throws. */
export function parse(bytes) {
  decoder ??= new TextDecoder();
  return JSON.parse(decoder.decode(bytes));
}

/** What is read, or undefined when that throws. */
export function attempt(read) {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** What is read, if that is of this type: the glue between here and Rust takes it as such, unseen. */
function typed(type, read) {
  const value = attempt(read);
  return typeof value === type ? value : undefined;
}

/** The object's own member of this type: nothing that a page put on Object.prototype is part of a reply. */
export function member(type, object, name) {
  return typeof object === "object" && object !== null && Object.hasOwn(object, name) && typeof object[name] === type ? object[name] : undefined;
}

/** What counts of the head. A header that cannot be read is one that is not there: pages do not see all. */
export function readHead(response) {
  const header = (name) => typed("string", () => response.headers.get(name));
  return { status: typed("number", () => response.status), date: header("date"), age: header("age"), retryAfter: header("retry-after") };
}

/**
 * The body, read no further than the cap, nor than `deadline`, on the monotonic clock. `signal` is that of the request.
 * Resolves to what came of it, and to the parsed JSON or to what broke it off; never rejects.
 */
export async function readBody(response, signal, deadline) {
  let bytes;
  try {
    bytes = await readBytes(response, signal, deadline);
  } catch (cause) {
    return [BROKEN, cause];
  }
  if (bytes === undefined) return [TOO_LARGE];
  try {
    return [JSON_TEXT, parse(bytes)];
  } catch {
    return [NOT_JSON];
  } finally {
    bytes.fill(0);
  }
}

async function readBytes(response, signal, deadline) {
  const stream = response.body;
  if (stream === null) return new Uint8Array();
  if (typeof stream?.getReader !== "function") {
    // A `fetch` of the caller's own whose bodies are no web streams.
    const buffer = await response.arrayBuffer();
    // An array, an iterable or a number would be bytes to the other constructor, as many as it says.
    new DataView(buffer);
    const view = new Uint8Array(buffer);
    return view.length > CAP ? undefined : view.slice();
  }
  const reader = stream.getReader();
  const chunks = [];
  let size = 0;
  for (let more = false; ; more = true) {
    const { done, value } = await reader.read();
    if (done) return joined(chunks, size);
    // What comes of the body then is nobody's, but something has to: what waits for it is kept until it does.
    if (signal?.aborted) throw new TypeError("nobody waits for the body");
    if (more && performance.now() >= deadline) {
      // A stream that never keeps us waiting keeps the timers from going off: the flight's is to end this.
      await new Promise((resolve) => setTimeout(resolve, GRACE_MS));
      throw new TypeError("the body came after the deadline");
    }
    const chunk = copy(value);
    size += chunk.length;
    if (size > CAP) {
      // The request is ended too; this is for streams that know nothing of it.
      Promise.resolve(attempt(() => reader.cancel())).catch(() => {});
      return undefined;
    }
    if (chunk.length > 0) chunks.push(chunk);
  }
}

/** By the engine's own reading of it: a subclass may lie about its length. Throws on a detached buffer. */
function copy(chunk) {
  if (!ArrayBuffer.isView(chunk)) throw new TypeError("the body holds a chunk that is no Uint8Array");
  return new Uint8Array(chunk);
}

/** All, in one buffer; those that they were in are overwritten. */
function joined(chunks, size) {
  if (chunks.length === 1) return chunks[0];
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
    chunk.fill(0);
  }
  return whole;
}
