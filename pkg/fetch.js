// `DigitalpayeAuth.fetch`: the platform's fetch with a token, and one re-authentication.
import { InvalidOptionsError } from "./errors.js";
import { isA } from "./options.js";

const ignore = () => {};

/** `auth` gives tokens, `host` knows where to and how to send. Rejects, never throws. */
export async function fetchWithToken(auth, host, args) {
  const { base, environment, fetch: send = globalThis.fetch } = host;
  // The platform's own words for a call without input.
  if (args.length === 0) return Reflect.apply(send, undefined, []);
  const [input] = args;
  const init = readInit(args[1]);
  const request = isA(input, "Request") ? input : undefined;
  const url = request ? new URL(request.url) : new URL(`${input}`, base);
  if (url.origin !== new URL(base).origin) {
    throw new InvalidOptionsError("input is of another origin than baseUrl; a token is sent to its own API only", {
      option: "input",
    });
  }
  // null is a signal too: none.
  const signal = init.signal === undefined ? request?.signal : init.signal;
  const call = isA(signal, "AbortSignal") ? { signal } : undefined;

  // A Request gives its body away when it is sent, so what is to be sent again is made before.
  const replay = isReplayable(request, init);
  const spare = request && replay && init.body == null && request.body !== null ? request.clone() : request;
  const attempt = async (token, target) => {
    const headers = new Headers(init.headers ?? request?.headers);
    headers.set("Authorization", `Bearer ${token}`);
    if (!headers.has("X-Environment")) headers.set("X-Environment", environment);
    return Reflect.apply(send, undefined, [target ?? url.href, { ...init, headers }]);
  };

  const { token } = await auth.getToken(call);
  const response = await attempt(token, request);
  if (response.status !== 401) {
    // Or the whole body would be kept for nothing.
    if (spare !== request) discard(spare);
    return response;
  }
  auth.invalidate(token);
  if (!replay) return response;

  // Frees the connection; the body of a refusal is of no use to anybody.
  discard(response);
  const { token: next } = await auth.getToken(call);
  const second = await attempt(next, spare);
  if (second.status === 401) auth.invalidate(next);
  return second;
}

function discard({ body }) {
  Promise.resolve(body?.cancel?.()).catch(ignore);
}

/** Members that an object may have without listing them; `for … in` finds all others, those of a `Request` included. */
const MEMBERS = ["method", "headers", "body", "mode", "credentials", "cache", "redirect", "referrer", "referrerPolicy"].concat(
  ["integrity", "keepalive", "signal", "duplex", "priority"],
);

/** A copy of the init, read once and as the platform reads it: inherited members and getters count. */
function readInit(init) {
  const copy = {};
  if (init == null) return copy;
  if (typeof init !== "object" && typeof init !== "function") throw new TypeError("init is not an object");
  for (const name in init) copy[name] = init[name];
  for (const name of MEMBERS) if (!(name in copy) && name in init) copy[name] = init[name];
  return copy;
}

/** Whether the body can be sent again: a stream can be read once. */
function isReplayable(request, init) {
  const { body } = init;
  if (body == null) return !request?.bodyUsed;
  return (
    typeof body === "string" ||
    ArrayBuffer.isView(body) ||
    ["ArrayBuffer", "Blob", "FormData", "URLSearchParams", "File"].some((name) => isA(body, name))
  );
}
