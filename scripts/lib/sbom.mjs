// The package's software bill of materials, as CycloneDX writes it in JSON: its modules, and what was compiled into them.
// It says nothing of when or where it was made, so that the same sources give the same bytes.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./paths.mjs";
import { Failure, must } from "./process.mjs";
import { sha256 } from "./tarball.mjs";

/** The package's modules, and the crates that they are compiled from. */
export const modules = {
  "wasm/digitalpaye_auth_bg.wasm": "digitalpaye-auth-module",
  "wasm/digitalpaye_emulator_bg.wasm": "digitalpaye-emulator-module",
};

/** `manifest` is the package's package.json; `read(file)` gives the bytes of one of its files. */
export async function billOfMaterials(manifest, read) {
  const rust = await standardLibrary();
  const crates = new Map();
  const files = [];
  for (const [file, crate] of Object.entries(modules)) files.push({ file, roots: await linkedCrates(crate, crates) });
  const licences = (expression) => [{ expression: expression.replaceAll("/", " OR ") }];
  const subject = {
    type: "library", "bom-ref": `pkg:npm/${manifest.name}@${manifest.version}`, name: manifest.name, version: manifest.version,
    description: manifest.description, licenses: licences(manifest.license), purl: `pkg:npm/${manifest.name}@${manifest.version}`,
  };
  const sorted = [...crates.values()].sort((a, b) => (a.ref < b.ref ? -1 : 1));
  const components = sorted.map(({ ref, name, version, checksum, licence, repository }) => ({
    type: "library", "bom-ref": ref, name, version, hashes: [{ alg: "SHA-256", content: checksum }],
    licenses: licences(licence), purl: ref, ...(repository && { externalReferences: [{ type: "vcs", url: repository }] }),
  }));
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: { lifecycles: [{ phase: "build" }], component: subject },
    components: [
      ...files.map(({ file }) => ({
        type: "file", "bom-ref": file, name: file, hashes: [{ alg: "SHA-256", content: sha256(read(file)) }], licenses: licences(manifest.license),
      })),
      rust,
      ...components,
    ],
    dependencies: [
      { ref: subject["bom-ref"], dependsOn: Object.keys(modules) },
      ...files.map(({ file, roots }) => ({ ref: file, dependsOn: [rust["bom-ref"], ...roots].sort() })),
      { ref: rust["bom-ref"] },
      ...sorted.map(({ ref, dependsOn }) => ({ ref, dependsOn: [...dependsOn].sort() })),
    ],
  };
}

async function standardLibrary() {
  const { stdout } = await must("rustc", ["--version", "--verbose"], { cwd: root, timeout: 60_000 });
  const [, release] = /^release: (.+)$/m.exec(stdout);
  const [, commit] = /^commit-hash: (.+)$/m.exec(stdout);
  return {
    type: "library", "bom-ref": `rust-std@${release}`, name: "rust-std", version: release,
    description: `Rust's standard library, of commit ${commit}`, licenses: [{ expression: "MIT OR Apache-2.0" }],
    externalReferences: [{ type: "vcs", url: "https://github.com/rust-lang/rust" }],
  };
}

/** Adds the crates of others, by name, and resolves to those that ours depend on directly. What only runs while compiling is none. */
async function linkedCrates(crate, crates) {
  const { stdout } = await must("cargo", ["tree", "--locked", "--package", crate,
    "--target", "wasm32-unknown-unknown", "--edges", "normal,no-proc-macro", "--prefix", "depth", "--no-dedupe",
    "--format", "|{p}|{l}|{r}"], { cwd: root, timeout: 120_000 });
  const checksums = lockedChecksums();
  const roots = new Set();
  const path = [];
  for (const line of stdout.trim().split("\n")) {
    const [depth, title, licence, repository] = line.split("|");
    const [name, version, folder] = title.replace(" v", "|").replace(" (", "|").split("|");
    const ref = folder ? undefined : `pkg:cargo/${name}@${version}`;
    path.length = Number(depth);
    // What ours depend on, the module does.
    if (ref) (crates.get(path.at(-1))?.dependsOn ?? roots).add(ref);
    if (ref && !crates.has(ref)) {
      const checksum = checksums.get(`${name} ${version}`);
      if (!checksum || !licence) throw new Failure(`${name} ${version} has no checksum in Cargo.lock, or no licence.`);
      crates.set(ref, { ref, name, version, checksum, licence, repository, dependsOn: new Set() });
    }
    path.push(ref);
  }
  return roots;
}

function lockedChecksums() {
  const lock = readFileSync(join(root, "Cargo.lock"), "utf8");
  const crates = lock.matchAll(/name = "([^"]+)"\nversion = "([^"]+)"\nsource = "registry\+[^"]+"\nchecksum = "(\w+)"/g);
  return new Map([...crates].map(([, name, version, checksum]) => [`${name} ${version}`, checksum]));
}
