// Moving what was made to where it is used, while it may be in use: only what differs is touched, and a file changes in one step.
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

/** The files at `path`, as paths from there: those in a folder and below it, "" for a file, none if nothing is there. */
export function filesAt(path) {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [""];
  return readdirSync(path, { recursive: true }).filter((name) => !statSync(join(path, name)).isDirectory()).sort();
}

const same = (one, other) => existsSync(other) && statSync(other).isFile() && readFileSync(one).equals(readFileSync(other));

/** Whether two files or two folders are not byte for byte the same. */
export function differ(one, other) {
  const files = filesAt(one);
  return files.join("\n") !== filesAt(other).join("\n") || !files.every((file) => same(join(one, file), join(other, file)));
}

/** Makes `to` what the file or folder `from` is, which has to be on the same disk and is not whole afterwards. */
export function moveTo(from, to) {
  const files = filesAt(from);
  for (const file of files) {
    const [source, place] = [join(from, file), join(to, file)];
    if (same(source, place)) continue;
    mkdirSync(dirname(place), { recursive: true });
    renameSync(source, place);
  }
  for (const file of filesAt(to)) if (!files.includes(file)) rmSync(join(to, file), { force: true });
}
