// The language of the report: French or English, by the locale.
import { english } from "./english.js";
import { french } from "./french.js";

/** By the first of the variables of POSIX that is set, else by what the platform says. */
export function wordsFor(env) {
  const locale = env.LC_ALL || env.LC_MESSAGES || env.LANG || Intl.DateTimeFormat().resolvedOptions().locale;
  return /^fr(?![a-z])/i.test(locale) ? french : english;
}
