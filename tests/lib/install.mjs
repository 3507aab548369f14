// The package as its users get it: packed, installed elsewhere, imported and required from there.
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { packAndInstall } from "../../scripts/lib/package.mjs";

let project;

/**
 * The folder of a project that has the packed tarball in its node_modules. It is made once per process, unless
 * DIGITALPAYE_AUTH_CONSUMER names one; `npm test` makes one for all.
 */
export function installed() {
  project ??= process.env.DIGITALPAYE_AUTH_CONSUMER
    ? Promise.resolve(resolve(process.env.DIGITALPAYE_AUTH_CONSUMER))
    : packAndInstall();
  return project;
}

/** What `import` of `specifier` gives to a module of that project. */
export async function importInstalled(specifier = "digitalpaye-auth") {
  const { default: load } = await import(pathToFileURL(join(await installed(), "import.mjs")));
  return load(specifier);
}

/** What `require` of `specifier` gives to a script of that project. */
export async function requireInstalled(specifier = "digitalpaye-auth") {
  return createRequire(join(await installed(), "require.cjs"))(specifier);
}
