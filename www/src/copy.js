// A button that copies a text, and says so.
import { h } from "./dom.js";
import { t } from "./language.js";

const SHOWN_MS = 2_000;

/** `what` names the text for those who do not see where the button is; `label` is for buttons that stand side by side. */
export function copyButton(text, what, label = t("copy.copy")) {
  const face = h("span", {}, label);
  const told = h("span", { class: "unseen", role: "status" });
  let timer;
  const button = h("button", {
    type: "button", class: "small quiet",
    on: {
      click: async () => {
        const done = await write(text);
        face.textContent = t(done ? "copy.copied" : "copy.failed");
        told.textContent = `${face.textContent} – ${what}`;
        clearTimeout(timer);
        timer = setTimeout(() => {
          face.textContent = label;
          told.textContent = "";
        }, SHOWN_MS);
      },
    },
  }, face, h("span", { class: "unseen" }, ` – ${what}`));
  return h("span", { class: "copy" }, button, told);
}

/** The clipboard is there in secure contexts only, and may be refused; selecting and copying is the older way. */
async function write(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = h("textarea", { class: "unseen", readonly: true, properties: { value: text } });
    const focused = document.activeElement;
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    focused?.focus();
    return done;
  }
}
