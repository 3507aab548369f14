// The module as a JavaScript file, for the runtimes where a .wasm file beside it cannot be had.
//
// Compressors live on the alignment of bytes, which base64 breaks at every third place. Measured in a page's bundle
// (esbuild --minify, brotli) with a module of 103 KB: base64 57 KB, hex 48.8 KB, this 47.9 KB.

/** Printable ASCII without what would have to be escaped in a string, in HTML or in a replacement text: " ' ` \ $ <. */
const ALPHABET = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).filter((character) => !"\"'`\\$<".includes(character));
/** A byte below 86 is one character. A greater one is two: the first says how many times 86 is to be added to the second. */
const BASE = 86;

/** The text of an ES module that exports `bytes()`: a new Uint8Array of `module`. */
export function bytesModule(module) {
  const text = Array.from(module, (byte) => {
    const times = Math.floor(byte / BASE);
    return (times > 0 ? ALPHABET[BASE - 1 + times] : "") + ALPHABET[byte % BASE];
  });
  return `// Generated: the bytes of the .wasm file beside this one.
const alphabet = "${ALPHABET.join("")}";
const text = "${text.join("")}";

export function bytes() {
  const symbols = new Uint8Array(128);
  for (let symbol = 0; symbol < alphabet.length; symbol++) symbols[alphabet.charCodeAt(symbol)] = symbol;
  const module = new Uint8Array(text.length);
  let length = 0;
  let base = 0;
  for (let index = 0; index < text.length; index++) {
    const symbol = symbols[text.charCodeAt(index)];
    if (symbol < ${BASE}) {
      module[length++] = base + symbol;
      base = 0;
    } else {
      base = (symbol - ${BASE - 1}) * ${BASE};
    }
  }
  return module.subarray(0, length);
}
`;
}
