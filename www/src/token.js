// Reading a token for people: its parts, its claims, its life. Nothing here verifies anything.

/** A JWT's three parts and what is in the first two; undefined for a token that is none. */
export function decode(token) {
  const parts = token.split(".");
  if (parts.length !== 3) return undefined;
  try {
    const [header, claims] = parts.slice(0, 2).map((part) => JSON.parse(text(part)));
    return isObject(header) && isObject(claims) ? { parts, header, claims } : undefined;
  } catch {
    return undefined;
  }
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

function text(base64url) {
  const binary = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(binary, (char) => char.charCodeAt(0)));
}

/**
 * How long a token lives from its arrival on, in seconds, by the package's rule: by the server's own clock where the token
 * tells it (`iat`), else by ours.
 */
export function lifeOf({ token, exp }) {
  const { iat, exp: claimed } = decode(token)?.claims ?? {};
  if (!Number.isFinite(iat)) return exp - Date.now() / 1_000;
  return Math.min(exp, Number.isFinite(claimed) ? claimed : exp) - iat;
}

/** The last seconds of a life in which a token is renewed behind the callers' backs, and while they wait. */
export function windowsOf(life) {
  return { soft: Math.min(120, 0.2 * life), hard: Math.min(10, 0.05 * life) };
}

/** Where a token is in its life. */
export function stageOf(left, { soft, hard }) {
  if (left <= 0) return "past";
  if (left <= hard) return "hard";
  return left <= soft ? "soft" : "fresh";
}
