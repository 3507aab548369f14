// The table of runtimes, as docs/runtimes.md shows it.
import { partOf } from "../../lib/marks.mjs";
import { typeset } from "../../lib/typography.mjs";

const notes = {
  "`Retry-After` hidden": {
    en: "the `Retry-After` header, so `retryAfter` is absent",
    fr: "l’en-tête `Retry-After`, donc `retryAfter` est absent",
  },
  "status of a redirect hidden": {
    en: "the status of a redirect, so `status` is absent",
    fr: "le statut d’une redirection, donc `status` est absent",
  },
  "`Date` hidden: opaque tokens need a local clock that is right": {
    en: "the `Date` header, so the life of a token that is no JWT is counted from the local clock",
    fr: "l’en-tête `Date`, donc la durée d’un jeton qui n’est pas un JWT se compte d’après l’horloge locale",
  },
};

const languages = {
  en: {
    head: ["Runtime", "Loaded", "Version", "Cases passed"],
    and: "; ",
    as: (as) => as,
    hidden: (list) => `¹ Browsers hide from a page of another origin, unless the API exposes them: ${list}.`,
    all: "² Run by `npm run check runtimes` only; the others by every `npm test`.",
    made: (date, platform) => `Made on ${date} on ${platform} by \`npm run check runtimes -- --write\`.`,
  },
  fr: {
    head: ["Environnement", "Chargement", "Version", "Cas réussis"],
    and: " ; ",
    as: (as) => french[as],
    hidden: (list) => `¹ Les navigateurs cachent à une page d’une autre origine, sauf si l’API les expose : ${list}.`,
    all: "² Seulement par `npm run check runtimes` ; les autres par chaque `npm test`.",
    made: (date, platform) => `Établi le ${date} sur ${platform} par \`npm run check runtimes -- --write\`.`,
  },
};

const french = {
  "`import`": "`import`", "`require`": "`require`", "both in one process": "les deux dans un processus",
  "old compatibility date": "ancienne date de compatibilité", "newest compatibility date": "dernière date de compatibilité",
  "first used in a request": "premier usage dans une requête", "compiled module": "module compilé",
  page: "page", "page with a strict CSP": "page à CSP stricte",
  "dedicated worker": "worker dédié", "service worker": "service worker", bundle: "paquet de production",
  "dev server": "serveur de développement",
};

const cases = ({ passed, total, limits, quick }) => `${passed} of ${total}${limits.length > 0 ? " ¹" : ""}${quick ? "" : " ²"}`;

/** The table of `results`, with its notes. `date` is a day as ISO 8601 writes it. */
export function table(results, { language, date, platform }) {
  const words = languages[language];
  const row = (cells) => `| ${cells.join(" | ")} |`;
  const rows = results.map((result) => row([
    result.runtime, words.as(result.as), result.version, language === "fr" ? cases(result).replace(" of ", " sur ") : cases(result),
  ]));
  const limits = [...new Set(results.flatMap((result) => result.limits))];
  const text = [
    row(words.head), row(words.head.map(() => "---")), ...rows, "",
    ...(limits.length > 0 ? [words.hidden(limits.map((limit) => notes[limit][language]).join(words.and)), ""] : []),
    words.all, "", words.made(date, platform),
  ].join("\n");
  return language === "fr" ? typeset(text) : text;
}

/** The rows of a table, without the version, which may be newer than the document. */
const rowsIn = (text) => text.split("\n").filter((line) => line.startsWith("| ")).slice(2).map(withoutVersion);

const withoutVersion = (line) => line.split("|").map((cell) => cell.trim()).filter((_, index) => index !== 3).join("|");

/**
 * What of a document's table is not what the run found. `whole` says that every cell ran, so that the table may have no
 * other rows.
 */
export function differences(document, results, { language, whole }) {
  const shown = rowsIn(partOf(document, "runtimes"));
  const ran = rowsIn(table(results, { language, date: "", platform: "" }));
  const missing = ran.filter((row) => !shown.includes(row)).map((row) => `the run has, the table has not: ${row}`);
  const more = whole ? shown.filter((row) => !ran.includes(row)).map((row) => `the table has, the run has not: ${row}`) : [];
  return [...missing, ...more];
}
