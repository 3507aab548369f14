// Put before every program of the documentation: what it sends to the API, or to a stand-in on the port that the text
// names, goes to the stand-in of the test. Nothing goes to another machine.
import dns from "node:dns";
import http from "node:http";
import https from "node:https";

const standIn = process.env.DOCS_STAND_IN;
const api = ["https://api.digitalpaye.com", "http://127.0.0.1:8787"];
const loopback = new Set(["127.0.0.1", "::1", "localhost"]);

const { fetch: send } = globalThis;
globalThis.fetch = async (input, init) => {
  const url = new URL(input instanceof Request ? input.url : input);
  if (!api.includes(url.origin)) {
    if (loopback.has(url.hostname)) return send(input, init);
    throw new Error(`the documentation asks ${url.origin}, and tests stay on this machine`);
  }
  const there = new URL(url.pathname + url.search, standIn);
  return input instanceof Request ? send(new Request(there, input), init) : send(there, init);
};

// Clients of Node's own https, which the text comes from.
https.request = ({ hostname, method, path, headers, auth }, answered) => {
  if (`https://${hostname}` !== api[0]) throw new Error(`the documentation asks ${hostname}, and tests stay on this machine`);
  const there = new URL(process.env.DOCS_HTTPS);
  return http.request({ method, path, headers, auth, hostname: there.hostname, port: there.port }, answered);
};

const { lookup } = dns;
dns.lookup = (name, ...rest) => {
  if (loopback.has(name)) return lookup(name, ...rest);
  rest.at(-1)(new Error(`the documentation looks up ${name}, and tests stay on this machine`));
};
