// Making elements. Text only ever becomes text: there is no way from a string to markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element; `on` holds listeners, `properties` what is no attribute. A child that is null or false is left out. */
export const h = (name, attributes, ...children) => fill(document.createElement(name), attributes, children);

/** The same in SVG. */
export const svg = (name, attributes, ...children) => fill(document.createElementNS(SVG, name), attributes, children);

function fill(element, { on = {}, properties = {}, ...attributes } = {}, children) {
  for (const [name, value] of Object.entries(attributes)) {
    // In ARIA "false" is a value; of other attributes it means that they are not there.
    const stays = typeof value === "boolean" && name.startsWith("aria-");
    if (value === undefined || value === null || (value === false && !stays)) continue;
    element.setAttribute(name, value === true && !stays ? "" : value);
  }
  for (const [type, listener] of Object.entries(on)) element.addEventListener(type, listener);
  Object.assign(element, properties);
  element.append(...some(children));
  return element;
}

/** Children without those that are not there. */
export const some = (children) => children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);

/** Sets attributes that change often, and only when they do. */
export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    const text = String(value);
    if (element.getAttribute(name) !== text) element.setAttribute(name, text);
  }
}

/** Sets a text only when it changes: what did not change is not read out again. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** `**strong**`, `` `code` `` and `[text](address)` in the page's own words, as nodes. */
export function rich(text) {
  return text.split(/(\*\*.+?\*\*|`[^`]+`|\[[^\]]+\]\([^)]+\))/).filter(Boolean).map((part) => {
    if (part.startsWith("**")) return h("strong", {}, rich(part.slice(2, -2)));
    if (part.startsWith("`")) return h("code", {}, part.slice(1, -1));
    const link = /^\[(.+)\]\((.+)\)$/.exec(part);
    return link ? h("a", { href: link[2] }, link[1]) : part;
  });
}
