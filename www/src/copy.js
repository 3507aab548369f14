// A button that copies a text, and says so.
import { h } from "./dom.js";
import { t } from "./language.js";

const SHOWN_MS = 2_000;

/** `text` is what to copy, or a function that tells it. `what` names it for those who do not see where the button is. */
export function copyButton(text, what) {
  const label = h("span", {}, t("copy.copy"));
  const told = h("span", { class: "unseen", role: "status" });
  let timer;
  const button = h("button", {
    type: "button", class: "small quiet", "aria-label": `${t("copy.copy")} – ${what}`,
    on: {
      click: async () => {
        const done = await write(typeof text === "function" ? text() : text);
        label.textContent = t(done ? "copy.copied" : "copy.failed");
        told.textContent = `${label.textContent} – ${what}`;
        clearTimeout(timer);
        timer = setTimeout(() => {
          label.textContent = t("copy.copy");
          told.textContent = "";
        }, SHOWN_MS);
      },
    },
  }, label);
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
