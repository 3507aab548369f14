// Vitest, Jest, sinon and node:test: the cases, and fake timers of each.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, mock, test } from "node:test";
import { transform } from "esbuild";
import { must } from "../../scripts/lib/process.mjs";
import { importInstalled } from "../lib/install.mjs";
import { makeProject, runner } from "./projects.mjs";

const read = (name) => readFileSync(new URL(name, import.meta.url), "utf8");
const modules = Object.fromEntries(["cases.mjs", "run.mjs", "fake-timers.mjs"].map((name) => [name, read(name)]));

const body = (runner, imports) => `${imports}
const inProcess = (config) => ({ ...createEmulator(config), url: "https://api.digitalpaye.com" });

test("cases", async () => {
  const results = await runCases(cases, inProcess);
  expect(results.length).toBe(cases.length);
  expect(results.filter(({ error }) => error)).toEqual([]);
});

test("fake timers", async () => {
  await fakeTimers({ createEmulator, DigitalpayeAuth }, {
    ${runner},
    equal: (actual, expected, what) => expect([what, actual]).toEqual([what, expected]),
  });
});
`;

const everything = '["setTimeout", "clearTimeout", "setInterval", "clearInterval", "setImmediate", "clearImmediate", "Date", "performance", "queueMicrotask"]';
const vitest = body(
  `fake: () => vi.useFakeTimers({ toFake: ${everything} }), advance: (ms) => vi.advanceTimersByTimeAsync(ms), setDate: (ms) => vi.setSystemTime(ms)`,
  `import { expect, test, vi } from "vitest";
import { DigitalpayeAuth } from "digitalpaye-auth";
import { createEmulator } from "digitalpaye-auth/emulator";
import { cases } from "./cases.mjs";
import { runCases } from "./run.mjs";
import { fakeTimers } from "./fake-timers.mjs";`,
);
const jest = body(
  "fake: () => jest.useFakeTimers(), advance: (ms) => jest.advanceTimersByTimeAsync(ms), setDate: (ms) => jest.setSystemTime(ms)",
  `const { DigitalpayeAuth } = require("digitalpaye-auth");
const { createEmulator } = require("digitalpaye-auth/emulator");
const { cases } = require("./cases.cjs");
const { runCases } = require("./run.cjs");
const { fakeTimers } = require("./fake-timers.cjs");`,
);

const sinon = body(
  `fake: () => { clock = sinon.useFakeTimers({ now: Date.now(), toFake: ${everything} }); }, advance: (ms) => clock.tickAsync(ms), setDate: (ms) => clock.setSystemTime(ms)`,
  `import assert from "node:assert/strict";
import { after, test } from "node:test";
import sinon from "sinon";
import { DigitalpayeAuth } from "digitalpaye-auth";
import { createEmulator } from "digitalpaye-auth/emulator";
import { cases } from "./cases.mjs";
import { runCases } from "./run.mjs";
import { fakeTimers } from "./fake-timers.mjs";
let clock;
after(() => clock.restore());
const expect = (actual) => ({ toBe: (expected) => assert.equal(actual, expected), toEqual: (expected) => assert.deepEqual(actual, expected) });`,
);

test("sinon", async () => {
  const project = await makeProject({ ...modules, "emulator.test.js": sinon }, { tools: ["sinon"] });
  const { stdout } = await must(process.execPath, ["--test", "emulator.test.js"], { cwd: project, timeout: 60_000 });
  assert.match(stdout, /pass 2/);
});

test("Vitest", async () => {
  const project = await makeProject({ ...modules, "emulator.test.js": vitest }, { tools: ["vitest"] });
  const { stdout } = await must(process.execPath, [await runner("vitest/vitest.mjs"), "run", "--root", project], { cwd: project, timeout: 60_000 });
  assert.match(stdout, /2 passed/);
});

test("Jest", async () => {
  const scripts = {};
  for (const [name, code] of Object.entries(modules)) {
    scripts[name.replace(".mjs", ".cjs")] = (await transform(code, { format: "cjs", target: "node20" })).code;
  }
  const project = await makeProject({ ...scripts, "emulator.test.cjs": jest }, { type: "commonjs" });
  const { output } = await must(process.execPath, [await runner("jest/bin/jest.js"), "--rootDir", project, "--testMatch", "**/*.test.cjs"], { cwd: project, timeout: 60_000 });
  assert.match(output, /Tests: +2 passed/);
});

describe("node:test", async () => {
  const { createEmulator } = await importInstalled("digitalpaye-auth/emulator");
  const { DigitalpayeAuth } = await importInstalled();

  test("a client gets its token after two retries, when its mocked timers are moved as time goes by", async () => {
    // Waits go by performance.now(), which these mocks leave alone.
    const { setTimeout: realTimeout } = globalThis;
    const emulator = createEmulator();
    emulator.script([{ status: 503, times: 2 }]);
    mock.timers.enable({ apis: ["setTimeout", "setInterval", "setImmediate", "Date"], now: Date.now() });
    try {
      const auth = new DigitalpayeAuth({ ...emulator.credentials, fetch: emulator.fetch });
      let settled = false;
      const call = auth.getToken().finally(() => (settled = true));
      const turns = async () => { for (let turn = 0; turn < 200; turn += 1) await null; };
      await turns();
      assert.deepEqual([settled, emulator.requests().length], [false, 1]);
      for (let wait = 0; wait < 100 && !settled; wait += 1) {
        mock.timers.tick(50);
        await new Promise((resolve) => realTimeout(resolve, 15));
      }
      assert.ok(settled);
      assert.equal(typeof (await call).token, "string");
      assert.deepEqual(emulator.requests().map(({ status }) => status), [503, 503, 200]);
    } finally {
      mock.timers.reset();
    }
  });

  test("a mocked clock neither delays an answer nor ends a token; delayMs goes by it", async () => {
    const emulator = createEmulator();
    const headers = { authorization: `Basic ${btoa("emulator_key:emulator_secret")}` };
    const exchange = () => emulator.fetch("https://h/v1/auth", { method: "POST", headers });
    const { data: { token } } = await (await exchange()).json();
    mock.timers.enable({ apis: ["setTimeout", "setInterval", "setImmediate", "Date"], now: 0 });
    try {
      const balance = async () => (await emulator.fetch("https://h/v1/balance", { headers: { authorization: `Bearer ${token}` } })).status;
      mock.timers.setTime(4e12);
      assert.equal(await balance(), 200);
      emulator.script([{ delayMs: 5_000, status: 503 }]);
      const delayed = exchange();
      assert.equal(await Promise.race([delayed, Promise.resolve("not yet")]), "not yet");
      mock.timers.tick(5_000);
      assert.equal((await delayed).status, 503);
      emulator.advance(600);
      assert.equal(await balance(), 401);
    } finally {
      mock.timers.reset();
    }
  });
});
