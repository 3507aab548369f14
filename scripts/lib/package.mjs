// The package as its users get it: packed, and installed into a project of its own.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pkg, root } from "./paths.mjs";
import { Failure, must } from "./process.mjs";
import { temporaryFolder } from "./temporary.mjs";

/** Throws unless all that pkg/package.json lists is there. */
export function checkBuilt() {
  const { files } = JSON.parse(readFileSync(join(pkg, "package.json"), "utf8"));
  const missing = files.filter((file) => !existsSync(join(pkg, file)));
  if (missing.length > 0) {
    throw new Failure(`The package is not built: pkg/ lacks ${missing.join(", ")}. Run: npm run build`);
  }
}

/** Packs the package into `folder`; resolves to the tarball's path. */
export async function pack(folder) {
  checkBuilt();
  const { stdout } = await must("npm", ["pack", pkg, "--pack-destination", folder, "--json", "--ignore-scripts"], {
    cwd: root, timeout: 120_000,
  });
  const [{ filename }] = Object.values(JSON.parse(stdout));
  return join(folder, filename);
}

/**
 * Packs the package and installs the tarball into a new project, without the network; resolves to the project's folder,
 * which is removed when the process ends.
 */
export async function packAndInstall() {
  const folder = temporaryFolder("digitalpaye-auth-consumer");
  const tarball = await pack(folder);
  const project = { name: "consumer", version: "1.0.0", private: true, type: "module" };
  writeFileSync(join(folder, "package.json"), JSON.stringify(project));
  // A dynamic import is resolved from the file that it is in: with this one, tests import as the project does.
  writeFileSync(join(folder, "import.mjs"), "export default (specifier) => import(specifier);\n");
  await must("npm", ["install", tarball, "--offline", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"], {
    cwd: folder, timeout: 120_000,
  });
  return folder;
}
