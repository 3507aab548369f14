// What the API answers, seen without the package: the exchange itself, its clock, and what it tells browsers.
import { isContractToken, leftOf } from "./token.js";
import { codeOf, waitingFor } from "./wait.js";

const REQUEST_MS = 10_000;
const MOST_BYTES = 65_536;
/** A page somewhere else. The name cannot exist (RFC 6761 §6.4). */
const ORIGIN = "https://page.invalid";
/** A clock that is off by more makes trouble for somebody. */
const SKEW_S = 30;
const DAY_S = 86_400;

/** One request. Resolves to its answer, `{ failed: code }` if there is none. */
async function ask(url, init, what) {
  const started = Date.now();
  const begun = performance.now();
  try {
    return await waitingFor(what, REQUEST_MS, async (signal) => {
      const response = await fetch(url, { redirect: "manual", credentials: "omit", cache: "no-store", signal, ...init });
      const ended = Date.now();
      const ms = performance.now() - begun;
      const text = await beginningOf(response);
      return { status: response.status, headers: response.headers, text, value: parsed(text), started, ended, ms };
    });
  } catch (error) {
    return { failed: codeOf(error) };
  }
}

/** The body, up to the most that the package reads. */
async function beginningOf({ body }) {
  const chunks = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MOST_BYTES) break;
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The request of the contract. Resolves to a `kind` for the summary, with the answer. */
export async function checkExchange({ url, authorization, environment, report, words }) {
  const say = words.api;
  const init = { method: "POST", headers: { Authorization: authorization, "X-Environment": environment } };
  const answer = await ask(url, init, say.waiting(url.host));
  const label = `POST ${url.pathname}`;
  if (answer.failed) {
    await report.line("fault", label, say.noAnswer(answer.failed));
    return { kind: answer.failed === "timeout" ? "timeout" : "network", answer };
  }
  for (const object of [answer.value, answer.value?.data]) report.hide(object?.token, object?.access_token);
  const kind = kindOf(answer);
  const type = answer.headers.get("content-type");
  await report.line(kind === "token" ? "good" : "fault", label, say.answer(answer.status, type && report.excerpt(type, 40), answer.value !== undefined, answer.ms));
  await sayWords(answer, report, say);
  if (kind === "html") await report.line("fault", "HTML", say.html(titleOf(answer.text, report)));
  if (kind === "redirect") await report.line("fault", "Location", say.redirect(targetOf(answer, url, report)));
  if (kind === "contract") await report.line("fault", "data", say.contract(shapeOf(answer.value)));
  const retryAfter = answer.headers.get("retry-after");
  if (retryAfter !== null) await report.line("hint", "Retry-After", say.retryAfter(report.excerpt(retryAfter, 40), /^\d+$/.test(retryAfter)));
  for (const [index, cause] of (say.causes[kind] ?? []).entries()) await report.line(index === 0 ? "hint" : "more", index === 0 ? say.likely : "", cause);
  return { kind, answer };
}

/** The API's own words, unless they repeat what nobody is to see. */
async function sayWords({ value, status }, report, say) {
  for (const name of ["message", "reason"]) {
    const text = value?.[name];
    if (typeof text !== "string" || text === "" || (status === 200 && name === "message")) continue;
    await report.line("info", name, report.repeatsSecret(text) ? say.repeats : say.quote(report.excerpt(text, 300)));
  }
}

function kindOf({ status, headers, text, value }) {
  if (status >= 300 && status < 400) return "redirect";
  const isHtml = /html/i.test(headers.get("content-type") ?? "") || /^\s*<(!doctype|html)/i.test(text);
  if (status === 200 && isHtml) return "html";
  // A 200 whose body names another status has failed.
  const code = status === 200 && Number.isInteger(value?.statusCode) ? value.statusCode : status;
  if (code === 200) return isContractToken(value) ? "token" : "contract";
  if ([400, 401, 403, 404, 405, 407, 429].includes(code)) return String(code);
  return code >= 500 && code < 600 ? "500" : "other";
}

const titleOf = (html, report) => {
  const title = /<title[^>]*>(.*?)(?:<\/title|$)/is.exec(html)?.[1].trim();
  return title && report.excerpt(withoutReferences(title), 60);
};

const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " " };

/** The text of a title: a secret that is written with references would not be known again. */
const withoutReferences = (html) => html.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]{2,4}));/gi, (whole, decimal, hex, name) => {
  const point = name ? undefined : Number.parseInt(decimal ?? hex, decimal ? 10 : 16);
  return name ? ENTITIES[name.toLowerCase()] ?? whole : point <= 0x10_ff_ff ? String.fromCodePoint(point) : whole;
});

/** Where a redirect leads: without query and user info, which may hold anything. */
function targetOf({ headers }, url, report) {
  const location = headers.get("location");
  if (location === null) return undefined;
  try {
    const { origin, pathname } = new URL(location, url);
    return report.excerpt(`${origin}${report.repeatsSecret(decoded(pathname)) ? "/[…]" : pathname}`, 120);
  } catch {
    return undefined;
  }
}

function decoded(path) {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** The names and types of what is there in place of the contract's. */
function shapeOf(value) {
  if (value === undefined) return "?";
  const type = (each) => (Array.isArray(each) ? "array" : each === null ? "null" : typeof each);
  const members = (object) => Object.entries(object).filter(([name]) => /^\w{1,24}$/.test(name)).slice(0, 6);
  if (type(value) !== "object") return type(value);
  return members(value).map(([name, each]) => (type(each) === "object"
    ? `${name} {${members(each).map(([key, inner]) => `${key}: ${type(inner)}`).join(", ")}}`
    : `${name}: ${type(each)}`)).join(", ") || "{}";
}

/** How far the machine's clock is from `Date`. Resolves to seconds, positive when it is ahead, or undefined. */
export async function checkClock({ answer, report, words }) {
  const say = words.clock;
  const date = answer.failed ? NaN : Date.parse(answer.headers.get("date"));
  if (answer.failed) return undefined;
  if (Number.isNaN(date)) {
    await report.line("info", say.label, say.noDate);
    return undefined;
  }
  if (answer.headers.has("age")) {
    await report.line("hint", say.label, say.cached);
    return undefined;
  }
  // It was written while the answer was under way, within the second that it names.
  const most = (answer.ended - date) / 1_000;
  const least = (answer.started - date) / 1_000 - 1;
  if (least <= 0 && most >= 0) {
    await report.line("good", say.label, say.agrees(Math.max(1, Math.ceil(most - least))));
    return 0;
  }
  const skew = least > 0 ? least : most;
  const far = Math.abs(skew) > SKEW_S;
  // A Date that is off by a day and more is believed, and a token that has ended by it is refused.
  const remedy = far ? say.remedy(Math.abs(skew) < DAY_S) : "";
  await report.line(far ? "hint" : "good", say.label, (skew > 0 ? say.ahead : say.behind)(Math.abs(skew)) + remedy);
  return far ? skew : 0;
}

/** What a page in a browser would be told. */
export async function checkCors({ url, report, words }) {
  const say = words.cors;
  const headers = { Origin: ORIGIN, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,x-environment" };
  const answer = await ask(url, { method: "OPTIONS", headers }, say.waiting);
  if (answer.failed) return report.line("info", "CORS", say.noAnswer(answer.failed));
  const list = (name) => (answer.headers.get(name) ?? "").toLowerCase().split(",").map((each) => each.trim());
  const origin = answer.headers.get("access-control-allow-origin");
  if (answer.status < 200 || answer.status > 299) return report.line("info", "CORS", say.refused(answer.status));
  if (origin === null) return report.line("info", "CORS", say.noOrigin);
  if (origin !== "*" && origin !== ORIGIN) return report.line("info", "CORS", say.otherOrigin);
  const allowed = list("access-control-allow-headers");
  // A wildcard does not stand for Authorization (Fetch standard, "CORS non-wildcard request-header name").
  const missing = ["Authorization", "X-Environment"].filter((name) => !allowed.includes(name.toLowerCase()) && !(name !== "Authorization" && allowed.includes("*")));
  if (missing.length > 0) return report.line("info", "CORS", say.missingHeaders(missing));
  return report.line("info", "CORS", say.allowed);
}

/** The path that the vendor's SDK for Node.js asks; resolves to whether it gives a token. */
export async function checkSdkPath({ url, authorization, environment, report, words }) {
  const say = words.sdk;
  const sdk = new URL(`${url.href}/token`);
  const answer = await ask(sdk, { method: "POST", headers: { Authorization: authorization, "X-Environment": environment } }, say.waiting);
  const label = `POST ${sdk.pathname}`;
  if (answer.failed) return report.line("info", label, say.noAnswer(answer.failed));
  return report.line("info", label, say.answer(answer.status, answer.value !== undefined, leftOf(answer.value)));
}
