// The module as a JavaScript file, for the runtimes where a .wasm file beside it cannot be had.
//
// In hex, because compressors live on the alignment of bytes, which base64 breaks at every third place. Measured in a
// page's bundle (esbuild --minify, brotli) with a module of 77.4 KB: base64 45.8 KB, hex 38.7 KB, and 37.7 KB with a
// denser alphabet, which takes 60 lines to write and to read.

/** The text of an ES module that exports `bytes()`: a new Uint8Array of `module`. */
export function bytesModule(module) {
  return `// Generated: the bytes of the .wasm file beside this one.
const hex = "${Buffer.from(module).toString("hex")}";

export function bytes() {
  // parseInt takes twice as long, which is milliseconds at a cold start.
  const digit = (code) => (code & 15) + 9 * (code >> 6);
  const module = new Uint8Array(hex.length / 2);
  for (let index = 0; index < module.length; index++) {
    module[index] = 16 * digit(hex.charCodeAt(2 * index)) + digit(hex.charCodeAt(2 * index + 1));
  }
  return module;
}
`;
}
