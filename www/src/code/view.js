// The third tab: the code for the same thing, ready to copy.
import { copyButton } from "../copy.js";
import { h } from "../dom.js";
import { t, words } from "../language.js";
import { highlight } from "./highlight.js";
import { places } from "./snippets.js";

const comments = () => Object.fromEntries(["one", "valid", "fetch", "errors", "isolate", "who", "noSecret", "stays"]
  .map((name) => [name, t(`comments.${name}`)]));

export function codeView() {
  const c = comments();
  const file = ({ name, source }) => {
    const text = source(c);
    return h("figure", { class: "file" },
      h("figcaption", {}, h("code", {}, name), copyButton(text, name)),
      h("pre", { tabindex: 0, "aria-label": name, "data-file": name }, h("code", {}, highlight(text))));
  };
  const place = ({ id, commands, files }) => h("article", { class: "card place", id: `code-${id}`, "aria-labelledby": `code-${id}-title` },
    h("h3", { id: `code-${id}-title` }, t(`code.${id}.title`)),
    h("p", {}, words(`code.${id}.text`)),
    h("div", { class: "command" }, h("pre", { tabindex: 0, "aria-label": t("code.shell") }, h("code", {}, commands.join("\n"))), copyButton(commands.join("\n"), t("code.shell"))),
    files.map(file));
  return {
    element: h("div", { class: "code" }, h("div", { class: "card" }, h("h2", {}, t("code.title")), h("p", {}, words("code.lead"))), places.map(place)),
  };
}
