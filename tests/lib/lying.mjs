// Bytes that lie: who believes what they say of themselves reads another length, or ends by an exception.
const never = () => {
  throw new RangeError("a method of a subclass was called");
};

export class LyingBytes extends Uint8Array {
  get length() { return 1e9; }
  get byteLength() { return -1; }
  get byteOffset() { return 2 ** 40; }
  get buffer() { return new ArrayBuffer(0); }
  get [Symbol.toStringTag]() { return "Nonsense"; }
  [Symbol.iterator]() { return never(); }
  static get [Symbol.species]() { return never; }
  subarray() { return never(); }
  slice() { return never(); }
  set() { return never(); }
}

export class LyingBuffer extends ArrayBuffer {
  get byteLength() { return 5; }
}
