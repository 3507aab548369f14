// Replies of the API, written out: as bytes for a socket, and as the values in them.
import { STATUS_CODES } from "node:http";

/** The replies of Digitalpaye's page on creating a token, as published. */
export const PAGE = {
  200: `{
"statusCode": 200,
"message": "Successful",
"data": {
"token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJjb21wYW55SWQiOiI4NDM3ZGQxMy04OWFjLTQ1ZTEtYTdhYS1jOGJhMDk1ZDFiMjciLCJpYXQiOjE3Mjg2MzQyMDMsImV4cCI6MTcyODYzNDgwM30.A3-AD5mGawbhv9nUmio0k7c-hhx5K7lqnuPFCziJJqE",
"exp": 1728634803
}
}`,
  400: `{
"statusCode": 400,
"message": "BadRequestError",
"reason": "Les identifiants API (apikey et apisecret) sont requis."
}`,
  401: `{
"statusCode": 401,
"message": "UnauthorizedError",
"reason": "Identifiants API incorrects. Veuillez vérifier votre clé API et votre secret."
}`,
  500: `{
"statusCode": 500,
"message": "InternalServerError",
"reason": "Une erreur est survenue. Veuillez réessayer"
}`,
};

/** What the page's 200 is to give. */
export const PAGE_TOKEN = {
  token:
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJjb21wYW55SWQiOiI4NDM3ZGQxMy04OWFjLTQ1ZTEtYTdhYS1jOGJhMDk1ZDFiMjciLCJpYXQiOjE3Mjg2MzQyMDMsImV4cCI6MTcyODYzNDgwM30.A3-AD5mGawbhv9nUmio0k7c-hhx5K7lqnuPFCziJJqE",
  exp: 1728634803,
};

const base64url = (bytes) => Buffer.from(bytes).toString("base64url");

/** A JWT with this payload: a value to be serialized, or the payload's text itself. */
export function jwt(payload, { header = { alg: "HS256", typ: "JWT" }, signature = "A3-AD5mGawbhv9nUmio0k7c-hhx5K7lqnuPFCziJJqE" } = {}) {
  const text = typeof payload === "string" ? payload : JSON.stringify(payload);
  return `${base64url(JSON.stringify(header))}.${base64url(text)}.${signature}`;
}

/** The text of a 200. */
export const success = (token, exp) => JSON.stringify({ statusCode: 200, message: "Successful", data: { token, exp } });

/** The text of a failure. */
export const failure = (statusCode, reason) => JSON.stringify({ statusCode, message: "Error", reason });

/**
 * A whole reply, without `Date` unless given. `headers` is an object or a list of pairs; a `Content-Length` of their own
 * takes the place of the right one.
 */
export function reply(status, body = "", headers = {}) {
  const bytes = Buffer.from(body);
  const fields = Array.isArray(headers) ? headers : Object.entries(headers);
  const framed = fields.some(([name]) => /^(content-length|transfer-encoding)$/i.test(name));
  const all = [...fields, ...(framed ? [] : [["Content-Length", bytes.length]]), ["Connection", "close"]];
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Unknown"}\r\n${all.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
  return Buffer.concat([Buffer.from(head, "latin1"), bytes]);
}

/** A body in chunks of HTTP/1.1. `last: false` leaves out what ends it. */
export function chunked(pieces, { last = true } = {}) {
  const parts = pieces.map((piece) => {
    const bytes = Buffer.from(piece);
    return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]);
  });
  return Buffer.concat([...parts, Buffer.from(last ? "0\r\n\r\n" : "")]);
}
