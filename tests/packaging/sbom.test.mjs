// The software bill of materials in the package: what its format asks for, what Cargo.lock and the manifests say, and
// nothing that differs from one build to the next.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { Ajv } from "ajv";
import formats from "ajv-formats";
import { root } from "../../scripts/lib/paths.mjs";
import { billOfMaterials, modules } from "../../scripts/lib/sbom.mjs";
import { sha256 } from "../../scripts/lib/tarball.mjs";
import { installed } from "../lib/install.mjs";

const ours = ["digitalpaye-auth", "digitalpaye-emulator"];
const source = (path) => readFileSync(join(root, path), "utf8");

/** Every crate in Cargo.lock by its name, and where there are several of it also by "name version", as the file does. */
const locked = new Map(source("Cargo.lock").split("\n[[package]]\n").slice(1).flatMap((entry) => {
  const [, name] = /^name = "(.+)"$/m.exec(entry);
  const [, version] = /^version = "(.+)"$/m.exec(entry);
  const checksum = /^checksum = "(.+)"$/m.exec(entry)?.[1];
  const dependencies = [...(/^dependencies = \[([^\]]*)\]/m.exec(entry)?.[1] ?? "").matchAll(/"([^"]+)"/g)].map(([, each]) => each);
  return [name, `${name} ${version}`].map((key) => [key, { name, version, checksum, dependencies }]);
}));

/** What a manifest's tables of dependencies name, tests and other targets aside. */
function directDependencies(manifest) {
  return source(manifest).split(/^(?=\[)/m)
    .filter((table) => /^\[(target\.'cfg\(target_arch = "wasm32"\)'\.)?dependencies\]/.test(table))
    .flatMap((table) => [...table.matchAll(/^([\w-]+) = /gm)].map(([, name]) => name))
    .filter((name) => !ours.includes(name));
}

describe("the bill of materials", () => {
  let text;
  let bom;
  let manifest;
  let read;
  before(async () => {
    const file = async (name) => readFileSync(join(await installed(), "node_modules", "digitalpaye-auth", name));
    text = String(await file("sbom.cdx.json"));
    bom = JSON.parse(text);
    manifest = JSON.parse(await file("package.json"));
    const folder = join(await installed(), "node_modules", "digitalpaye-auth");
    read = (name) => readFileSync(join(folder, name));
  });
  const crates = () => bom.components.filter(({ purl }) => purl?.startsWith("pkg:cargo/"));

  test("is of CycloneDX' schema", () => {
    const schema = (name) => JSON.parse(source(`node_modules/@cyclonedx/cyclonedx-library/res/schema/${name}.SNAPSHOT.schema.json`));
    const main = schema(`bom-${bom.specVersion}`);
    // No format that Ajv has a check for; none is used here.
    const ajv = new Ajv({ strict: false, allErrors: true, formats: { "iri-reference": true, "idn-email": true } });
    formats.default(ajv);
    for (const name of ["spdx", "jsf-0.82"]) ajv.addSchema(schema(name), new URL(`${name}.SNAPSHOT.schema.json`, main.$id).href);
    const validate = ajv.compile(main);
    assert.equal(bom.$schema, main.$id);
    assert.ok(validate(bom), JSON.stringify(validate.errors, null, 2));
    assert.ok(!validate({ ...bom, bomFormat: "other" }));
  });

  test("is of this package and of its modules", () => {
    const { name, version, purl } = bom.metadata.component;
    assert.deepEqual([name, version, purl], [manifest.name, manifest.version, `pkg:npm/${manifest.name}@${manifest.version}`]);
    const files = bom.components.filter(({ type }) => type === "file");
    assert.deepEqual(files.map((file) => file.name), Object.keys(modules));
    for (const file of files) assert.equal(file.hashes[0].content, sha256(read(file.name)));
  });

  test("names crates as Cargo.lock does, by version and checksum", () => {
    for (const { name, version, purl, hashes } of crates()) {
      const crate = locked.get(`${name} ${version}`);
      assert.ok(crate, `${name} ${version} is not in Cargo.lock`);
      assert.deepEqual(hashes, [{ alg: "SHA-256", content: crate.checksum }]);
      assert.equal(purl, `pkg:cargo/${name}@${version}`);
    }
  });

  test("has every direct dependency of the manifests", () => {
    const manifests = {
      "wasm/digitalpaye_auth_bg.wasm": ["Cargo.toml", "module/Cargo.toml"],
      "wasm/digitalpaye_emulator_bg.wasm": ["emulator/Cargo.toml", "emulator/module/Cargo.toml"],
    };
    for (const [file, paths] of Object.entries(manifests)) {
      const direct = [...new Set(paths.flatMap(directDependencies))].sort();
      assert.ok(direct.includes("wasm-bindgen"));
      const { dependsOn } = bom.dependencies.find(({ ref }) => ref === file);
      assert.deepEqual(dependsOn.filter((ref) => ref.startsWith("pkg:")).map((ref) => /([^/]+)@/.exec(ref)[1]).sort(), direct);
    }
  });

  test("has no crate and no dependency of one that Cargo.lock does not have", () => {
    const reached = new Set();
    for (const { ref, dependsOn = [] } of bom.dependencies) {
      const [, name, version] = /^pkg:cargo\/(.+)@(.+)$/.exec(ref) ?? [];
      for (const other of dependsOn) {
        reached.add(other);
        if (name) assert.ok(locked.get(`${name} ${version}`).dependencies.includes(/\/(.+)@/.exec(other)[1]), `${ref} on ${other}`);
      }
    }
    const refs = bom.components.map((component) => component["bom-ref"]);
    assert.deepEqual([...reached].sort(), [...refs].sort());
    assert.equal(new Set(refs).size, refs.length);
  });

  test("names the standard library's version", () => {
    assert.match(bom.components.find(({ name }) => name === "rust-std").version, /^1\.\d+\.\d+/);
  });

  test("is the same, byte for byte, when it is made again, and says neither when nor where", async () => {
    assert.equal(text, `${JSON.stringify(await billOfMaterials(manifest, read), null, 2)}\n`);
    assert.doesNotMatch(text, /timestamp|serialNumber|\d{4}-\d\d-\d\dT/);
    assert.ok(!text.includes(root));
  });
});
