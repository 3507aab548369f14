// The wasm memories of this process, page or isolate. To be imported before the package is.
export const memories = [];
const { Instance } = WebAssembly;

WebAssembly.Instance = class extends Instance {
  constructor(...parts) {
    super(...parts);
    // Node's own HTTP parser may be one, too.
    if (this.exports.memory && !this.exports.llhttp_execute) memories.push(this.exports.memory);
  }
};

/** Their pages of 64 KiB in all. */
export const pages = () => memories.reduce((sum, { buffer }) => sum + buffer.byteLength / 65_536, 0);

/** The first of `texts` (ASCII) that is in any of them; an error if there is no memory to look into. */
export function remembered(texts) {
  if (memories.length === 0) throw new Error("the package has made no wasm memory that can be seen");
  const all = memories.map(({ buffer }) => new TextDecoder("latin1").decode(buffer.slice(0)));
  return texts.find((text) => all.some((memory) => memory.includes(text)));
}
