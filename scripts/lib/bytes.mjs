// The module as a JavaScript file, for the runtimes where a .wasm file beside it cannot be had.
//
// Measured on a module of 80,206 bytes (brotli 32,062, gzip 36,962), in the file that a browser gets (esbuild --bundle
// --minify, which escapes what is not ASCII):
//
//   encoding                                  raw    brotli     gzip
//   base64                                106,971    41,414   46,671   the same bytes look different at every third place
//   hex                                   160,439    34,408   40,324
//   one Latin-1 character per byte        116,698    34,309   39,690   as escapes; 33,916 with brotli as UTF-8
//   this one, its decoder included         86,271    33,300   37,256
//
// The 87 most frequent bytes are one printable character each, the other 169 are a shift and a character. That keeps
// the bytes aligned, which is what compressors live on, and it is plain ASCII without a quote, a backslash, a "<" or a
// "$": no minifier rewrites it, no page's charset changes it, and a bundle of it can be put into HTML.

const shifts = ["(", ")"];
const unused = new Set([..."\"'`\\$<", ...shifts]);
const alphabet = Array.from({ length: 95 }, (_, index) => String.fromCharCode(0x20 + index)).filter((char) => !unused.has(char));
const size = alphabet.length;

/** The text of an ES module that exports `bytes()`: a new Uint8Array of `module`. */
export function bytesModule(module) {
  const counts = new Array(256).fill(0);
  for (const byte of module) counts[byte]++;
  const byCount = [...counts.keys()].sort((a, b) => counts[b] - counts[a] || a - b);
  const common = new Set(byCount.slice(0, size));
  const codes = [];
  let single = 0;
  let shifted = 0;
  for (let byte = 0; byte < 256; byte++) {
    codes[byte] = common.has(byte)
      ? alphabet[single++]
      : shifts[Math.floor(shifted / size)] + alphabet[shifted++ % size];
  }
  let text = "";
  for (const byte of module) text += codes[byte];
  // Which bytes are the common ones: a bit each, lowest first, in hex.
  let set = "";
  for (let byte = 0; byte < 256; byte += 4) {
    set += [0, 1, 2, 3].reduce((bits, bit) => bits | (common.has(byte + bit) ? 1 << bit : 0), 0).toString(16);
  }
  return `// Generated from digitalpaye_auth_bg.wasm by scripts/lib/bytes.mjs, where the encoding is explained.
const text = "${text}";
const common = "${set}";

export function bytes() {
  const byte = new Uint8Array(256);
  for (let value = 0, single = 0, shifted = ${size}; value < 256; value++) {
    byte[(parseInt(common[value >> 2], 16) >> (value & 3)) & 1 ? single++ : shifted++] = value;
  }
  const position = new Uint8Array(127);
  for (let char = 32, next = 0; char < 127; char++) {
    if (!${JSON.stringify([...unused].map((char) => char.charCodeAt(0)).sort((a, b) => a - b))}.includes(char)) position[char] = next++;
  }
  const module = new Uint8Array(${module.length});
  for (let index = 0, length = 0, shift = 0; index < text.length; index++) {
    const char = text.charCodeAt(index);
    if (char === 40) shift = ${size};
    else if (char === 41) shift = ${2 * size};
    else {
      module[length++] = byte[shift + position[char]];
      shift = 0;
    }
  }
  return module;
}
`;
}
