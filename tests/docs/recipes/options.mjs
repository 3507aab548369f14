// docs/options.md.
import assert from "node:assert/strict";
import { BALANCE, succeeds } from "./shared.mjs";

export const recipes = {
  async "js from-env.mjs"(reader, block) {
    assert.equal((await succeeds(reader.run(block))).stdout, "200\n");
    assert.deepEqual(await reader.sandbox.counts(), BALANCE);
    const without = await reader.run(block, { env: { DIGITALPAYE_API_KEY: "" } });
    assert.equal(without.code, 1);
    assert.match(without.output, /InvalidOptionsError.*DIGITALPAYE_API_KEY/);
  },

  async "js once.mjs"(reader, block) {
    assert.match((await succeeds(reader.run(block))).stdout, /^a token of \d+ characters, good until 20[\d-]+T[\d:.]+Z$/m);
    assert.deepEqual(await reader.sandbox.counts(), { "POST /v1/auth": 1 });
  },
};
