// An HTTP server made of nothing but a TCP listener: what came over the wire is kept byte for byte, and what goes back is
// exactly what the test wrote, however broken.
import { once } from "node:events";
import { createServer } from "node:net";
import { listening } from "./server.mjs";

const HEAD_END = Buffer.from("\r\n\r\n");

/** One request, and the way to answer it. */
class Exchange {
  /** Everything that came, head and body. */
  bytes;
  /** The request line and the header fields as they were written, in their order. */
  line;
  headers;
  body;
  at = performance.now();
  /** Settles when the connection is gone, whoever ended it. */
  closed;
  gone = false;
  #socket;

  constructor(socket, bytes, headLength) {
    this.#socket = socket;
    this.bytes = bytes;
    const [line, ...fields] = bytes.subarray(0, headLength).toString("latin1").split("\r\n");
    this.line = line;
    this.headers = fields.map((field) => {
      const colon = field.indexOf(":");
      return [field.slice(0, colon), field.slice(colon + 1).trim()];
    });
    this.body = bytes.subarray(headLength + HEAD_END.length);
    this.closed = new Promise((resolve) => {
      if (socket.destroyed) resolve();
      else socket.once("close", resolve);
    }).then(() => {
      this.gone = true;
    });
  }

  /** The values of a header field, in their order. */
  values(name) {
    return this.headers.filter(([given]) => given.toLowerCase() === name).map(([, value]) => value);
  }

  write(bytes) {
    return this.#socket.writable && this.#socket.write(bytes);
  }

  /** Writes, then closes in an orderly way. */
  end(bytes = "") {
    if (this.#socket.writable) this.#socket.end(bytes);
  }

  /** Breaks the connection. */
  reset() {
    this.#socket.resetAndDestroy();
  }

  /** Writes again and again until the client hangs up, or `limit` bytes are out; resolves to how many were taken. */
  async pour(chunk, limit) {
    let poured = 0;
    while (poured < limit && this.#socket.writable) {
      poured += chunk.length;
      if (!this.#socket.write(chunk)) {
        await Promise.race([once(this.#socket, "drain").catch(() => {}), this.closed]);
      }
    }
    return poured;
  }
}

/**
 * Starts one. `script` answers the requests in their order, and its last entry all that come after: bytes to send before
 * the connection is closed, or a function of the exchange.
 */
export async function startRaw(...script) {
  const sockets = new Set();
  const arrivals = [];
  const raw = {
    /** The requests that came. */
    requests: [],
    /** How many connections were made, with or without a request. */
    connections: 0,
    /** Is given each connection as it is made; true when it takes it, and no request is read from it. */
    take: () => false,
    /** Every byte that ever came. */
    received: () => Buffer.concat(chunks),
    /** The n-th request (from 1), as soon as it has come; an error if it does not. */
    async request(n = 1) {
      const late = AbortSignal.timeout(10_000);
      while (raw.requests.length < n) {
        await new Promise((resolve, reject) => {
          arrivals.push(resolve);
          late.onabort = () => reject(new Error(`request ${n} did not come; ${raw.requests.length} did`));
        });
      }
      return raw.requests[n - 1];
    },
    /** Takes another script, and forgets what came. */
    reset(...next) {
      script = next;
      raw.requests = [];
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      await stop();
    },
  };
  const chunks = [];

  const server = createServer((socket) => {
    raw.connections += 1;
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.once("close", () => sockets.delete(socket));
    // Clients break connections: that is what is tested.
    socket.on("error", () => {});
    if (raw.take(socket)) return;
    let pending = Buffer.alloc(0);
    socket.on("data", (data) => {
      chunks.push(data);
      // A TLS handshake: nobody here speaks it, and the client would wait for long.
      if (data[0] === 0x16) return socket.destroy();
      pending = Buffer.concat([pending, data]);
      const headLength = pending.indexOf(HEAD_END);
      if (headLength < 0) return;
      const length = Number(/^content-length: *(\d+)/im.exec(pending.subarray(0, headLength).toString("latin1"))?.[1] ?? 0);
      const total = headLength + HEAD_END.length + length;
      if (pending.length < total) return;
      const exchange = new Exchange(socket, pending.subarray(0, total), headLength);
      pending = pending.subarray(total);
      raw.requests.push(exchange);
      for (const arrived of arrivals.splice(0)) arrived();
      const answer = script[Math.min(raw.requests.length, script.length) - 1];
      if (typeof answer === "function") answer(exchange);
      else if (answer !== undefined) exchange.end(answer);
    });
  });
  const { stop, ...address } = await listening(server);
  return Object.assign(raw, address);
}
