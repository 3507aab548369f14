// What a call must end with, by the rules of the documentation alone: written without a look at the package's own way to
// the same answer.
import { CLASSES } from "../lib/errors.mjs";

const CAP = 65_536;
const DAY_S = 86_400;
const B64TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
const LONE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

// Every runtime that fuzzes has WebAssembly.
const { unsupported_runtime: _, ...codes } = CLASSES;
export const CODES = codes;
export const OPTIONS = ["apiKey", "apiSecret", "environment", "baseUrl", "timeout", "maxRetries", "fetch", "store", "waitUntil", "onEvent",
  "signal", "forceRefresh", "options", "call", "token", "input"];

export function isRetryable(code, status) {
  return ["rate_limited", "internal_server_error", "network", "timeout", "credentials"].includes(code) || (code === "unexpected_status" && status === 408);
}

export const isB64token = (text) => typeof text === "string" && B64TOKEN.test(text);

/** The class of a status other than 200. */
export function codeOf(status) {
  if (status === 400) return "bad_request";
  if (status === 401) return "unauthorized";
  if (status === 429) return "rate_limited";
  return status >= 500 && status <= 599 ? "internal_server_error" : "unexpected_status";
}

const isMember = (value, name) => typeof value === "object" && value !== null && Object.hasOwn(value, name);
const member = (value, name) => (isMember(value, name) ? value[name] : undefined);

/** Seconds since 1970 of an IMF-fixdate; undefined for what is none, "either" for the obsolete forms. */
function dateOf(text) {
  if (text === null || text === undefined) return undefined;
  const at = Date.parse(text);
  if (/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text) && !Number.isNaN(at)) return at / 1_000;
  return Number.isNaN(at) || /^-?[\d.]+$/.test(text) ? undefined : "either";
}

/** The numbers of a JWT's payload; "either" where what is no clean base64url may be read or not. */
function claimsOf(token) {
  const parts = token.split(".");
  if (parts.length !== 3) return {};
  const bytes = Buffer.from(parts[1], "base64url");
  if (bytes.toString("base64url") !== parts[1]) return "either";
  const text = bytes.toString();
  if (text.includes("\ufffd") || text.startsWith("\ufeff")) return "either";
  try {
    const claims = JSON.parse(text);
    const number = (name) => (typeof member(claims, name) === "number" && Number.isFinite(claims[name]) ? claims[name] : undefined);
    return { iat: number("iat"), exp: number("exp") };
  } catch {
    return {};
  }
}

/** Retry-After: whole seconds, "either", or undefined for none. Fractions are rounded up; the first of several counts. */
function retryAfterOf(text, date, local) {
  if (text === null || text === undefined) return undefined;
  const [first] = text.split(/(?<!^[A-Z][a-z]{2}), */);
  if (/^\d{1,9}(\.\d{1,9})?$/.test(first)) return Math.ceil(Number(first));
  const at = dateOf(first);
  if (at === undefined) return /^[\d\s.]*$/.test(first) ? "either" : undefined;
  if (at === "either" || date === "either") return "either";
  return Math.max(0, Math.ceil(at - (date ?? local)));
}

/**
 * What a whole reply means: `[{ token, exp, life }]` or `[{ code, status, reason, retryAfter }]`; more than one where the rules
 * leave it open. `local` is the wall clock in seconds. `reason` is undefined where there must be none.
 */
export function readReply({ status, headers = {}, bytes }, { secret, basic, local }) {
  const date = dateOf(headers.date);
  const retryAfter = retryAfterOf(headers["retry-after"], date, local);
  const failure = (code, of, reason) => ({ code, status: of, reason, retryAfter });
  const invalid = failure("invalid_response", 200);
  const ofStatus = (of, body) => {
    const reason = member(body, "reason");
    const shown = typeof reason === "string" && !reason.includes(secret) && !reason.includes(basic);
    return failure(codeOf(of), of, shown ? reason : undefined);
  };
  // How a page sees a redirect: without status, headers and body.
  if (status === 0) return [{ code: codeOf(0), status: undefined, reason: undefined, retryAfter: "either" }];
  let body;
  let isJson = false;
  if (bytes.length <= CAP) {
    try {
      body = JSON.parse(new TextDecoder().decode(bytes));
      isJson = true;
    } catch {
      // No JSON.
    }
  }
  if (status !== 200) return [ofStatus(status, body)];
  if (!isJson) return [invalid];
  const inner = member(body, "statusCode");
  if (typeof inner === "number" && Number.isInteger(inner) && inner !== 200) {
    return Number.isSafeInteger(inner) ? [ofStatus(inner, body)] : [ofStatus(inner, body), ...readToken()];
  }
  return readToken();

  function readToken() {
    const data = member(body, "data");
    const token = member(data, "token");
    const exp = member(data, "exp");
    if (!isB64token(token) || !Number.isSafeInteger(exp)) return [invalid];
    const granted = { token, exp };
    const claims = claimsOf(token);
    const readings = claims === "either" || date === "either" ? ["either"] : [];
    const lives = [];
    if (claims.iat !== undefined) lives.push(exp - claims.iat, ...(claims.exp === undefined ? [] : [claims.exp - claims.iat]));
    if (typeof date === "number" && (headers.age === undefined || headers.age === null)) {
      // A wrong clock on the way: the token's own says so.
      const isWrong = claims.iat !== undefined && exp - date <= 0 && Math.abs(date - claims.iat) < DAY_S;
      if (!isWrong) lives.push(exp - date);
    }
    if (readings.length > 0) return [{ ...granted, life: "either" }, invalid];
    const life = lives.length > 0 ? Math.min(...lives) : exp - local;
    return [life > 0 && life <= DAY_S ? { ...granted, life } : invalid];
  }
}

/** Whether an option's value is one: "good", "bad", or "either" where the rules say nothing. */
export function judge(name, value, of) {
  const text = (also) => (typeof value !== "string" || value === "" || CONTROL.test(value) || LONE.test(value) || also?.test(value) ? "bad" : "good");
  switch (name) {
    case "apiKey": return text(/:/);
    // What a stranger's function would say, nobody knows.
    case "apiSecret": return typeof value !== "function" ? text() : of === "asked" ? "good" : "either";
    case "environment":
      return value === undefined || (typeof value === "string" && /^[\x21-\x7e]+$/.test(value)) ? "good" : "bad";
    case "baseUrl": {
      if (value === undefined) return "good";
      if (typeof value === "object" && value !== null) return of === "url" ? judge(name, String(value.href)) : of === "bad" ? "bad" : "either";
      if (typeof value !== "string") return "bad";
      let url;
      try {
        url = new URL(value);
      } catch {
        return "bad";
      }
      if (url.username || url.password || url.search || url.hash) return "bad";
      const { protocol, hostname } = url;
      const loopback = hostname === "localhost" || hostname.endsWith(".localhost") || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
      if (protocol !== "https:" && !(protocol === "http:" && loopback)) return "bad";
      return /[?#@]/.test(value) || LONE.test(value) ? "either" : "good";
    }
    case "timeout":
      return value === undefined || (typeof value === "number" && value > 0 && value < Infinity) ? "good" : "bad";
    case "maxRetries":
      return value === undefined || (Number.isInteger(value) && value >= 0 && value <= 10) ? "good" : "bad";
    case "fetch": case "waitUntil": case "onEvent":
      return value === undefined || typeof value === "function" ? "good" : "bad";
    case "store":
      if (value === undefined) return "good";
      return (typeof value === "object" && value !== null) || typeof value === "function" ? "either" : "bad";
    case "signal":
      if (value === undefined || of === "signal") return "good";
      return (typeof value === "object" && value !== null) || typeof value === "function" ? "either" : "bad";
    case "forceRefresh":
      return value === undefined || typeof value === "boolean" ? "good" : "bad";
    default: throw new Error(`no option ${name}`);
  }
}
