// Test runners. Where the surroundings imitate a page, what answers is the emulator.
import { EMULATOR_TEST, HTTP_TEST, IMPORT, REQUIRE } from "../lib/code.mjs";

const EMULATOR_IMPORT = `${IMPORT}import { createEmulator } from "digitalpaye-auth/emulator";\n`;
const EMULATOR_REQUIRE = `${REQUIRE}const { createEmulator } = require("digitalpaye-auth/emulator");\n`;
const vitestImport = 'import { expect, test } from "vitest";\n';

const vitest = (environment, packages, test, more = {}) => ({
  name: `vitest-${environment}`, title: "Vitest", how: { en: `environment \`${environment}\``, fr: `environnement \`${environment}\`` },
  folder: "vitest", package: "vitest", dependencies: { vitest: "5.1.1", ...packages },
  files: {
    "vitest.config.js": `import { defineConfig } from "vitest/config";
export default defineConfig({ test: { environment: "${environment}" } });
`,
    "auth.test.js": test,
  },
  env: { NODE_ENV: "test" }, test: ["vitest", "run"], prints: /Tests +1 passed/, ...more,
});

const DOM = { jsdom: "31.0.1", "happy-dom": "21.0.4" };
const jest = (name, how, more) => ({
  name, title: "Jest", how, folder: "jest", type: "commonjs", dependencies: { jest: "30.5.2", "jest-environment-jsdom": "30.5.2", "jest-fixed-jsdom": "0.0.11" },
  env: { NODE_ENV: "test" }, test: ["jest"], prints: /Tests: +1 passed/, ...more,
});

export const runners = [
  vitest("node", DOM, vitestImport + IMPORT + HTTP_TEST),
  vitest("jsdom", DOM, vitestImport + EMULATOR_IMPORT + EMULATOR_TEST, { emulated: true }),
  vitest("happy-dom", DOM, vitestImport + EMULATOR_IMPORT + EMULATOR_TEST, { emulated: true }),
  jest("jest", { en: "CommonJS", fr: "CommonJS" }, { files: { "auth.test.js": REQUIRE + HTTP_TEST } }),
  jest("jest-esm", { en: "ES modules, `--experimental-vm-modules`", fr: "modules ES, `--experimental-vm-modules`" }, {
    files: { "auth.test.mjs": IMPORT + HTTP_TEST, "jest.config.js": 'module.exports = { testMatch: ["**/*.test.mjs"] };\n' },
    env: { NODE_ENV: "test", NODE_OPTIONS: "--experimental-vm-modules" },
  }),
  jest("jest-jsdom", { en: "environment `jest-fixed-jsdom`", fr: "environnement `jest-fixed-jsdom`" }, {
    files: { "auth.test.js": EMULATOR_REQUIRE + EMULATOR_TEST, "jest.config.js": 'module.exports = { testEnvironment: "jest-fixed-jsdom" };\n' }, emulated: true,
    needs: { en: "jsdom alone has no `Request`", fr: "jsdom seul n’a pas de `Request`" },
  }),
];
