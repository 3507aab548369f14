// How the launcher of browsers fails: whoever waits is told why, and nothing is left that would keep the process alive.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../../scripts/lib/temporary.mjs";
import { drive } from "../lib/browsers.mjs";
import { browser } from "./lib/browsers.mjs";

/** A program in the place of a browser, for one test. */
function inPlaceOf(t, kind, script) {
  const path = join(temporaryFolder("browser"), "browser");
  if (script) writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const before = process.env[kind.toUpperCase()];
  process.env[kind.toUpperCase()] = path;
  t.after(() => {
    if (before === undefined) delete process.env[kind.toUpperCase()];
    else process.env[kind.toUpperCase()] = before;
  });
}

const ways = { launched: (kind) => browser(kind).run("about:blank"), driven: (kind) => drive(kind, "en") };

for (const kind of ["Chromium", "Firefox"]) {
  for (const [way, starts] of Object.entries(ways)) {
    test(`${kind}, ${way}: the variable names the program, and one that ends is told with what it printed`, async (t) => {
      inPlaceOf(t, kind, "echo no screen >&2\nsleep 0.2\nexit 3");
      await assert.rejects(starts(kind), { name: "Failure", message: `${kind} ended with 3`, output: "no screen\n" });
    });

    test(`${kind}, ${way}: a program that is not there`, async (t) => {
      inPlaceOf(t, kind);
      await assert.rejects(starts(kind), /ENOENT/);
    });
  }

  test(`${kind}, driven: an address at which nobody answers`, async (t) => {
    inPlaceOf(t, kind, "echo listening on ws://127.0.0.1:9/x\nexec sleep 100");
    await assert.rejects(ways.driven(kind), /ECONNREFUSED/);
  });
}

test("a browser that is not installed: the command that installs it", async () => {
  await assert.rejects(browser("Chromium", { find: () => undefined }).run("about:blank"), {
    name: "Failure", message: "Chromium is missing. Install it with: node scripts/setup.mjs chromium",
  });
});
