// The package's software bill of materials, as CycloneDX writes it in JSON: the module, and what was compiled into it.
// It says nothing of when or where it was made, so that the same sources give the same bytes.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./paths.mjs";
import { Failure, must } from "./process.mjs";
import { sha256 } from "./tarball.mjs";

const moduleFile = "wasm/digitalpaye_auth_bg.wasm";

/** `manifest` is the package's package.json, `module` the bytes of its module. */
export async function billOfMaterials(manifest, module) {
  const rust = await standardLibrary();
  const { crates, roots } = await linkedCrates();
  const licences = (expression) => [{ expression: expression.replaceAll("/", " OR ") }];
  const subject = {
    type: "library", "bom-ref": `pkg:npm/${manifest.name}@${manifest.version}`, name: manifest.name, version: manifest.version,
    description: manifest.description, licenses: licences(manifest.license), purl: `pkg:npm/${manifest.name}@${manifest.version}`,
  };
  const components = [...crates.values()].map(({ ref, name, version, checksum, licence, repository }) => ({
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
      { type: "file", "bom-ref": moduleFile, name: moduleFile, hashes: [{ alg: "SHA-256", content: sha256(module) }], licenses: licences(manifest.license) },
      rust,
      ...components,
    ],
    dependencies: [
      { ref: subject["bom-ref"], dependsOn: [moduleFile] },
      { ref: moduleFile, dependsOn: [rust["bom-ref"], ...roots].sort() },
      { ref: rust["bom-ref"] },
      ...[...crates.values()].map(({ ref, dependsOn }) => ({ ref, dependsOn: [...dependsOn].sort() })),
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

/** The crates of others, by name, and those that ours depend on directly. What only runs while compiling is none. */
async function linkedCrates() {
  const { stdout } = await must("cargo", ["tree", "--locked", "--package", "digitalpaye-auth-module",
    "--target", "wasm32-unknown-unknown", "--edges", "normal,no-proc-macro", "--prefix", "depth", "--no-dedupe",
    "--format", "|{p}|{l}|{r}"], { cwd: root, timeout: 120_000 });
  const checksums = lockedChecksums();
  const crates = new Map();
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
  return { crates: new Map([...crates].sort(([a], [b]) => (a < b ? -1 : 1))), roots };
}

function lockedChecksums() {
  const lock = readFileSync(join(root, "Cargo.lock"), "utf8");
  const crates = lock.matchAll(/name = "([^"]+)"\nversion = "([^"]+)"\nsource = "registry\+[^"]+"\nchecksum = "(\w+)"/g);
  return new Map([...crates].map(([, name, version, checksum]) => [`${name} ${version}`, checksum]));
}
