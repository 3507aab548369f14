// Every fault: where it strikes, how it is made, and what a call ends with. New ones go here and nowhere else.
import { STATUS_CODES } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { brotliCompressSync, deflateRawSync, gzipSync } from "node:zlib";
import { chunked } from "../lib/replies.mjs";

/**
 * What a call ends with: a class of ours, or "token" where no harm is done. `but` are the runtimes whose own HTTP makes
 * something else of it.
 */
const all = (ends, but) => ({ Node: ends, workerd: ends, Chromium: ends, ...but });
const network = all("NetworkError");
const invalid = all("InvalidResponseError");
const late = all("TimeoutError");
const harmless = all("token");

/** The head of a 200 in JSON that any page may read; what `fields` name comes last, or in the place of these. */
const head = (fields = {}, status = 200) => {
  const all = { "Content-Type": "application/json", "Access-Control-Allow-Origin": "*", ...fields };
  const lines = Object.entries(all).flatMap(([name, values]) => [values].flat().map((value) => `${name}: ${value}\r\n`));
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n`;
};

const chunkedHead = head({ "Transfer-Encoding": "chunked" });
const bytes = (...parts) => Buffer.concat(parts.map((part) => Buffer.from(part)));
const sized = (body, fields) => bytes(head({ "Content-Length": bytes(body).length, ...fields }), body);
const inChunks = (body) => bytes(chunkedHead, chunked([body.subarray(0, 30), body.subarray(30)]));

/** Ends the connection with what `make` makes of the stand-in's reply. */
const sends = (make) => (exchange, reply) => exchange.end(make(reply));

/** Sends what `make` makes of the stand-in's body in place of it. */
const says = (make, fields) => sends(({ body }) => sized(make(body.toString(), JSON.parse(body)), fields));

// Ways in which a connection ends, or does not.
const ways = {
  "closed": (exchange) => exchange.end(),
  "reset": (exchange) => exchange.reset(),
  "silent": () => {},
};

// How far a reply comes: the bytes before that, of it as it is and of it in chunks.
const places = {
  "before the head": ({ head }) => head.subarray(0, 0),
  "within the head": ({ head }) => head.subarray(0, head.length >> 1),
  "between head and body": ({ head }) => head,
  "within the body": ({ head, body }) => bytes(head, body.subarray(0, body.length >> 1)),
  "before the last byte": ({ head, body }) => bytes(head, body.subarray(0, -1)),
  "within a chunk": ({ body }) => inChunks(body).subarray(0, chunkedHead.length + 60),
  "before the last chunk": ({ body }) => inChunks(body).subarray(0, -5),
};
const afterHead = Object.keys(places).slice(2);

function cut(way, place, ends, more) {
  return {
    stage: place, name: way, ends, slow: way === "silent", ...more,
    async deliver(exchange, reply) {
      exchange.write(places[place](reply));
      // For the two to be read apart.
      await sleep(30);
      ways[way](exchange);
    },
  };
}

const drip = async (exchange, text) => {
  for (const byte of text) {
    if (exchange.gone || !exchange.write(Buffer.from([byte]))) return;
    await sleep(100);
  }
};

const endless = (start, chunk) => (exchange) => {
  exchange.write(start);
  // Whoever takes 32 MB would take more.
  return exchange.pour(Buffer.from(chunk), 32 << 20);
};

const zeros = Buffer.alloc(64 << 20);
const nested = (depth) => `${"[".repeat(depth)}${"]".repeat(depth)}`;
const redirect = (location) => sends((reply) => bytes(head({ "Content-Length": 0, Location: location(reply) }, 307)));
const redirected = all("UnexpectedStatusError");

const connection = [
  { name: "refused", ends: network, address: "closed" },
  { name: "a host that has no address", ends: network, address: "unknown" },
  { name: "closed", ends: network, connect: (socket) => socket.resume().end() },
  { name: "reset", ends: network, connect: (socket) => socket.resetAndDestroy() },
  { name: "silent", ends: late, slow: true, connect: (socket) => socket.resume() },
].map((fault) => ({ stage: "connection", ...fault }));

const tls = [
  { name: "an authority that is known", certificate: "good", ends: harmless },
  { name: "wrong host", certificate: "wrong host", stranger: true, ends: network },
  { name: "expired", certificate: "expired", stranger: true, ends: network },
  { name: "self-signed", certificate: "self-signed", stranger: true, ends: network },
  { name: "redirect to http", certificate: "good", ends: redirected, deliver: redirect(({ elsewhere }) => `${elsewhere}/v1/auth`) },
].map(({ ends: { Node, workerd }, ...fault }) => ({
  stage: "TLS", deliver: sends(({ head, body }) => bytes(head, body)), ...fault,
  // Its authority would have to be that of the whole browser.
  ends: { Node, workerd },
}));

const cuts = [
  ...["closed", "reset", "silent"].flatMap((way) => Object.keys(places).map((place) => cut(way, place, way === "silent" ? late : network))),
  // HTTP's status decides, whatever comes of the body.
  ...["closed", "reset", "silent"].flatMap((way) => afterHead.slice(0, 2).map((place) => cut(way, place, all("UnauthorizedError"), { name: `${way}, of a 401`, refused: true }))),
  { stage: "before the head", name: "one byte per 100 ms", ends: late, slow: true, deliver: (exchange, { head, body }) => drip(exchange, bytes(head, body)) },
  {
    stage: "between head and body", name: "one byte per 100 ms", ends: late, slow: true,
    deliver(exchange, { head, body }) {
      exchange.write(head);
      return drip(exchange, body);
    },
  },
];

const framing = [
  { name: "Content-Length too large", ends: network, deliver: sends(({ body }) => bytes(head({ "Content-Length": body.length + 10 }), body)) },
  { name: "Content-Length too small", ends: invalid, deliver: sends(({ body }) => bytes(head({ "Content-Length": body.length - 10 }), body)) },
  { name: "two Content-Lengths", ends: network, deliver: sends(({ body }) => bytes(head({ "Content-Length": [body.length, body.length - 10] }), body)) },
  { name: "Content-Length that is no number", ends: all("NetworkError", { Chromium: "token" }), deliver: sends(({ body }) => bytes(head({ "Content-Length": "many" }), body)) },
  { name: "Content-Length below zero", ends: all("NetworkError", { Chromium: "token" }), deliver: sends(({ body }) => bytes(head({ "Content-Length": -5 }), body)) },
  { name: "Content-Length and chunks", ends: all("token", { Node: "NetworkError" }), deliver: sends(({ body }) => bytes(head({ "Content-Length": 5, "Transfer-Encoding": "chunked" }), chunked([body]))) },
  { name: "neither", ends: harmless, deliver: sends(({ body }) => bytes(head(), body)) },
  { name: "neither, cut", ends: invalid, deliver: sends(({ body }) => bytes(head(), body.subarray(0, -2))) },
  { name: "chunked twice", ends: invalid, deliver: sends(({ body }) => bytes(head({ "Transfer-Encoding": "chunked, chunked" }), chunked([chunked([body])]))) },
  { name: "chunks in chunks", ends: invalid, deliver: sends(({ body }) => bytes(chunkedHead, chunked([chunked([body])]))) },
  { name: "chunks without a size", ends: network, deliver: sends(({ body }) => bytes(chunkedHead, "many\r\n", body)) },
  { name: "chunk below zero", ends: network, deliver: sends(({ body }) => bytes(chunkedHead, "-5\r\n", body, "\r\n0\r\n\r\n")) },
  { name: "chunk of 2^64 bytes", ends: network, deliver: sends(({ body }) => bytes(chunkedHead, "10000000000000000\r\n", body, "\r\n0\r\n\r\n")) },
  { name: "chunk longer than its size", ends: network, deliver: sends(({ body }) => bytes(chunkedHead, "5\r\n", body, "\r\n0\r\n\r\n")) },
  { name: "endless chunk extension", ends: all("NetworkError", { Node: "TimeoutError" }), slow: true, deliver: endless(`${chunkedHead}5;`, "x".repeat(8_192)) },
  { name: "HTTP/1.0", ends: harmless, deliver: sends(({ body }) => bytes(head().replace("HTTP/1.1", "HTTP/1.0"), body)) },
  { name: "HTTP/0.9", ends: network, deliver: sends(({ body }) => body) },
  { name: "HTTP/2 in clear", ends: network, deliver: sends(() => bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])) },
  { name: "no HTTP", ends: network, deliver: sends(() => "SSH-2.0-OpenSSH_9.2\r\n\r\n") },
  { name: "header without a colon", ends: all("NetworkError", { Chromium: "token" }), deliver: sends(({ body }) => bytes(head({ "Content-Length": body.length }).replace(/\r\n\r\n$/, "\r\nnonsense\r\n\r\n"), body)) },
  { name: "NUL in a header", ends: network, deliver: sends(({ body }) => sized(body, { "X-Nul": "a\0b" })) },
  { name: "endless headers", ends: network, deliver: endless("HTTP/1.1 200 OK\r\n", `X-More: ${"x".repeat(1_000)}\r\n`.repeat(8)) },
  { name: "one endless header", ends: network, deliver: endless("HTTP/1.1 200 OK\r\nX-More: ", "x".repeat(8_192)) },
].map((fault) => ({ stage: "framing", ...fault }));

const statuses = [
  ...[100, 103].map((status) => ({
    name: `${status} before the answer`, ends: all("token", status === 100 && { Node: "NetworkError" }),
    deliver: sends(({ head, body }) => bytes(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nLink: </x>\r\n\r\n`, head, body)),
  })),
  { name: "100 without end", ends: all("TimeoutError", { Node: "NetworkError" }), slow: true, deliver: endless("", "HTTP/1.1 100 Continue\r\n\r\n".repeat(100)) },
  { name: "101", ends: all("NetworkError", { workerd: "UnexpectedStatusError" }), deliver: sends(() => "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n") },
  ...[204, 206, 304].map((status) => ({
    name: String(status), ends: all("UnexpectedStatusError"), status,
    deliver: sends(({ body }) => status === 206
      ? bytes(head({ "Content-Length": body.length, "Content-Range": `bytes 0-${body.length - 1}/${body.length}` }, status), body)
      : bytes(head({}, status))),
  })),
  { name: "502 in HTML", ends: all("InternalServerError"), status: 502, deliver: sends(() => bytes(head({ "Content-Type": "text/html", "Content-Length": 20 }, 502), "<h1>Bad Gateway</h1>")) },
  { name: "999", ends: all("UnexpectedStatusError"), status: 999, deliver: sends(() => bytes(head({ "Content-Length": 0 }).replace("200 OK", "999 What"))) },
  { name: "a status that is no number", ends: all("NetworkError", { Chromium: "UnexpectedStatusError" }), deliver: sends(({ body }) => bytes(head().replace("200", "2x0"), body)) },
  { name: "redirect to another origin", ends: redirected, deliver: redirect(({ elsewhere }) => `${elsewhere}/v1/auth`) },
  { name: "redirect to itself", ends: redirected, deliver: redirect(() => "/v1/auth") },
  { name: "redirect to nowhere", ends: all("UnexpectedStatusError", { Chromium: "NetworkError" }), deliver: redirect(() => "http://") },
].map((fault) => ({ stage: "status", ...fault }));

const encodings = [
  { name: "endless body", ends: invalid, deliver: endless(head(), " ".repeat(8_192)) },
  { name: "endless body in chunks", ends: invalid, deliver: endless(chunkedHead, `2000\r\n${" ".repeat(8_192)}\r\n`) },
  { name: "endless body of a 401", ends: all("UnauthorizedError"), status: 401, deliver: endless(head({}, 401), " ".repeat(8_192)) },
  { name: "gzip bomb, 64 MB", ends: invalid, deliver: sends(() => sized(gzipSync(zeros), { "Content-Encoding": "gzip" })) },
  { name: "gzip bomb in a gzip bomb", ends: invalid, deliver: sends(() => sized(gzipSync(gzipSync(zeros)), { "Content-Encoding": "gzip, gzip" })) },
  { name: "gzip", ends: harmless, deliver: sends(({ body }) => sized(gzipSync(body), { "Content-Encoding": "gzip" })) },
  { name: "gzip cut", ends: all("InvalidResponseError", { workerd: "NetworkError" }), deliver: sends(({ body }) => sized(gzipSync(body).subarray(0, -30), { "Content-Encoding": "gzip" })) },
  { name: "gzip damaged", ends: network, deliver: sends(({ body }) => sized(gzipSync(body).fill(0xff, 20, 60), { "Content-Encoding": "gzip" })) },
  { name: "gzip that is none", ends: network, deliver: sends(({ body }) => sized(body, { "Content-Encoding": "gzip" })) },
  { name: "gzip unannounced", ends: invalid, deliver: sends(({ body }) => sized(gzipSync(body))) },
  { name: "deflate that is none", ends: all("NetworkError", { workerd: "InvalidResponseError" }), deliver: sends(({ body }) => sized(bytes([0xff, 0xff], deflateRawSync(body)), { "Content-Encoding": "deflate" })) },
  { name: "brotli", ends: harmless, deliver: sends(({ body }) => sized(brotliCompressSync(body), { "Content-Encoding": "br" })) },
  { name: "an encoding that nobody knows", ends: harmless, deliver: sends(({ body }) => sized(body, { "Content-Encoding": "nonsense" })) },
].map((fault) => ({ stage: "encoding", ...fault }));

const texts = [
  { name: "empty", make: () => "", ends: invalid },
  { name: "HTML", make: () => "<!doctype html><title>Sign in</title>", fields: { "Content-Type": "text/html" }, ends: invalid },
  { name: "UTF-16 with a BOM", make: (text) => bytes([0xff, 0xfe], Buffer.from(text, "utf16le")), ends: invalid },
  { name: "UTF-16 that the header names", make: (text) => Buffer.from(text, "utf16le"), fields: { "Content-Type": "application/json; charset=utf-16" }, ends: invalid },
  { name: "a BOM", make: (text) => `\ufeff${text}`, ends: harmless },
  { name: "two BOMs", make: (text) => `\ufeff\ufeff${text}`, ends: invalid },
  { name: "invalid UTF-8 in the token", make: (text) => bytes(text.slice(0, text.indexOf("eyJ") + 10), [0xc3, 0x28], text.slice(text.indexOf("eyJ") + 10)), ends: invalid },
  { name: "invalid UTF-8 elsewhere", make: (text) => bytes('{"x":"', [0xff, 0xc0, 0xed, 0xa0, 0x80], '",', text.slice(1)), ends: harmless },
  { name: "a key twice: the last counts", make: (text) => text.replace("{", '{"data":{"token":"","exp":0},'), ends: harmless },
  { name: "a key twice: the last is wrong", make: (text) => text.replace(/\}$/, ',"data":{"token":"eyJ.e30.x","exp":1}}'), ends: invalid },
  { name: "__proto__ for data", make: (text, { data }) => `{"statusCode":200,"__proto__":${JSON.stringify({ data })}}`, ends: invalid },
  { name: "__proto__ in data", make: (text, { data }) => `{"statusCode":200,"data":{"__proto__":${JSON.stringify(data)}}}`, ends: invalid },
  { name: "__proto__ beside data", make: (text) => text.replace("{", '{"__proto__":{"statusCode":500},"constructor":{"prototype":1},'), ends: harmless },
  { name: "exp of 1e400", make: (text) => text.replace(/"exp":\d+/, '"exp":1e400'), ends: invalid },
  { name: "exp of -1e400", make: (text) => text.replace(/"exp":\d+/, '"exp":-1e400'), ends: invalid },
  { name: "statusCode of 1e400", make: (text) => text.replace(/"statusCode":\d+/, '"statusCode":1e400'), ends: harmless },
  { name: "exp of 30,000 digits", make: (text) => text.replace(/"exp":\d+/, `"exp":${"9".repeat(30_000)}`), ends: invalid },
  { name: "10,000 levels for data", make: () => `{"statusCode":200,"data":${nested(10_000)}}`, ends: invalid },
  { name: "10,000 levels beside data", make: (text) => text.replace("{", `{"x":${nested(10_000)},`), ends: harmless },
  { name: "10,000 keys beside data", make: (text) => text.replace("{", `{${Array.from({ length: 5_000 }, (_, n) => `"k${n}":0,`).join("")}`), ends: harmless },
  { name: "text after the JSON", make: (text) => `${text}\n{}`, ends: invalid },
  { name: "NUL after the JSON", make: (text) => `${text}\0`, ends: invalid },
  { name: "NaN", make: (text) => text.replace(/"exp":\d+/, '"exp":NaN'), ends: invalid },
  { name: "null", make: () => "null", ends: invalid },
  { name: "a list", make: (text) => `[${text}]`, ends: invalid },
  { name: "a string of JSON", make: (text) => JSON.stringify(text), ends: invalid },
  { name: "a token with a line break", make: (text) => text.replace("eyJ", "eyJ\\r\\nX-Injected: 1"), ends: invalid },
  { name: "a life of 30 days", make: (text, { data }) => JSON.stringify({ statusCode: 200, data: { token: "opaque", exp: data.exp + 30 * 86_400 } }), ends: invalid },
  { name: "a life that is over", make: (text, { data }) => JSON.stringify({ statusCode: 200, data: { token: "opaque", exp: data.exp - 86_400 } }), ends: invalid },
  { name: "200 that says 401", make: () => '{"statusCode":401,"reason":"non"}', ends: all("UnauthorizedError"), status: 401 },
  { name: "200 that says 503", make: () => '{"statusCode":503,"reason":"non"}', ends: all("InternalServerError"), status: 503 },
].map(({ make, fields, ...fault }) => ({ stage: "text", ...fault, deliver: says(make, fields) }));

export const faults = [...connection, ...tls, ...cuts, ...framing, ...statuses, ...encodings, ...texts]
  .map((fault, id) => ({ id, ...fault }));
