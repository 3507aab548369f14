// A consumer's project: the package as installed from the tarball, and the suite with its entries, nothing configured.
import { transform } from "esbuild";
import { cpSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../../../scripts/lib/temporary.mjs";
import { installed } from "../../lib/install.mjs";

const here = fileURLToPath(new URL("..", import.meta.url));
const name = "digitalpaye-auth";

let made;

/** The folder, made once per process. */
export function project() {
  made ??= make();
  return made;
}

async function make() {
  const consumer = await installed();
  const folder = temporaryFolder("digitalpaye-auth-conformance");
  // A copy, not a link: bundlers look at where a module really is.
  cpSync(join(consumer, "node_modules", name), join(folder, "node_modules", name), { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "consumer", version: "1.0.0", private: true }));
  cpSync(join(here, "entries"), folder, { recursive: true });
  for (const module of ["suite", "expect", "control"]) {
    const code = readFileSync(join(here, `${module}.mjs`), "utf8");
    writeFileSync(join(folder, `${module}.mjs`), code);
    const script = await transform(code, { format: "cjs", target: "node20" });
    writeFileSync(join(folder, `${module}.cjs`), script.code.replaceAll('.mjs")', '.cjs")'));
  }
  writeFileSync(join(folder, "index.html"), html("page.mjs"));
  plain(folder);
  return folder;
}

// Without a bundler a page names files, not packages: those that `import` finds.
function plain(folder) {
  const { exports } = JSON.parse(readFileSync(join(folder, "node_modules", name, "package.json"), "utf8"));
  const address = (subpath) => JSON.stringify(`../node_modules/${name}/${exports[subpath].import.default}`.replace("/./", "/"));
  mkdirSync(join(folder, "plain"));
  for (const file of readdirSync(folder).filter((each) => /\.m?js$/.test(each))) {
    const code = readFileSync(join(folder, file), "utf8");
    writeFileSync(join(folder, "plain", file), code.replaceAll(/"digitalpaye-auth(\/[^"]*)?"/g, (_, rest = "") => address(`.${rest}`)));
  }
  for (const entry of ["page", "asks-worker", "asks-service-worker"]) {
    // A script by itself, so that modules that do not load are told of.
    const page = html(`${entry}.mjs`).replace("<script", '<script src="./errors.js"></script>\n<script');
    writeFileSync(join(folder, "plain", `${entry}.html`), page);
  }
}

export function html(script) {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>conformance</title>
<script type="module" src="./${script}"></script>
</html>
`;
}
