// The page: its head, its three tabs, and what is rebuilt when the language changes.
import "./styles/base.css";
import "./styles/parts.css";
import "./styles/exchange.css";
import "./styles/lifecycle.css";
import "./styles/code.css";
import { codeView } from "./code/view.js";
import { h } from "./dom.js";
import { exchangeView } from "./exchange/view.js";
import { language, languages, setLanguage, t, words } from "./language.js";
import { lifecycleView } from "./lifecycle/view.js";
import { remember, remembered } from "./memory.js";
import { loadGiven } from "./settings.js";
import { detect, standIn } from "./standin.js";
import { tabs } from "./tabs.js";

const ids = ["exchange", "lifecycle", "code"];
let views = {};
let shown;

const dark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (remembered("theme", ["dark", "light"]) ?? (dark.matches ? "dark" : "light")) === "dark";

function themeSwitch() {
  const button = h("button", {
    type: "button", id: "theme", class: "quiet icon", "aria-pressed": isDark(), "aria-label": t("head.dark"), title: t("head.dark"),
    on: {
      click: () => {
        const theme = button.getAttribute("aria-pressed") === "true" ? "light" : "dark";
        document.documentElement.dataset.theme = theme;
        remember("theme", theme);
        button.setAttribute("aria-pressed", theme === "dark");
      },
    },
  }, h("span", { class: "moon", "aria-hidden": "true" }));
  return button;
}

function languageSwitch() {
  return h("div", { class: "languages", role: "group", "aria-label": t("head.language") },
    Object.entries(languages).map(([id, name]) => h("button", {
      type: "button", id: `language-${id}`, lang: id, class: "quiet", "aria-pressed": id === language(), "aria-label": `${id.toUpperCase()} – ${name}`,
      on: {
        click: () => {
          if (id === language()) return;
          setLanguage(id);
          build();
          document.getElementById(`language-${id}`).focus();
        },
      },
    }, id.toUpperCase())));
}

function show(id) {
  if (shown && shown !== id) views[shown].leave?.();
  shown = id;
  if (fromAddress() !== id) history.replaceState(null, "", `#${id}`);
  views[id].enter?.();
}

const fromAddress = () => ids.find((id) => location.hash === `#${id}`);

function build() {
  for (const view of Object.values(views)) view.close?.();
  views = { exchange: exchangeView(), lifecycle: lifecycleView(), code: codeView() };
  standIn.onchange = () => Object.values(views).forEach((view) => view.refresh?.());
  document.documentElement.lang = language();
  document.title = t("head.title");
  const all = tabs(ids.map((id) => ({ id, label: t(`tabs.${id}`), panel: views[id].element })), t("tabs.label"), show);
  document.body.replaceChildren(
    h("a", { class: "skip", href: "#main", on: { click: (event) => { event.preventDefault(); document.getElementById("main").focus(); } } }, t("head.skip")),
    h("header", { class: "head" },
      h("div", { class: "mark" }, h("span", { class: "logo", "aria-hidden": "true" }), h("span", { class: "name" }, "digitalpaye-auth")),
      h("div", { class: "switches" }, languageSwitch(), themeSwitch())),
    h("main", { id: "main", tabindex: -1 },
      h("div", { class: "intro" }, h("h1", {}, t("head.heading")), h("p", {}, words("head.lead"))),
      all.list, all.panels),
    h("footer", { class: "foot" }, h("p", {}, words("foot.text")), h("p", {}, h("a", { href: "./api/index.html" }, t("foot.api")))),
  );
  all.choose(shown ?? fromAddress() ?? "exchange");
}

addEventListener("hashchange", () => {
  const id = fromAddress();
  if (id && id !== shown) document.getElementById(`tab-${id}`).click();
});
await loadGiven();
build();
await detect();
// When the page can be used; how long that takes is measured from outside.
performance.mark("interactive");
