// The panel that tells the local stand-in how to answer. Each tab has its own, and its own wishes.
import { h } from "./dom.js";
import { span, t, words } from "./language.js";
import { apply, behaviours, lifetimes, standIn } from "./standin.js";

/** `wishes` is `{ behaviour, lifetime, distinct }` and is changed; `changed` is told. */
export function controlPanel(id, wishes, changed = () => {}) {
  const choose = (name, values, label) => h("div", { class: "field" },
    h("label", { for: `${id}-${name}` }, t(`control.${name}`)),
    h("select", {
      id: `${id}-${name}`,
      on: {
        change: async (event) => {
          wishes[name] = name === "lifetime" ? Number(event.target.value) : event.target.value;
          await apply(wishes);
          changed(name);
        },
      },
    }, values.map((value) => h("option", { value, selected: value === wishes[name] }, label(value)))));

  const controls = h("div", { class: "pair" },
    choose("behaviour", Object.keys(behaviours), (value) => t(`behaviours.${value}`)),
    choose("lifetime", lifetimes, (value) => (value % 60 === 0 ? t("control.minutes", { n: value / 60 }) : span(value * 1_000))));
  const none = h("p", { class: "hint" }, words("control.none"));
  const element = h("fieldset", { class: "control" }, h("legend", {}, t("control.title")), controls, none);
  const refresh = () => {
    controls.hidden = standIn.state !== "present";
    none.hidden = standIn.state === "present";
  };
  refresh();
  return { element, refresh };
}
