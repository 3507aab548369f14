// What the rules of a token store are written with. Nothing of a test runner's, and no assertion library.

/** Throws an Error of these words unless `condition` holds. */
export function check(condition, words) {
  if (!condition) throw new Error(words);
}

/** Throws unless both are the same value; `what` names the one that was got. */
export function same(got, expected, what) {
  const shown = (value) => (typeof value === "string" && value.length > 60 ? `${JSON.stringify(value.slice(0, 60))}…` : JSON.stringify(value));
  check(Object.is(got, expected), `${what} is ${shown(got)}, not ${shown(expected)}`);
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Does `work`, which sets something that ends after `ms` and then looks whether it is there. A failure that comes later than that
 * says nothing, since a busy machine may look too late: then once more after the end of what was set, three times at most.
 */
export async function inTime(work, ms) {
  for (let tries = 1; ; tries += 1) {
    const begun = performance.now();
    try {
      return await work();
    } catch (error) {
      if (tries === 3 || performance.now() - begun < ms) throw error;
      await sleep(ms + 100);
    }
  }
}

const random = (length, alphabet) =>
  Array.from(crypto.getRandomValues(new Uint8Array(length)), (byte) => alphabet[byte % alphabet.length]).join("");

/** A key of the client's own form: a SHA-256 in hexadecimal. */
export const uniqueKey = () => random(64, "0123456789abcdef");

/** A token like no other, with every character that RFC 6750 allows in one. */
export function token(length = 200) {
  const edge = "-._~+/";
  const text = edge + random(length - edge.length - 2, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") + "==";
  return Object.freeze({ token: text, exp: Math.floor(Date.now() / 1_000) + 600 + Math.floor(Math.random() * 86_400) });
}
