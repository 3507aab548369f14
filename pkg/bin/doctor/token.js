// The token: its form and its life. Of what is in it, only times are shown.
import { authenticate, AuthError } from "../../index.js";
import { hasOwn } from "../../own.js";
import { codeOf, waitingFor } from "./wait.js";

/** Longer than the package itself may take. */
const PATIENCE_MS = 20_000;
const TIMEOUT_MS = 10_000;
const APART_S = 60;

/** Whether the body of a 200 has what the contract says. */
export const isContractToken = (value) => typeof value?.data?.token === "string" && /^[\w.~+/-]+=*$/.test(value.data.token) && Number.isInteger(value.data.exp);

/** Which members of a body look like a token's: their names. */
export function leftOf(value) {
  const names = ["token", "access_token", "exp", "expires_in"];
  return [["", value], ["data.", value?.data]].flatMap(([path, object]) =>
    names.filter((name) => object !== null && typeof object === "object" && hasOwn(object, name)).map((name) => `${path}${name}`));
}

/** The token by the package. Resolves to `{ token }` or `{ error }`. */
export async function getToken({ options, report, words }) {
  const say = words.token;
  const begun = performance.now();
  try {
    const token = await waitingFor(say.waiting, PATIENCE_MS, () => authenticate({ timeout: TIMEOUT_MS, ...options }));
    report.hide(token.token, ...token.token.split("."));
    await report.line("good", say.label, say.had(performance.now() - begun));
    return { token };
  } catch (error) {
    if (!AuthError.is(error)) throw error;
    // What is told in the lines before is not told again.
    const told = error.code === "network" || error.code === "timeout" || (error.status !== undefined && error.code !== "invalid_response");
    // A message names the status by itself.
    if (!told && !report.repeatsSecret(error.message)) await report.line("fault", say.label, say.none(error.code, undefined, error.message));
    else await report.line("fault", say.label, say.none(error.code, error.status ?? (error.cause === undefined ? undefined : codeOf(error.cause)), ""));
    return { error };
  }
}

/** Its form and its life, as far as they can be read. `date` is the API's clock in seconds. */
export async function describeToken({ token: { token, exp }, date, report, words }) {
  const say = words.token;
  const claims = claimsOf(token);
  if (!claims) {
    await report.line("info", say.form, say.opaque);
    const life = exp - (date ?? Date.now() / 1_000);
    return report.line(life > 0 ? "good" : "hint", say.life, say.byClock(Math.round(life), date !== undefined));
  }
  const { iat, exp: claimed } = claims;
  const has = (value) => typeof value === "number" && Number.isFinite(value);
  const missing = [["iat", iat], ["exp", claimed]].filter(([, value]) => !has(value)).map(([name]) => name);
  await report.line(missing.length > 0 ? "hint" : "good", say.form, missing.length > 0 ? say.jwtWithout(missing) : say.jwt);
  if (has(claimed) && claimed !== exp) await report.line("hint", "exp", say.otherExp(Math.abs(exp - claimed)));
  if (has(iat)) {
    await report.line("good", say.life, say.lives(Math.round(Math.min(exp, has(claimed) ? claimed : exp) - iat)));
    if (date !== undefined && Math.abs(date - iat) > APART_S) {
      await report.line("hint", "iat", (date > iat ? say.issuedBefore : say.issuedAfter)(Math.abs(Math.round(date - iat))));
    }
  } else await report.line("good", say.life, say.byClock(Math.round(exp - (date ?? Date.now() / 1_000)), date !== undefined));
  return undefined;
}

/** The claims of a JWT (RFC 7519), which is not verified. */
function claimsOf(token) {
  const parts = token.split(".");
  if (parts.length !== 3) return undefined;
  try {
    const [header, claims] = parts.slice(0, 2).map((part) => JSON.parse(Buffer.from(part, "base64url").toString("utf8")));
    return typeof header?.alg === "string" && typeof claims === "object" && claims !== null ? claims : undefined;
  } catch {
    return undefined;
  }
}
