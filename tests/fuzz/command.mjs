// `npm run check fuzz`: the installed package under random hostile inputs for a while, and the figures. See `usage`.
import { parseArgs } from "node:util";
import { buildPackage } from "../../scripts/build.mjs";
import { packAndInstall } from "../../scripts/lib/package.mjs";
import { Failure, command } from "../../scripts/lib/process.mjs";

const usage = `Usage: npm run check fuzz -- [--minutes N] [--seed S] [--replay S/I] [--missed]

  --minutes  for how long; 3 if not given
  --seed     a whole number; one of the clock if not given
  --replay   the input of that name only, with its text
  --missed   with the lines that were not reached

`;

await command(async () => {
  const { values } = parseArgs({ options: {
    minutes: { type: "string", default: "3" }, seed: { type: "string" }, replay: { type: "string" }, missed: { type: "boolean" }, help: { type: "boolean", short: "h" },
  } });
  if (values.help) return void process.stdout.write(usage);
  const [replayed, index] = values.replay?.split("/").map(Number) ?? [];
  const minutes = Number(values.minutes);
  const seed = replayed ?? Number(values.seed ?? Date.now() % 1_000_000);
  if (!(minutes > 0) || !Number.isSafeInteger(seed) || (values.replay && !Number.isSafeInteger(index))) throw new Failure(usage, { exitCode: 2 });
  if (process.env.DIGITALPAYE_AUTH_CONSUMER === undefined) {
    await buildPackage();
    process.env.DIGITALPAYE_AUTH_CONSUMER = await packAndInstall();
  }
  const consumer = process.env.DIGITALPAYE_AUTH_CONSUMER;
  // Not before: it needs what the build installs.
  const { corpus, drawn, fuzz } = await import("./fuzz.mjs");
  let result;
  if (values.replay) {
    const input = drawn(values.replay);
    process.stdout.write(`${JSON.stringify(input, undefined, 2)}\n`);
    result = await fuzz({ consumer, inputs: [[values.replay, input]], count: 0 });
  } else {
    process.stdout.write(`${minutes} min, seed ${seed}\n`);
    result = await fuzz({
      consumer, seed, seconds: minutes * 60, inputs: corpus(), coverage: true, missed: values.missed,
      onProgress: ({ executions, seconds, finds, pages }) => process.stderr.write(`${seconds} s: ${executions} executions, ${finds} finds, ${pages} pages\n`),
    });
  }
  const { figures, finds } = result;
  process.stdout.write(`${JSON.stringify({ ...figures, "executions/s": Math.round(figures.executions / Math.max(figures.seconds, 0.1)), finds: finds.length }, undefined, 2)}\n`);
  for (const { name, problems, input } of finds) {
    process.stdout.write(`\n${name}\n${problems.map((problem) => `  ${problem}\n`).join("")}${values.replay ? "" : `  ${JSON.stringify(input)}\n`}`);
  }
  return finds.length === 0 ? 0 : 1;
});
