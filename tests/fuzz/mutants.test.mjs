// Tests of the fuzzer: a package with any of these faults turns it red, and what it names shows the fault by itself.
import assert from "node:assert/strict";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../../scripts/lib/temporary.mjs";
import { installed } from "../lib/install.mjs";
import { corpus, drawn, fuzz } from "./fuzz.mjs";
import { mutants } from "./mutants.mjs";

for (const { fault, edits, message, count = 60_000, limit = 1, alone = true } of mutants) {
  test(fault, { timeout: 120_000 }, async () => {
    const consumer = temporaryFolder("digitalpaye-auth-fuzz-mutant");
    cpSync(await installed(), consumer, { recursive: true });
    for (const [file, text, instead] of edits) {
      const path = join(consumer, "node_modules", "digitalpaye-auth", file);
      const before = readFileSync(path, "utf8");
      assert.ok(before.includes(text), `${file} has no ${JSON.stringify(text)}: tests/fuzz/mutants.mjs is to be told where that went`);
      writeFileSync(path, before.replaceAll(text, () => instead));
    }
    const { finds } = await fuzz({ consumer, inputs: corpus(), seed: 1, count, limit, snapshot: false });
    assert.ok(finds.length > 0, "nothing was found");
    assert.match(finds.flatMap(({ problems }) => problems).join("\n"), message);

    const [{ name }] = finds;
    if (!alone || !/^\d+\/\d+$/.test(name)) return;
    const again = (consumer) => fuzz({ consumer, inputs: [[name, drawn(name)]], count: 0, snapshot: false });
    assert.ok((await again(consumer)).finds.length > 0, `${name} by itself does not show it`);
    assert.deepEqual((await again(await installed())).finds, []);
  });
}
