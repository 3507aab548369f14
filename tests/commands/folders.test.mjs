// What a build moves: what differs, and nothing else.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, test } from "node:test";
import { differ, filesAt, moveTo } from "../../scripts/lib/folders.mjs";
import { temporaryFolder } from "../../scripts/lib/temporary.mjs";

let made;
let used;
beforeEach(() => {
  const folder = temporaryFolder("digitalpaye-auth-folders");
  [made, used] = [join(folder, "made"), join(folder, "used")];
});

function write(folder, files) {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
}
const read = (folder) => Object.fromEntries(filesAt(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")]));
const inode = (...path) => statSync(join(...path)).ino;

test("where nothing was, all of it", () => {
  const files = { a: "1", "b/c": "2" };
  write(made, files);
  assert.ok(differ(made, used));
  moveTo(made, used);
  assert.deepEqual(read(used), files);
});

test("what is the same keeps its file; what is not gets another; what is not there any more goes", () => {
  write(made, { same: "1", "deep/same": "2", changed: "new", "deep/more": "3" });
  write(used, { same: "1", "deep/same": "2", changed: "old", "old/gone": "4" });
  const before = ["same", "deep/same", "changed"].map((name) => inode(used, name));
  assert.ok(differ(made, used));
  moveTo(made, used);
  assert.deepEqual(read(used), { same: "1", "deep/same": "2", changed: "new", "deep/more": "3" });
  const after = ["same", "deep/same", "changed"].map((name) => inode(used, name));
  assert.deepEqual([after[0] === before[0], after[1] === before[1], after[2] === before[2]], [true, true, false]);
});

test("a file by itself", () => {
  write(made, { file: "1" });
  write(used, { file: "2" });
  const [from, to] = [join(made, "file"), join(used, "file")];
  assert.ok(differ(from, to));
  moveTo(from, to);
  assert.equal(readFileSync(to, "utf8"), "1");
});

for (const [what, one, other] of [
  ["one byte", { a: "1" }, { a: "2" }],
  ["one file more", { a: "1" }, { a: "1", b: "" }],
  ["one file less", { a: "1", b: "" }, { a: "1" }],
  ["a file's name", { a: "1" }, { b: "1" }],
]) {
  test(`folders that differ by ${what}`, () => {
    write(made, one);
    write(used, other);
    assert.ok(differ(made, used));
    moveTo(made, used);
    assert.deepEqual(read(used), one);
  });
}

test("folders that do not differ", () => {
  for (const folder of [made, used]) write(folder, { a: "1", "b/c": "2" });
  assert.ok(!differ(made, used));
});
