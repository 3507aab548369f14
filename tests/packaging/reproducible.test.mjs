// What `npm run check reproducible` compares builds by.
import assert from "node:assert/strict";
import { appendFileSync, cpSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { pack } from "../../scripts/lib/package.mjs";
import { must } from "../../scripts/lib/process.mjs";
import { differences } from "../../scripts/lib/tarball.mjs";
import { temporaryFolder } from "../../scripts/lib/temporary.mjs";
import { installed } from "../lib/install.mjs";

describe("a tarball of the same package, packed elsewhere", () => {
  let original;
  before(async () => {
    original = await pack(temporaryFolder("digitalpaye-auth-original"));
  });

  /** Packs a copy of the installed package, after `change` was made to it. */
  async function packed(change) {
    const folder = temporaryFolder("digitalpaye-auth-copy");
    const copy = join(folder, "package");
    cpSync(join(await installed(), "node_modules", "digitalpaye-auth"), copy, { recursive: true });
    change(copy);
    await must("npm", ["pack", copy, "--pack-destination", folder, "--ignore-scripts"], { cwd: folder, timeout: 120_000 });
    return join(folder, readdirSync(folder).find((name) => name.endsWith(".tgz")));
  }

  const changes = {
    "is the same, byte for byte, whenever its files were written": [(copy) => utimesSync(join(copy, "index.js"), 1e9, 1e9), []],
    "differs in a file with a byte more": [(copy) => appendFileSync(join(copy, "wasm", "digitalpaye_auth_bg.wasm"), "\0"), ["wasm/digitalpaye_auth_bg.wasm"]],
    "differs in a file that is not there": [(copy) => rmSync(join(copy, "sbom.cdx.json")), ["sbom.cdx.json"]],
    "differs in a file that only it has": [(copy) => writeFileSync(join(copy, "stores", "more.js"), ""), ["stores/more.js"]],
  };
  for (const [name, [change, expected]] of Object.entries(changes)) {
    test(name, async () => assert.deepEqual(differences(original, await packed(change)), expected));
  }
});
