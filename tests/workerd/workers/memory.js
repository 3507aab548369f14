// The wasm memories of this isolate. To be imported before the package is.

const { Instance } = WebAssembly;
const instances = [];

WebAssembly.Instance = class extends Instance {
  constructor(...args) {
    super(...args);
    instances.push(this);
  }
};

/** Their pages of 64 KiB in all, and the number of instances. */
export const memory = () => ({
  instances: instances.length,
  pages: instances.reduce((pages, { exports }) => pages + (exports.memory?.buffer.byteLength ?? 0) / 65_536, 0),
});
