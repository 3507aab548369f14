// `npm run check examples [-- --write]`: all examples, tested and timed. See `usage`.
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { buildPackage } from "../../scripts/build.mjs";
import { packAndInstall } from "../../scripts/lib/package.mjs";
import { Failure, ask, command } from "../../scripts/lib/process.mjs";
import { runners } from "../../scripts/lib/runners.mjs";
import { buildSandbox } from "../../scripts/lib/sandbox.mjs";
import { say } from "../../scripts/lib/terminal.mjs";
import { setup } from "../../scripts/setup.mjs";
import { writePart } from "../lib/marks.mjs";

const usage = `Usage: npm run check examples [-- [--times] [--write]]

Installs each example from the tarball, runs its tests, those with Next.js and wrangler included, and measures the time from
"npm install", with nothing in npm's cache, to the first token.

  --times  measure only
  --write  put the times into examples/README.md and examples/README.fr.md
`;

const HEADERS = {
  "README.md": ["Example", "`npm install`", "`npm run dev` to the first token", "Together", "Node"],
  "README.fr.md": ["Exemple", "`npm install`", "`npm run dev` jusqu’au premier jeton", "Ensemble", "Node"],
};
const MADE = {
  "README.md": (date, host) => `Measured on ${date} on ${host} by \`npm run check examples -- --write\`, with nothing in npm's cache, and this package from its tarball.`,
  "README.fr.md": (date, host) => `Mesuré le ${date} sur ${host} par \`npm run check examples -- --write\`, le cache de npm étant vide et ce paquet venant de son archive.`,
};

const seconds = (ms) => `${(ms / 1_000).toFixed(1)} s`;

function options() {
  try {
    return parseArgs({ options: { times: { type: "boolean" }, write: { type: "boolean" }, help: { type: "boolean", short: "h" } } }).values;
  } catch (error) {
    throw new Failure(`${error.message}\n\n${usage}`, { exitCode: 2 });
  }
}

await command(async () => {
  const { times, write, help } = options();
  if (help) return void process.stdout.write(usage);
  await setup({ needs: ["curl", "ps", "redis"] });
  if (process.env.DIGITALPAYE_AUTH_CONSUMER === undefined) {
    await buildPackage();
    await buildSandbox();
    process.env.DIGITALPAYE_AUTH_CONSUMER = await packAndInstall();
  }
  const files = ["files.test.mjs", "examples.test.mjs", "frameworks.mjs"].map((file) => `tests/examples/${file}`);
  const tally = times ? undefined : await runners().nodeTests(files, {}, { fileTimeout: 20 * 60_000 });
  const rows = await measure();
  for (const file of Object.keys(HEADERS)) {
    const text = table(rows, file);
    if (file === "README.md") process.stdout.write(`\n${text}\n\n`);
    if (write && !tally?.failed) writePart(new URL(`../../examples/${file}`, import.meta.url), "times", text);
  }
  if (tally) process.stdout.write(`${tally.passed} passed, ${tally.failed} failed\n`);
  return tally?.failed ? 1 : 0;
});

/** Each example's times. */
async function measure() {
  // Not before: they need what setup installs.
  const { EXAMPLES } = await import("./project.mjs");
  const { SETTINGS, stopRedis } = await import("./settings.mjs");
  const { timed } = await import("./newcomer.mjs");
  const rows = [];
  try {
    for (const name of EXAMPLES) {
      const { ready, devArgs, env } = SETTINGS[name];
      const variables = await env?.();
      const times = await timed(name, { ready, devArgs, env: variables });
      const node = ask("node", ["--version"], { env: { ...process.env, ...variables } });
      rows.push({ name, node, ...times });
      say(`${name}: ${seconds(times.install)} + ${seconds(times.token)}`);
    }
  } finally {
    await stopRedis();
  }
  return rows;
}

function table(rows, file) {
  const french = (text) => (file === "README.fr.md" ? text.replace(".", ",").replace(" s", "\u00a0s") : text);
  const cells = rows.map(({ name, install, token, node }) => [
    `[${name}](${name}/${file})`, ...[install, token, install + token].map((ms) => french(seconds(ms))), node.slice(1),
  ]);
  const line = (parts) => `| ${parts.join(" | ")} |`;
  const machine = `${process.platform} ${process.arch}`;
  const date = new Date().toISOString().slice(0, 10);
  const host = file === "README.md" ? `${machine}, ${availableParallelism()} cores` : `${machine}, ${availableParallelism()} cœurs`;
  return [line(HEADERS[file]), line(HEADERS[file].map(() => "---")), ...cells.map(line), "", MADE[file](date, host)].join("\n");
}
