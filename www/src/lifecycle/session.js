// A client under observation: who called, what was sent, which token served whom. It knows nothing of the drawing.
import { AuthError, DigitalpayeAuth } from "digitalpaye-auth";
import { observe } from "../observe.js";
import { lifeOf, windowsOf } from "../token.js";

const TRAFFIC_MS = 500;
/** So long is a record kept; nothing older is drawn. */
const MEMORY_MS = 180_000;
/** Callers of the steady traffic that wait at the same time, at most. */
const WAITING = 100;

export class Session {
  #client;
  #opened;
  #tokens = new Map();
  #traffic;
  #changed;
  #generation = 0;

  /** `changed(kind, record)` is told of "batch", "request", "token", "event", "mark" and "client". */
  constructor(changed) {
    this.#changed = changed;
    this.clear();
  }

  clear() {
    this.#generation++;
    this.#client?.[Symbol.dispose ?? Symbol.for("Symbol.dispose")]();
    this.#client = undefined;
    this.#tokens.clear();
    Object.assign(this, {
      calls: [], requests: [], tokens: [], marks: [], held: undefined,
      totals: { callers: 0, served: 0, failed: 0, requests: 0 },
    });
  }

  /** Uses these options from now on; the client is another one if they are others. Throws what its constructor throws. */
  open(options) {
    const key = JSON.stringify(options);
    if (this.#client && key === this.#opened) return;
    if (this.#client) this.clear();
    const generation = this.#generation;
    const now = (work) => (record) => generation === this.#generation && work(record);
    this.#client = new DigitalpayeAuth({
      ...options, fetch: observe(now((attempt) => this.#request(attempt))), onEvent: now((event) => this.#event(event)),
    });
    this.#opened = key;
    this.#changed("client");
  }

  /** So many callers at the same moment. Resolves when every one has its answer. */
  async ask(count, { forceRefresh, steady = false } = {}) {
    this.#forget();
    const generation = this.#generation;
    const batch = { at: performance.now(), count, steady, served: 0, failed: 0, requests: 0 };
    const before = this.totals.requests;
    this.calls.push(batch);
    this.totals.callers += count;
    const call = forceRefresh ? { forceRefresh } : undefined;
    const waits = Array.from({ length: count }, () => this.#client.getToken(call).then(
      (grant) => { batch.served++; batch.grant = grant; },
      (error) => { batch.failed++; batch.error = AuthError.is(error) ? error : new AuthError(String(error)); },
    ));
    await Promise.all(waits);
    if (generation !== this.#generation) return batch;
    batch.endedAt = performance.now();
    batch.requests = this.totals.requests - before;
    if (batch.grant) batch.token = this.#token(batch.grant, batch.endedAt);
    this.held = batch.token ?? this.held;
    this.totals.served += batch.served;
    this.totals.failed += batch.failed;
    this.#changed("batch", batch);
    return batch;
  }

  get traffic() {
    return this.#traffic !== undefined;
  }

  /** One caller every half second, until it is switched off. */
  set traffic(on) {
    clearInterval(this.#traffic);
    this.#traffic = on ? setInterval(() => {
      if (this.calls.filter(({ steady, endedAt }) => steady && endedAt === undefined).length < WAITING) this.ask(1, { steady: true });
    }, TRAFFIC_MS) : undefined;
  }

  invalidate() {
    this.#client?.invalidate();
    this.held = undefined;
  }

  /** Something that was done from outside and is worth a mark on the time line. */
  mark(kind) {
    const mark = { at: performance.now(), kind };
    this.marks.push(mark);
    this.#changed("mark", mark);
  }

  /** What the package tells. When a request was sent and answered, and which token came, no event says: `observe` does. */
  #event(event) {
    if (event.type === "failure" && event.background) this.mark("renewal");
    this.#changed("event", event);
  }

  #request(attempt) {
    if (!this.requests.includes(attempt)) {
      this.requests.push(attempt);
      this.totals.requests++;
    }
    if (attempt.token) this.held = this.#token(attempt.token, attempt.startedAt);
    this.#changed("request", attempt);
  }

  /** The record of a token; its life counts from when it was asked for, as the package counts it. */
  #token({ token, exp }, at) {
    let record = this.#tokens.get(token);
    if (!record) {
      const life = lifeOf({ token, exp });
      record = { number: this.#tokens.size + 1, at, life, end: at + life * 1_000, ...windowsOf(life) };
      this.#tokens.set(token, record);
      this.tokens.push(record);
      this.#changed("token", record);
    }
    return record;
  }

  #forget() {
    const limit = performance.now() - MEMORY_MS;
    this.calls = this.calls.filter(({ at, endedAt }) => endedAt === undefined || at > limit);
    this.requests = this.requests.filter(({ endedAt }) => endedAt === undefined || endedAt > limit);
    this.tokens = this.tokens.filter(({ end }) => end > limit);
    this.marks = this.marks.filter(({ at }) => at > limit);
  }
}
