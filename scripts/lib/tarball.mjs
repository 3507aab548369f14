// Reading what npm packs.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

export const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** The names and the contents of the files in a tarball (POSIX ustar, which npm writes). */
export function entries(tarball) {
  const archive = gunzipSync(readFileSync(tarball));
  const found = new Map();
  const text = (from, length) => archive.toString("utf8", from, from + length).replace(/\0.*$/s, "");
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0;) {
    const size = parseInt(text(at + 124, 12), 8);
    const name = [text(at + 345, 155), text(at, 100)].filter(Boolean).join("/");
    if (text(at + 156, 1) === "0") found.set(name.replace(/^package\//, ""), archive.subarray(at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return found;
}

/** The names of the files in which two tarballs differ; of the tarball itself, when its files are the same. */
export function differences(one, other) {
  const [first, second] = [one, other].map(entries);
  const names = [...new Set([...first.keys(), ...second.keys()])].sort();
  const different = names.filter((name) => !first.has(name) || !second.has(name) || !first.get(name).equals(second.get(name)));
  if (different.length > 0 || readFileSync(one).equals(readFileSync(other))) return different;
  return ["the tarball itself"];
}
