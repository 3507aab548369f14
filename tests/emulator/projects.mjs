// A user's project: the package as installed from the tarball, the test runners, and the files of a test.
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../../scripts/lib/temporary.mjs";
import { installed } from "../lib/install.mjs";
import { installOnce } from "../lib/projects.mjs";

const runners = fileURLToPath(new URL("runners", import.meta.url));

/** Makes one of `files`, by their names; `type` is the package.json's. */
export async function makeProject(files, { type = "module", tools = [] } = {}) {
  if (tools.length > 0) await installOnce(runners);
  const folder = temporaryFolder("digitalpaye-auth-emulator");
  mkdirSync(join(folder, "node_modules"));
  // A copy, not a link: bundlers and runners look at where a module really is.
  const name = "digitalpaye-auth";
  cpSync(join(await installed(), "node_modules", name), join(folder, "node_modules", name), { recursive: true });
  for (const tool of tools) symlinkSync(join(runners, "node_modules", tool), join(folder, "node_modules", tool));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "shop", version: "1.0.0", private: true, type }));
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
  return folder;
}

/** The path of a runner's program. */
export async function runner(path) {
  await installOnce(runners);
  return join(runners, "node_modules", path);
}
