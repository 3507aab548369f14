// Tests as users write them, with time faked and the package mocked: Jest (CommonJS, ES modules, jsdom; modern and legacy
// timers), Vitest, sinon and node:test.
//
//   node --test tests/test-runners/runners.test.mjs
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { transform } from "esbuild";
import { checks, checksFor } from "./checks.mjs";
import { makeProject, runIn } from "./project.mjs";

const read = (name) => readFileSync(new URL(name, import.meta.url), "utf8");
const modules = { "checks.mjs": read("checks.mjs"), "automock.mjs": read("automock.mjs") };
const scripts = {};
for (const [name, code] of Object.entries(modules)) {
  scripts[name.replace(".mjs", ".cjs")] = (await transform(code, { format: "cjs", target: "node20" })).code;
}
const COUNT = Object.keys(checksFor({ setDate: true })).length;
const WITHOUT_DATE = Object.keys(checks).length;

/** The fakes of each kind of timers, as code. */
const EQUAL = "equal: (actual, expected) => expect(actual).toBe(expected)";
const MODERN = `{ fake: () => jest.useFakeTimers(), restore: () => jest.useRealTimers(), advance: (ms) => jest.advanceTimersByTimeAsync(ms),
  setDate: (ms) => jest.setSystemTime(ms), hasClock: true, ${EQUAL} }`;
// They fake neither Date nor performance, and know no promises.
const LEGACY = `{ fake: () => jest.useFakeTimers({ legacyFakeTimers: true }), restore: () => jest.useRealTimers(), hasClock: false, ${EQUAL},
  advance: async (ms) => { await settle(); jest.advanceTimersByTime(ms); await settle(); } }`;
const SETTLE = "const { setTimeout: later } = globalThis;\nconst settle = () => new Promise((done) => later(done, 5));\n";
const vitest = (which) => `{ fake: () => vi.useFakeTimers(${which}), restore: () => vi.useRealTimers(), advance: (ms) => vi.advanceTimersByTimeAsync(ms),
  setDate: (ms) => vi.setSystemTime(ms), hasClock: true, ${EQUAL} }`;
const EVERYTHING = '{ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "setImmediate", "clearImmediate", "Date", "performance", "queueMicrotask"] }';

const jestConfig = (environment) => `module.exports = { testEnvironment: "${environment}" };\n`;
const commonJs = (fakes) => `${SETTLE}const api = require("digitalpaye-auth");
const { runChecks } = require("./checks.cjs");
runChecks(test, api, ${fakes});
`;
const jestMocks = {
  "mocked.test.js": `jest.mock("digitalpaye-auth");
require("./automock.cjs").mocked(test, require("digitalpaye-auth"), expect);
`,
  "spied.test.js": `require("./automock.cjs").spied(test, jest, require("digitalpaye-auth"), expect);\n`,
};

for (const environment of ["node", "jsdom"]) {
  for (const [kind, fakes] of Object.entries({ modern: MODERN, legacy: LEGACY })) {
    test(`Jest, CommonJS, ${environment}, ${kind} fake timers`, async () => {
      const files = { ...scripts, "jest.config.js": jestConfig(environment), "fakes.test.js": commonJs(fakes) };
      const project = await makeProject(`jest-${environment}-${kind}`, files);
      const count = kind === "legacy" ? WITHOUT_DATE : COUNT;
      assert.match(await runIn(project, "jest/bin/jest.js", ["--rootDir", project]), new RegExp(`Tests: +${count} passed, ${count} total`));
    });
  }

  test(`Jest, CommonJS, ${environment}, automock and spies`, async () => {
    const project = await makeProject(`jest-${environment}-mocks`, { ...scripts, ...jestMocks, "jest.config.js": jestConfig(environment) });
    assert.match(await runIn(project, "jest/bin/jest.js", ["--rootDir", project]), /Tests: +3 passed, 3 total/);
  });
}

test("Jest, ES modules, modern fake timers", async () => {
  const code = `import { jest } from "@jest/globals";
import * as api from "digitalpaye-auth";
import { runChecks } from "./checks.mjs";
runChecks(test, api, ${MODERN});
`;
  const config = 'export default { testMatch: ["**/*.test.mjs"], transform: {} };\n';
  const project = await makeProject("jest-esm", { ...modules, "jest.config.mjs": config, "fakes.test.mjs": code }, { type: "module" });
  const output = await runIn(project, "jest/bin/jest.js", ["--rootDir", project], ["--experimental-vm-modules"]);
  assert.match(output, new RegExp(`Tests: +${COUNT} passed, ${COUNT} total`));
});

for (const [name, which] of Object.entries({ "the default fake timers": "", "everything faked": EVERYTHING })) {
  test(`Vitest, ${name}`, async () => {
    const code = `import { expect, test, vi } from "vitest";
import * as api from "digitalpaye-auth";
import { runChecks } from "./checks.mjs";
runChecks(test, api, ${vitest(which)});
`;
    const project = await makeProject(`vitest-${which ? "everything" : "default"}`, { ...modules, "fakes.test.mjs": code }, { type: "module" });
    assert.match(await runIn(project, "vitest/vitest.mjs", ["run", "--root", project]), new RegExp(`${COUNT} passed`));
  });
}

test("Vitest, automock and spies", async () => {
  const files = {
    "mocked.test.mjs": `import { expect, test, vi } from "vitest";
import * as api from "digitalpaye-auth";
import { mocked } from "./automock.mjs";
vi.mock("digitalpaye-auth");
mocked(test, api, expect);
`,
    "spied.test.mjs": `import { expect, test, vi } from "vitest";
import * as api from "digitalpaye-auth";
import { spied } from "./automock.mjs";
spied(test, vi, api, expect);
`,
  };
  const project = await makeProject("vitest-mocks", { ...modules, ...files }, { type: "module" });
  assert.match(await runIn(project, "vitest/vitest.mjs", ["run", "--root", project]), /3 passed/);
});

for (const [name, load] of Object.entries({ import: 'import * as api from "digitalpaye-auth";', require: 'const api = createRequire(import.meta.url)("digitalpaye-auth");' })) {
  test(`sinon, ${name}: queueMicrotask and nextTick are faked, too`, async () => {
    const code = `import assert from "node:assert/strict";
import { createRequire } from "node:module";
import sinon from "sinon";
import { checksFor } from "./checks.mjs";
${load}
let clock;
const fakes = {
  fake: () => {
    clock = sinon.useFakeTimers({ now: Date.now() });
    assert.ok(queueMicrotask.clock && process.nextTick.clock);
  },
  restore: () => clock.restore(), advance: (ms) => clock.tickAsync(ms), setDate: (ms) => clock.setSystemTime(ms), hasClock: true,
  equal: (actual, expected) => assert.equal(actual, expected),
};
for (const [name, check] of Object.entries(checksFor(fakes))) {
  fakes.fake();
  try {
    await check(api, fakes);
  } finally {
    fakes.restore();
  }
  console.log("passed:", name);
}
`;
    const project = await makeProject(`sinon-${name}`, { ...modules, "fakes.mjs": code }, { type: "module" });
    const output = await runIn(project, `../sinon-${name}/fakes.mjs`, []);
    assert.equal(output.match(/^passed:/gm)?.length, COUNT, output);
  });
}

test("node:test, its own mock timers", async () => {
  const code = `import assert from "node:assert/strict";
import { mock, test } from "node:test";
import * as api from "digitalpaye-auth";
import { runChecks } from "./checks.mjs";
const { setTimeout: later } = globalThis;
const settle = () => new Promise((done) => later(done, 5));
runChecks(test, api, {
  fake: () => mock.timers.enable({ apis: ["setTimeout", "setInterval", "setImmediate", "Date"], now: Date.now() }),
  restore: () => mock.timers.reset(), hasClock: false, setDate: (ms) => mock.timers.setTime(ms),
  advance: async (ms) => { await settle(); mock.timers.tick(ms); await settle(); },
  equal: (actual, expected) => assert.equal(actual, expected),
});
`;
  const project = await makeProject("node-test", { ...modules, "fakes.test.mjs": code }, { type: "module" });
  assert.match(await runIn(project, "../node-test/fakes.test.mjs", []), new RegExp(`pass ${COUNT}\\b`));
});
