// `npm run check soak [-- --minutes N] [-- --seed N]`: random faults and random callers for a while, and the figures.
import { parseArgs } from "node:util";
import { buildPackage } from "../../scripts/build.mjs";
import { packAndInstall } from "../../scripts/lib/package.mjs";
import { Failure, command } from "../../scripts/lib/process.mjs";
import { buildSandbox } from "../../scripts/lib/sandbox.mjs";

await command(async () => {
  const { values } = parseArgs({ options: { minutes: { type: "string", default: "10" }, seed: { type: "string" } } });
  const minutes = Number(values.minutes);
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  if (!(minutes > 0) || !Number.isSafeInteger(seed)) throw new Failure("--minutes takes a number above 0, --seed a whole number.", { exitCode: 2 });
  if (process.env.DIGITALPAYE_AUTH_CONSUMER === undefined) {
    await buildPackage();
    await buildSandbox();
    process.env.DIGITALPAYE_AUTH_CONSUMER = await packAndInstall();
  }
  // Not before: it needs what the build installs.
  const { soak } = await import("./soak.mjs");
  process.stdout.write(`${minutes} min, seed ${seed}\n`);
  process.stdout.write(`${JSON.stringify(await soak({ seconds: minutes * 60, seed }), undefined, 2)}\n`);
});
