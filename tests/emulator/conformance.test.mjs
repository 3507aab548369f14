// One list of cases, against everything that plays the API.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { importInstalled, requireInstalled } from "../lib/install.mjs";
import { startSandbox } from "../lib/sandbox.mjs";
import { cases } from "./cases.mjs";
import { runCases } from "./run.mjs";

const inProcess = (createEmulator) => (config) => {
  const emulator = createEmulator(config);
  return { ...emulator, url: "https://api.digitalpaye.com" };
};

const server = await startSandbox();
after(() => server.stop());

async function overHttp(config) {
  await server.reset();
  await server.config({ ...config, distinctTokens: true, exposeHeaders: ["Date", "Retry-After"] });
  let offset = 0;
  return {
    url: server.url,
    fetch,
    script: server.script,
    advance: (seconds) => server.config({ clockOffset: (offset += seconds) }),
    revoke: server.revoke,
  };
}

const { createEmulator } = await importInstalled("digitalpaye-auth/emulator");
const required = await requireInstalled("digitalpaye-auth/emulator");

for (const [player, make] of [
  ["the server, over HTTP", overHttp],
  ["the emulator, imported", inProcess(createEmulator)],
  ["the emulator, required", inProcess(required.createEmulator)],
]) {
  describe(player, async () => {
    const results = await runCases(cases, make);
    assert.equal(results.length, cases.length);
    for (const { name, error } of results) test(name, () => assert.equal(error, undefined));
  });
}
