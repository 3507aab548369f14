// Tabs as the ARIA practices have them: one stop for Tab, arrows, Home and End between them. The address remembers which.
import { h } from "./dom.js";

/** `tabs` are `{ id, label, panel }`; `show(id)` is called when one is chosen. */
export function tabs(tabs, label, show) {
  const buttons = tabs.map(({ id, label }) => h("button", {
    type: "button", role: "tab", id: `tab-${id}`, "aria-controls": `panel-${id}`,
    on: { click: () => choose(id), keydown },
  }, label));
  const panels = tabs.map(({ id, panel }) => h("section", {
    role: "tabpanel", id: `panel-${id}`, "aria-labelledby": `tab-${id}`, class: "panel",
  }, panel));
  const list = h("div", { class: "tabs", role: "tablist", "aria-label": label }, buttons);

  function choose(id) {
    tabs.forEach((tab, index) => {
      const chosen = tab.id === id;
      buttons[index].setAttribute("aria-selected", chosen);
      buttons[index].tabIndex = chosen ? 0 : -1;
      panels[index].hidden = !chosen;
    });
    show(id);
  }

  function keydown(event) {
    const at = buttons.indexOf(event.currentTarget);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = (to + buttons.length) % buttons.length;
    buttons[next].focus();
    choose(tabs[next].id);
  }

  return { list, panels, choose };
}
