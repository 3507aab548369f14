// A reply, as the Rust side (src/web/reply.rs) sees it. `fetch` is an option, so a response may be a stranger's object.

// What came of the body.
const JSON_TEXT = 0;
const NOT_JSON = 1;
const TOO_LARGE = 2;
const BROKEN = 3;

/** More than by how much a timer may be late that was due before. */
const GRACE_MS = 10;

let decoder;

export class Reply {
  #response;
  #signal;

  /**
   * Reads what counts of the head. A header that cannot be read is one that is not there: pages do not see all. `signal`
   * is that of the request.
   */
  constructor(response, signal) {
    this.#response = response;
    this.#signal = signal;
    const header = (name) => typed("string", () => response.headers.get(name));
    this.status = typed("number", () => response.status);
    this.date = header("date");
    this.age = header("age");
    this.retryAfter = header("retry-after");
  }

  /**
   * Reads the body, no further than `cap` bytes, nor than `deadline`, on the monotonic clock. Sets `outcome`, and `value`
   * to the parsed JSON or to what broke it off. Never rejects.
   */
  async read(cap, deadline) {
    let bytes;
    try {
      bytes = await this.#bytes(cap, deadline);
    } catch (cause) {
      this.outcome = BROKEN;
      this.value = cause;
      return;
    }
    if (bytes === undefined) {
      this.outcome = TOO_LARGE;
      return;
    }
    try {
      decoder ??= new TextDecoder();
      this.value = JSON.parse(decoder.decode(bytes));
      this.outcome = JSON_TEXT;
    } catch {
      this.outcome = NOT_JSON;
    }
    bytes.fill(0);
  }

  async #bytes(cap, deadline) {
    const stream = this.#response.body;
    if (stream === null) return new Uint8Array();
    if (typeof stream?.getReader !== "function") {
      // A `fetch` of the caller's own whose bodies are no web streams.
      const buffer = await this.#response.arrayBuffer();
      // An array, an iterable or a number would be bytes to the other constructor, as many as it says.
      new DataView(buffer);
      const view = new Uint8Array(buffer);
      return view.length > cap ? undefined : view.slice();
    }
    const reader = stream.getReader();
    const chunks = [];
    let size = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return joined(chunks, size);
      // What comes of the body then is nobody's, but something has to: what waits for it is kept until it does.
      if (this.#signal?.aborted) throw new TypeError("nobody waits for the body");
      if (performance.now() >= deadline) {
        // A stream that never keeps us waiting keeps the timers from going off: the flight's is to end this.
        await new Promise((resolve) => setTimeout(resolve, GRACE_MS));
        throw new TypeError("the body came after the deadline");
      }
      const chunk = copy(value);
      size += chunk.length;
      if (size > cap) {
        // The request is ended by its guard too; this is for streams that know nothing of it.
        Promise.resolve(attempt(() => reader.cancel())).catch(() => {});
        return undefined;
      }
      if (chunk.length > 0) chunks.push(chunk);
    }
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

/** What is read, if that is of this type: the glue between here and Rust takes it as such, unseen. */
function typed(type, read) {
  const value = attempt(read);
  return typeof value === type ? value : undefined;
}

/** What is read, or undefined when that throws. */
export function attempt(read) {
  try {
    return read();
  } catch {
    return undefined;
  }
}
