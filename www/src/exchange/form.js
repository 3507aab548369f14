// The form: the package's options.
import { h } from "../dom.js";
import { t, words } from "../language.js";
import { STAND_IN, settings } from "../settings.js";
import { detect } from "../standin.js";

/** `submit` is called with the button; `changed` whenever the form was filled by us. */
export function optionsForm(submit, cancel, changed) {
  const fields = {};
  const field = (name, attributes, { hint, beside } = {}) => {
    const input = fields[name] = h("input", {
      id: `option-${name}`, autocomplete: "off", autocapitalize: "off", spellcheck: "false", "aria-describedby": hint && `hint-${name}`,
      ...attributes,
      properties: { value: settings[name] },
      on: {
        input: () => {
          settings[name] = input.value;
          input.removeAttribute("aria-invalid");
        },
        change: () => { if (name === "baseUrl") detect(); },
      },
    });
    return h("div", { class: "field" },
      h("label", { for: `option-${name}` }, t(`form.${name}`)),
      beside ? h("div", { class: "with-button" }, input, beside(input)) : input,
      hint ? h("p", { class: "hint", id: `hint-${name}` }, words(hint)) : null);
  };

  const reveal = (input) => {
    const button = h("button", {
      type: "button", class: "quiet small", "aria-controls": input.id, "aria-label": t("form.show"),
      on: {
        click: () => {
          const shown = input.type === "password";
          input.type = shown ? "text" : "password";
          button.setAttribute("aria-label", t(shown ? "form.hide" : "form.show"));
          button.textContent = t(shown ? "form.hideShort" : "form.showShort");
        },
      },
    }, t("form.showShort"));
    return button;
  };

  const go = h("button", { type: "submit", class: "primary" }, t("form.submit"));
  const stop = h("button", { type: "button", class: "quiet", hidden: true, on: { click: cancel } }, t("form.cancel"));
  const element = h("form", {
    class: "options", novalidate: true, "aria-label": t("form.title"),
    on: {
      submit: (event) => {
        event.preventDefault();
        for (const input of Object.values(fields)) input.removeAttribute("aria-invalid");
        submit();
      },
    },
  },
  h("h2", {}, t("form.title")),
  h("p", { class: "hint" }, words(settings.given ? "form.given" : "form.yours")),
  field("apiKey", {}),
  field("apiSecret", { type: "password", autocomplete: "new-password" }, { beside: reveal }),
  field("environment", { list: "environments", placeholder: "Production" }),
  h("datalist", { id: "environments" }, ["Production", "Sandbox"].map((value) => h("option", { value }))),
  field("baseUrl", { type: "url", inputmode: "url", placeholder: "https://api.digitalpaye.com" }, { hint: "form.baseUrlHint" }),
  h("details", {}, h("summary", {}, t("form.more")),
    h("div", { class: "pair" },
      field("timeout", { inputmode: "numeric", placeholder: "30000" }),
      field("maxRetries", { inputmode: "numeric", placeholder: "2" }))),
  h("div", { class: "buttons" }, go, stop));

  return {
    element,
    running(is) {
      stop.hidden = !is;
      go.setAttribute("aria-disabled", is);
    },
    /** Marks the field that an error names. */
    blame(option) {
      const input = fields[option];
      if (!input) return;
      input.closest("details")?.setAttribute("open", "");
      input.setAttribute("aria-invalid", "true");
      input.focus();
    },
    fill() {
      Object.assign(settings, STAND_IN);
      for (const name of Object.keys(STAND_IN)) fields[name].value = settings[name];
      detect().then(changed);
    },
  };
}
