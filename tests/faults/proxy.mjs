// A proxy before the stand-in that hands on a good reply the way a fault says, until it heals.
import { once } from "node:events";
import { connect } from "node:net";
import { createServer } from "node:tls";
import { startRaw } from "../lib/raw.mjs";
import { listening } from "../lib/server.mjs";

const HEAD_END = "\r\n\r\n";

/**
 * Starts one. `fault.deliver(exchange, reply)` answers the exchange with what the stand-in's reply is made of: `head` and
 * `body`, as bytes. `fault.connect(socket)` has the connection before anything is read from it. `fault.refused` has the
 * stand-in refuse the credentials. `certificate` puts TLS before all that. What is no exchange has no fault.
 */
export async function startProxy(fault, standIn, { certificate, elsewhere } = {}) {
  let healed = false;
  let exchanges = 0;
  const kept = [];
  const raw = await startRaw(async (exchange) => {
    const faulty = !healed && exchange.line.startsWith("POST /v1/auth ");
    const reply = await forward(exchange.bytes, standIn, { refused: faulty && fault.refused });
    if (!faulty) return exchange.end(Buffer.concat([reply.head, reply.body]));
    exchanges += 1;
    kept.push(exchange.closed);
    // A connection that stays, as those of most servers do: then nobody takes its end for the body's.
    const head = Buffer.from(reply.head.toString("latin1").replace(/^connection:.*\r\n/im, ""), "latin1");
    return fault.deliver(exchange, { ...reply, head, elsewhere });
  });
  raw.take = (socket) => {
    if (healed || !fault.connect) return false;
    kept.push(once(socket, "close"));
    fault.connect(socket);
    return true;
  };

  const tls = certificate && await listening(createServer(certificate, (socket) => {
    const onwards = connect(raw.port, "127.0.0.1");
    for (const [from, to] of [[socket, onwards], [onwards, socket]]) from.on("error", () => to.destroy()).pipe(to);
  }).on("tlsClientError", () => {}));

  return {
    url: tls ? `https://127.0.0.1:${tls.port}` : raw.url,
    /** How many exchanges met the fault. */
    exchanges: () => exchanges,
    /** Every byte that ever came. */
    received: raw.received,
    /** From here on it hands replies on as they are. */
    heal: () => void (healed = true),
    /** Resolves to whether every connection of the fault is gone within `ms`. */
    async quiet(ms) {
      const gone = Promise.all(kept).then(() => true);
      return Promise.race([gone, new Promise((resolve) => setTimeout(resolve, ms, false))]);
    },
    async stop() {
      // Its connections end with those that they lead to.
      await Promise.all([tls?.stop(), raw.stop()]);
    },
  };
}

/** What the stand-in replies to these bytes. */
async function forward(bytes, { url }, { refused }) {
  const end = bytes.indexOf(HEAD_END);
  const [line, ...fields] = bytes.subarray(0, end).toString("latin1").split("\r\n");
  const dropped = refused ? /^(connection|authorization):/i : /^connection:/i;
  const head = [line, ...fields.filter((field) => !dropped.test(field)), "Connection: close"];
  if (refused) head.push(`Authorization: Basic ${btoa("some:body")}`);
  const socket = connect(new URL(url).port, "127.0.0.1");
  socket.write(`${head.join("\r\n")}${HEAD_END}`);
  const chunks = [];
  for await (const chunk of socket) chunks.push(chunk);
  const reply = Buffer.concat(chunks);
  const split = reply.indexOf(HEAD_END) + HEAD_END.length;
  return { head: reply.subarray(0, split), body: reply.subarray(split) };
}
