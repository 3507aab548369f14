// `npm start`, as a newcomer types it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { filesAt } from "../../scripts/lib/folders.mjs";
import { startSandbox } from "../lib/sandbox.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
// A build with nothing to do takes seconds; a first one has been made by the time that this runs.
const bound = 240_000;

/** Starts a command at the root without the environment's credentials; `until` resolves when its output matches. */
function type(words, env = {}) {
  const clean = Object.fromEntries(Object.entries(process.env)
    .filter(([name]) => !name.startsWith("DIGITALPAYE_") && name !== "NODE_TEST_CONTEXT"));
  const [first, ...rest] = words;
  const child = spawn(first, rest, { cwd: root, env: { ...clean, ...env }, stdio: ["ignore", "pipe", "pipe"], timeout: bound, killSignal: "SIGTERM" });
  const seen = { stdout: "", stderr: "" };
  const waiting = new Set();
  for (const name of ["stdout", "stderr"]) {
    child[name].setEncoding("utf8").on("data", (text) => {
      seen[name] += text;
      for (const check of waiting) check();
    });
  }
  const ended = new Promise((done, fail) => {
    child.once("error", fail);
    child.once("close", (code, signal) => {
      done({ ...seen, code, signal });
      for (const check of waiting) check(true);
    });
  });
  const until = (pattern) => new Promise((done, fail) => {
    const check = (over) => {
      const match = pattern.exec(seen.stdout);
      if (!match && !over) return;
      waiting.delete(check);
      if (match) done(match);
      else fail(new Error(`It ended before it printed ${pattern}.\n${seen.stdout}${seen.stderr}`));
    };
    waiting.add(check);
    check();
  });
  return { child, ended, until };
}

const printed = /^Token: ([\w-]+\.[\w-]+\.[\w-]+)\nIt expires at \d\d:\d\d:\d\d \S+(?: on .+)?, in (.+)\.$/m;

test("--once prints a token of the stand-in and when it expires, and ends", async () => {
  const { stdout, stderr, code } = await type(["npm", "start", "--", "--once"]).ended;
  assert.equal(code, 0, stderr);
  const [, token, life] = printed.exec(stdout) ?? assert.fail(stdout);
  const { iat, exp } = JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
  assert.equal(exp - iat, 600);
  assert.equal(life, "10 minutes");
  const [, url] = /local stand-in for the API at (http:\/\/127\.0\.0\.1:\d+)\./.exec(stderr) ?? assert.fail(stderr);
  await assert.rejects(fetch(url), "the stand-in has ended too");
});

test("credentials of the environment are used, and it says so", async () => {
  const sandbox = await startSandbox({ apiKey: "their key", apiSecret: "their secret", lifetime: 3600 });
  try {
    const { stdout, stderr, code } = await type([process.execPath, "scripts/start.mjs", "--once"], {
      DIGITALPAYE_API_KEY: "their key", DIGITALPAYE_API_SECRET: "their secret",
      DIGITALPAYE_BASE_URL: sandbox.url, DIGITALPAYE_ENVIRONMENT: "Sandbox",
    }).ended;
    assert.equal(code, 0, stderr);
    assert.equal(printed.exec(stdout)?.[2], "60 minutes", stdout);
    assert.ok(stderr.includes(`Using the credentials of DIGITALPAYE_API_KEY with the API at ${sandbox.url} (Sandbox).`), stderr);
    assert.ok(!(stdout + stderr).includes("their secret"), "the secret is not shown");
    const requests = await sandbox.requests();
    assert.equal(requests.length, 1);
    assert.equal(requests[0].method, "POST");
  } finally {
    await sandbox.stop();
  }
});

test("a refusal is told by its code and in words, and the exit code is 1", async () => {
  const sandbox = await startSandbox({ apiKey: "their key", apiSecret: "their secret" });
  try {
    const { stdout, stderr, code } = await type([process.execPath, "scripts/start.mjs", "--once"], {
      DIGITALPAYE_API_KEY: "their key", DIGITALPAYE_API_SECRET: "not their secret", DIGITALPAYE_BASE_URL: sandbox.url,
    }).ended;
    assert.equal(code, 1);
    assert.match(stderr.trimEnd().split("\n").at(-1), /^unauthorized: \S/);
    assert.doesNotMatch(stdout, /Token/);
    assert.ok(!(stdout + stderr).includes("not their secret"), "the secret is not shown");
  } finally {
    await sandbox.stop();
  }
});

for (const [set, missing] of [["KEY", "SECRET"], ["SECRET", "KEY"]]) {
  test(`only DIGITALPAYE_API_${set}: an error before anything is built`, async () => {
    const { stdout, stderr, code } = await type([process.execPath, "scripts/start.mjs", "--once"], { [`DIGITALPAYE_API_${set}`]: "a value" }).ended;
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.equal(stderr, `DIGITALPAYE_API_${set} is set but DIGITALPAYE_API_${missing} is not. Set both to use the API, or neither to use the local stand-in.\n`);
  });
}

test("an option that does not exist: the usage, and the exit code is 2", async () => {
  const { stdout, stderr, code } = await type([process.execPath, "scripts/start.mjs", "--twice"]).ended;
  assert.equal(code, 2);
  assert.equal(stdout, "");
  assert.match(stderr, /--twice/);
  assert.match(stderr, /Usage: npm start/);
});

/** Each file of a folder, and by what it would differ if it had been written once more. */
const filesOf = (folder) => filesAt(folder).map((file) => {
  const { ino, mtimeMs } = statSync(join(folder, file));
  return [file, ino, mtimeMs];
});

// Tests beside this one pack the package and open the page while these commands build both.
const inUse = [join(root, "pkg"), join(root, "www", "dist")];

for (const signal of ["SIGINT", "SIGTERM"]) {
  test(`serves the page until ${signal}, then ends with everything that it started, and has touched nothing that was built`, async () => {
    const before = inUse.map(filesOf);
    const run = type([process.execPath, "scripts/start.mjs", "--port", "0"]);
    try {
      const [, page] = await run.until(/^The page: (\S+)$/m);
      const answer = await fetch(page);
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get("content-type"), "text/html; charset=utf-8");

      const { baseUrl, apiKey, apiSecret, environment } = await (await fetch(new URL("sandbox.json", page))).json();
      const token = await fetch(`${baseUrl}/v1/auth`, {
        method: "POST",
        headers: {
          Authorization: `Basic ${Buffer.from(`${apiKey}:${apiSecret}`).toString("base64")}`,
          "X-Environment": environment,
          Origin: new URL(page).origin,
        },
      });
      assert.equal(token.status, 200);
      assert.ok(["*", new URL(page).origin].includes(token.headers.get("access-control-allow-origin")), "the page may read it");

      run.child.kill(signal);
      const { code, stdout } = await run.ended;
      assert.equal(code, 0);
      assert.match(stdout, /\nStopped\.\n$/);
      await assert.rejects(fetch(page));
      await assert.rejects(fetch(baseUrl), "the stand-in has ended too");
      assert.deepEqual(inUse.map(filesOf), before);
    } finally {
      run.child.kill("SIGKILL");
    }
  });
}
