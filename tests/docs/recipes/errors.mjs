// docs/errors.md: each program makes its error happen, and prints what the page says.
import assert from "node:assert/strict";
import { succeeds } from "./shared.mjs";

const names = ["invalid-options", "bad-request", "unauthorized", "rate-limited", "internal-server-error", "unexpected-status", "invalid-response",
  "network", "timeout", "credentials", "unsupported-runtime"];

export const recipes = Object.fromEntries(names.map((name) => [`js ${name}.mjs`, async (reader, block, all) => {
  const { stdout } = await succeeds(reader.run(block));
  assert.equal(stdout, all.find((each) => each.language === "text" && each.name === name).code);
  assert.deepEqual(await reader.sandbox.counts(), {}, "it asked a server");
}]));
