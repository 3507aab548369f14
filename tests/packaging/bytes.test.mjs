// The encoding of the module as a JavaScript file: nothing that handles such a file may change a byte of it.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import test from "node:test";
import { transform } from "esbuild";
import { bytesModule } from "../../scripts/lib/module/bytes.mjs";

async function decoded(source) {
  const { bytes } = await import(`data:text/javascript;base64,${Buffer.from(source).toString("base64")}`);
  return Buffer.from(bytes());
}

const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
const modules = {
  "no byte": Buffer.alloc(0),
  "one byte": Buffer.from([0xff]),
  "every byte": everyByte,
  "every byte, most of them rare": Buffer.concat([everyByte, Buffer.alloc(1000), Buffer.from(everyByte).reverse()]),
  "what would end a string or a script": Buffer.from("\"'`\\${x}</script><!--\r\n\u2028()"),
  "random bytes": randomBytes(50_000),
};

for (const [what, module] of Object.entries(modules)) {
  test(`${what}: comes back, also from a minifier`, async () => {
    const source = bytesModule(module);
    assert.equal(Buffer.compare(await decoded(source), module), 0);
    for (const charset of ["ascii", "utf8"]) {
      const { code } = await transform(source, { minify: true, format: "esm", charset, target: "es2020" });
      assert.equal(Buffer.compare(await decoded(code), module), 0, charset);
    }
  });

  test(`${what}: is plain ASCII that fits into HTML and a replacement text`, () => {
    const text = /^const text = "(.*)";$/m.exec(bytesModule(module))[1];
    assert.match(text, /^[ -~]*$/);
    assert.doesNotMatch(text, /["'`\\$<]/);
  });
}
