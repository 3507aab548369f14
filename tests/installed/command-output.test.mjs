// `npx digitalpaye-auth` whose reader has gone, or whose disk is full: no stack trace, whatever runs it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { NODES, engine } from "../conformance/lib/engines.mjs";
import { outcomeOf } from "../lib/child.mjs";
import { installed } from "../lib/install.mjs";
import { startRaw } from "../lib/raw.mjs";
import { PAGE, failure, reply } from "../lib/replies.mjs";

const raw = await startRaw();
after(() => raw.stop());
const file = join(await installed(), "node_modules", "digitalpaye-auth", "bin", "digitalpaye-auth.js");
const configured = { DIGITALPAYE_API_KEY: "merchant-4711", DIGITALPAYE_API_SECRET: "xK9-tr0mbone", DIGITALPAYE_BASE_URL: raw.url, LC_ALL: "C" };

/** Runs it with what is at the other end of its outputs: "pipe", "closed" (nobody reads) or the number of a file. */
async function run(args, [stdout, stderr], { program = process.execPath, flags = [] } = {}) {
  const stdio = ["ignore", ...[stdout, stderr].map((end) => (end === "closed" ? "pipe" : end))];
  const child = spawn(program, [...flags, file, ...args], { stdio, env: { PATH: process.env.PATH, HOME: process.env.HOME, ...configured }, timeout: 60_000, killSignal: "SIGKILL" });
  if (stdout === "closed") child.stdout.destroy();
  if (stderr === "closed") child.stderr.destroy();
  const { code: status, ...rest } = await outcomeOf(child);
  return { status, ...rest };
}

async function withFullDisk(use) {
  const full = openSync("/dev/full", "w");
  try {
    return await use(full);
  } finally {
    closeSync(full);
  }
}

const engines = [...NODES, "Bun", "Deno"];
for (const name of engines) {
  describe(name, async () => {
    const how = { program: await engine(name), flags: name === "Deno" ? ["run", "--allow-all"] : [] };

    test("prints a token, and with --header the line for curl", async () => {
      raw.reset(reply(200, PAGE[200]));
      assert.match((await run([], ["pipe", "pipe"], how)).stdout, /^\{"token":"[^"]+","exp":1728634803\}\n$/);
      const { status, stdout, stderr } = await run(["--header"], ["pipe", "pipe"], how);
      assert.match(stdout, /^Authorization: Bearer [\w.-]+\n$/);
      assert.deepEqual([status, stderr], [0, ""]);
    });

    test("a reader that has gone is no failure, and nothing is said of it", async () => {
      raw.reset(reply(200, PAGE[200]));
      for (const args of [["--help"], ["--version"], ["--token"], ["doctor", "--help"], ["emulator", "--help"]]) {
        assert.deepEqual(await run(args, ["closed", "pipe"], how), { status: 0, signal: null, stdout: "", stderr: "" }, args[0]);
      }
    });

    test("a full disk: one line, status 1", async () => {
      raw.reset(reply(200, PAGE[200]));
      for (const args of [["--help"], ["--token"], ["doctor", "--help"], ["emulator", "--help"]]) {
        const { status, stderr } = await withFullDisk((full) => run(args, [full, "pipe"], how));
        assert.equal(status, 1);
        assert.match(stderr, /^output: could not be written \([^\n]*(ENOSPC|space)[^\n]*\)\n$/);
      }
    });
  });
}

test("a failure that nobody can be told of keeps its status", async () => {
  raw.reset(reply(401, failure(401, "non")));
  assert.equal((await run([], ["closed", "closed"])).status, 1);
  assert.equal((await run(["--nonsense"], ["closed", "closed"])).status, 2);
  assert.equal(await withFullDisk(async (full) => (await run([], [full, full])).status), 1);
  assert.equal(await withFullDisk(async (full) => (await run(["--nonsense"], [full, full])).status), 2);
});

describe("doctor", () => {
  test("a reader that leaves is no failure", async () => {
    raw.reset(reply(200, PAGE[200]));
    assert.deepEqual(await run(["doctor"], ["closed", "pipe"]), { status: 0, signal: null, stdout: "", stderr: "" });
  });

  test("a full disk: one line, status 1", async () => {
    raw.reset(reply(200, PAGE[200]));
    const { status, stderr } = await withFullDisk((full) => run(["doctor"], [full, "pipe"]));
    assert.deepEqual([status, stderr], [1, "output: could not be written (ENOSPC)\n"]);
  });
});
