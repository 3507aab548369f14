// `npm run check faults [-- --write]`: meets every fault in every runtime and prints the table of what came of it. `--write` puts
// it into README.md; `npm test` checks that it is there.
import { parseArgs } from "node:util";
import { buildPackage } from "../../scripts/build.mjs";
import { packAndInstall } from "../../scripts/lib/package.mjs";
import { command } from "../../scripts/lib/process.mjs";
import { buildSandbox } from "../../scripts/lib/sandbox.mjs";
import { setup } from "../../scripts/setup.mjs";
import { writePart } from "../lib/marks.mjs";

const { values: { write } } = parseArgs({ options: { write: { type: "boolean" } } });

await command(async () => {
  await setup({ needs: ["chromium", "openssl"] });
  if (process.env.DIGITALPAYE_AUTH_CONSUMER === undefined) {
    await buildPackage();
    await buildSandbox();
    process.env.DIGITALPAYE_AUTH_CONSUMER = await packAndInstall();
  }
  // Not before: they need what setup installs.
  const { faults } = await import("./faults.mjs");
  const { table } = await import("./markdown.mjs");
  const { names, run } = await import("./run.mjs");

  const outcomes = {};
  for (const runtime of names) {
    const { results } = await run(runtime);
    outcomes[runtime] = new Map(results.map(({ fault, ends }) => [fault.id, ends]));
  }
  const text = table(faults, outcomes);
  process.stdout.write(`${text}\n`);
  if (write) writePart(new URL("README.md", import.meta.url), "faults", text);
});
