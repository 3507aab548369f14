// Cargo's runner for the tests that are compiled to wasm: wasm-bindgen's, in a folder where it finds the package's JavaScript.
//
// The module imports `../errors.js` and the like, as it lies in pkg/wasm/ later. wasm-bindgen's runner puts the module into a
// new folder below the temporary one, so in Node.js these imports lead to the temporary folder. In a browser they lead to the
// root of its server, which serves the working folder. Both are this folder here.
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pkg, target } from "./paths.mjs";

const folder = join(target, "wasm-tests");
mkdirSync(folder, { recursive: true });
for (const name of readdirSync(pkg)) if (name.endsWith(".js")) copyFileSync(join(pkg, name), join(folder, name));
writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');

const { status, error } = spawnSync("wasm-bindgen-test-runner", process.argv.slice(2), {
  cwd: folder, stdio: "inherit", env: { ...process.env, TMPDIR: folder, TMP: folder, TEMP: folder },
});
if (error) throw error;
process.exitCode = status ?? 1;
