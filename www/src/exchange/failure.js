// A failure: the error as the package gives it, and what to do about it.
import { AuthError } from "digitalpaye-auth";
import { h } from "../dom.js";
import { number, span, t, words } from "../language.js";

export function failureView(error) {
  if (!AuthError.is(error)) {
    return h("div", { class: "card failure" }, h("h3", {}, t("failure.title")), h("p", {}, String(error)));
  }
  const { name, code, status, reason, retryable, retryAfter, attempts, option, cause } = error;
  const rows = [
    ["class", h("code", {}, name)],
    ["code", h("code", {}, code)],
    option !== undefined && ["option", h("code", {}, option)],
    status !== undefined && ["status", h("code", {}, String(status))],
    // The API's words are French, whatever the language of the page.
    reason !== undefined && ["reason", h("q", { lang: "fr" }, reason)],
    ["attempts", number(attempts)],
    ["retryable", t(retryable ? "failure.yes" : "failure.no")],
    retryAfter !== undefined && ["retryAfter", span(retryAfter * 1_000)],
    cause !== undefined && ["cause", h("code", {}, String(cause))],
  ].filter(Boolean);
  return h("div", { class: "card failure" },
    h("h3", {}, t(`errors.${code}.title`)),
    h("dl", { class: "facts" }, rows.map(([key, value]) => h("div", {}, h("dt", {}, t(`failure.${key}`)), h("dd", {}, value)))),
    h("div", { class: "advice" }, h("h4", {}, t("failure.advice")), h("p", {}, words(`errors.${code}.advice`))),
    h("p", { class: "hint message-text", lang: "en" }, error.message));
}
