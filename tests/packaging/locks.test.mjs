// What the package, its tests and its page are made with is pinned: every version by a lock file, every download by a
// checksum, all of it from the two registries.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { root } from "../../scripts/lib/paths.mjs";
import { ask } from "../../scripts/lib/process.mjs";

const read = (path) => readFileSync(join(root, path), "utf8");
const tracked = (pattern) => ask("git", ["ls-files", pattern]).split("\n");
const kinds = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];

for (const file of tracked("*Cargo.lock")) {
  test(`${file} has a checksum for every crate that is not ours, all of them from crates.io`, () => {
    const crates = read(file).split("\n[[package]]\n").slice(1);
    assert.ok(crates.length > 20);
    for (const crate of crates) {
      if (/^name = "digitalpaye-/.test(crate)) assert.doesNotMatch(crate, /^(source|checksum) =/m);
      else assert.match(crate, /^source = "registry\+https:\/\/github\.com\/rust-lang\/crates\.io-index"\nchecksum = "[0-9a-f]{64}"$/m);
    }
  });
}

for (const file of tracked("*package-lock.json")) {
  test(`${file} has a checksum for every package that is not ours, and no address`, () => {
    const { packages } = JSON.parse(read(file));
    const foreign = Object.entries(packages).filter(([path, { link }]) => path.includes("node_modules/") && !link);
    assert.ok(foreign.length > 0);
    for (const [path, { version, integrity, resolved }] of foreign) {
      assert.match(version, /^\d/, path);
      assert.match(integrity, /^sha512-/, path);
      assert.equal(resolved, undefined, path);
    }
  });
}

for (const file of tracked("*package.json")) {
  test(`${file} asks for exact versions, and has a lock file that agrees`, () => {
    const manifest = JSON.parse(read(file));
    const example = /^examples\/(\w+)\//.exec(file)?.[1];
    for (const [name, version] of kinds.flatMap((kind) => Object.entries(manifest[kind] ?? {}))) {
      // Ours, by a link; an example names the release.
      if (name === "digitalpaye-auth" && !example) assert.equal(version, "*");
      else assert.match(version, /^(npm:@?[^@]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/, name);
    }
    const beside = example ? `tests/examples/locks/${example}/package-lock.json` : join(dirname(file), "package-lock.json");
    const [lock, path] = example || existsSync(join(root, beside)) ? [beside, ""] : ["package-lock.json", dirname(file)];
    // An example is copied without a lock file; the tests have one for what it needs besides ours.
    if (example) delete manifest.dependencies["digitalpaye-auth"];
    if (example && kinds.every((kind) => Object.keys(manifest[kind] ?? {}).length === 0)) return;
    const locked = JSON.parse(read(lock)).packages[path];
    for (const kind of kinds) assert.deepEqual(locked[kind] ?? {}, manifest[kind] ?? {}, `${lock} has other ${kind}`);
  });
}
