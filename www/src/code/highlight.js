// Colours for code. Enough of JavaScript for the examples on this page.
import { h } from "../dom.js";

const PATTERN = /(?<comment>\/\/.*|<!--[^]*?-->)|(?<string>"[^"\n]*"|'[^'\n]*'|`[^`]*`)|(?<keyword>\b(?:import|from|export|default|const|let|new|await|async|function|return|if|else|try|catch|throw|of)\b)|(?<type>\b[A-Z]\w+)|(?<number>\b\d[\d_]*\b)/g;

export function highlight(source) {
  const nodes = [];
  let at = 0;
  for (const match of source.matchAll(PATTERN)) {
    const [kind, text] = Object.entries(match.groups).find(([, text]) => text !== undefined);
    nodes.push(source.slice(at, match.index), h("span", { class: `code-${kind}` }, text));
    at = match.index + text.length;
  }
  nodes.push(source.slice(at));
  return nodes;
}
