// The variables: which are set, and what in a value is likely a mistake. No value is shown.
import { FOREIGN, VARIABLES } from "../../env.js";

const MOST_OTHERS = 12;

/** What may stand at either end of a value by mistake. */
const EDGES = [
  ["lineBreak", /[\n\r\u0085\u2028\u2029]/],
  ["space", /[ \t]/],
  ["quote", /["'`´‘’“”„«»]/],
  ["invisible", /[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]/u],
];
const edgeOf = (character) => EDGES.find(([, pattern]) => pattern.test(character))?.[0];

/**
 * Reports them. `fault` is what the package says of one that it refuses. Resolves to the name of the first of key and secret
 * in which something looks wrong.
 */
export async function checkVariables({ env, fault, report, words }) {
  const { apiKey, apiSecret, environment, baseUrl } = VARIABLES;
  const say = words.variables;
  const refused = VARIABLES[fault?.option];
  let suspect;
  /** One that is set. */
  const tell = async (name, what, mistakes) => {
    const level = name === refused ? "fault" : mistakes.length > 0 ? "hint" : "good";
    await report.line(level, name, say.list([what, ...mistakes.map((mistake) => say.mistakes[mistake])]));
    if (name === refused) await report.line("more", "", say.unusable(fault.message));
  };
  await report.heading(say.heading);
  for (const name of [apiKey, apiSecret]) {
    const value = env[name];
    if (!value) {
      await report.line("fault", name, value === undefined ? say.notSet : say.empty);
      continue;
    }
    const mistakes = mistakesIn(value, name === apiSecret ? undefined : env[apiSecret]);
    if (mistakes.length > 0) suspect = suspect ?? name;
    await tell(name, name === apiKey ? say.key(lastOf(value)) : say.set, mistakes);
  }
  const fallbacks = [[environment, "Production"], [baseUrl, "https://api.digitalpaye.com"]];
  for (const [name, fallback] of fallbacks) {
    if (env[name]) await tell(name, say.set, mistakesIn(env[name]));
    else await report.line("info", name, say.fallback(fallback));
  }
  const others = Object.keys(env).filter((name) => name.startsWith("DIGITALPAYE_") && env[name] && !Object.values(VARIABLES).includes(name)).sort();
  for (const name of others.slice(0, MOST_OTHERS)) {
    const meant = Object.keys(FOREIGN).find((option) => FOREIGN[option].includes(name));
    await report.line("hint", report.excerpt(name, 60), meant ? say.foreign(VARIABLES[meant]) : say.other);
  }
  if (others.length > MOST_OTHERS) await report.line("more", say.more(others.length - MOST_OTHERS), "");
  return suspect;
}

/** The name of the vendor's that is set where ours is not: `[ours, theirs]`. */
export function foreignName(env) {
  for (const [option, names] of Object.entries(FOREIGN)) {
    const name = env[VARIABLES[option]] ? undefined : names.find((each) => env[each]);
    if (name) return [VARIABLES[option], name];
  }
  return undefined;
}

/** Four characters at most, and no more than a quarter of it. */
const lastOf = (key) => (key.length >= 16 && /^[!-~]+$/.test(key.slice(-4)) ? key.slice(-4) : undefined);

/** What is likely wrong with a value, by name. `secret` is what a key must not be. */
export function mistakesIn(value, secret) {
  const characters = [...value];
  const found = [];
  const [first, last] = [edgeOf(characters[0]), edgeOf(characters[characters.length - 1])];
  if (first) found.push(`${first}First`);
  if (last) found.push(`${last}Last`);
  const inside = characters.slice(1, -1).map(edgeOf);
  if (inside.includes("lineBreak")) found.push("lineBreakInside");
  if (inside.includes("invisible")) found.push("invisibleInside");
  if (/^\s*["']?(basic|bearer)\s/i.test(value)) found.push("scheme");
  if (/^(<.*>|\$\{?\w+\}?|%\w+%|\{\{.*\}\}|x{3,}|\*{3,}|\.{3,}|your[-_ ].*|votre[-_ ].*|change[-_ ]?me)$/i.test(value)) found.push("placeholder");
  if (value === secret) found.push("same");
  return found;
}
