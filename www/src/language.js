// The language of the page: which one it is, its words, its numbers and dates.
import en from "./words/en.js";
import fr from "./words/fr.js";
import { rich } from "./dom.js";
import { remember, remembered } from "./memory.js";
import { typeset } from "./typography.js";

const books = { en, fr };
export const languages = { fr: "Français", en: "English" };

let current = remembered("language", Object.keys(books)) ?? preferred(navigator.languages ?? [navigator.language]);

/** The first of a reader's languages that we have, else English. */
export function preferred(wanted) {
  return wanted.map((tag) => tag.toLowerCase().split("-")[0]).find((language) => language in books) ?? "en";
}

export const language = () => current;

export function setLanguage(chosen) {
  current = chosen;
  remember("language", chosen);
}

/** The words at `key`, as plain text. Numbers among the values are written as the language writes them. */
export function t(key, values = {}) {
  const entry = key.split(".").reduce((book, part) => book?.[part], books[current]);
  if (entry === undefined) throw new Error(`There are no words for ${key} (${current}).`);
  const text = typeof entry === "function" ? entry(values, { number, plural }) : entry;
  return typeset(text.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name];
    return typeof value === "number" ? number(value) : String(value);
  }), current);
}

/** The same as nodes, with its code, emphasis and links. */
export const words = (key, values) => rich(t(key, values));

const locale = () => (current === "fr" ? "fr-FR" : "en-GB");
const made = new Map();
function formatter(kind, options) {
  const key = `${locale()} ${kind.name} ${JSON.stringify(options)}`;
  if (!made.has(key)) made.set(key, new kind(locale(), options));
  return made.get(key);
}

export const number = (value, digits = 0) =>
  formatter(Intl.NumberFormat, { maximumFractionDigits: digits, minimumFractionDigits: digits }).format(value);

/** One of the forms by count. */
export const plural = (count, forms) => forms[formatter(Intl.PluralRules, {}).select(count)] ?? forms.other;

export const time = (date) => formatter(Intl.DateTimeFormat, { timeStyle: "medium" }).format(date);
export const dateTime = (date) => formatter(Intl.DateTimeFormat, { dateStyle: "long", timeStyle: "medium" }).format(date);

/** A span in milliseconds, in the unit that suits it. */
export function span(ms) {
  if (ms < 1_000) return typeset(`${number(ms)} ms`, current);
  if (ms < 59_500) return typeset(`${number(ms / 1_000, ms < 10_000 && ms % 1_000 !== 0 ? 1 : 0)} s`, current);
  const whole = Math.round(ms / 1_000);
  const [minutes, seconds] = [Math.floor(whole / 60), whole % 60];
  return typeset(`${number(minutes)} min${seconds > 0 ? ` ${number(seconds)} s` : ""}`, current);
}

/** Seconds as a clock shows them: 9:58. */
export function countdown(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  const pad = (value) => String(value).padStart(2, "0");
  const hours = Math.floor(whole / 3_600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`;
}
