// `npm run bench [-- --quick] [-- --write]`: the package beside what people would pick instead, in one run.
import { readFileSync, writeFileSync } from "node:fs";
import { arch, cpus, platform, release } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildPackage } from "../../scripts/build.mjs";
import { root } from "../../scripts/lib/paths.mjs";
import { Failure, ask, command } from "../../scripts/lib/process.mjs";
import { step } from "../../scripts/lib/terminal.mjs";
import { engine } from "../conformance/lib/engines.mjs";
import { writePart } from "../lib/marks.mjs";
import { alternate, bundleBytes, firstCall, measure, project, startServer } from "./lib.mjs";
import { chart, tables } from "./report.mjs";

const usage = `Usage: npm run bench [-- --quick] [-- --write]

Measures the package beside hand-written fetch, axios, ky, oauth4webapi and digitalpaye-node.

  --quick  fewer rounds, Node 24 only: for a rough look
  --write  put the tables into docs/performance.md and docs/performance.fr.md, and the chart beside this file
`;

const ours = "digitalpaye-auth";
const peers = [ours, "fetch", "fetch-timeout", "fetch-rules", "axios", "ky", "oauth4webapi", "digitalpaye-node"];
const clients = [ours, "digitalpaye-node"];

function options() {
  try {
    return parseArgs({ options: { quick: { type: "boolean" }, write: { type: "boolean" }, help: { type: "boolean", short: "h" } } }).values;
  } catch (error) {
    throw new Failure(`${error.message}\n\n${usage}`, { exitCode: 2 });
  }
}

const versionOf = (folder, name) => JSON.parse(readFileSync(join(folder, "node_modules", name, "package.json"), "utf8")).version;

await command(async () => {
  const { quick, write, help } = options();
  if (help) return void process.stdout.write(usage);
  await buildPackage();
  const folder = await project();
  const server = await startServer();
  const rounds = (count) => (quick ? Math.ceil(count / 4) : count);
  const timed = (node, kind, figure) => async (peer) => (await measure(node, folder, kind, peer, server.url))[figure];
  const figures = {};
  const take = async (name, work) => (figures[name] = await step(name, work));

  const main = await engine("Node 24");
  await take("bytes", async () => Object.fromEntries(await Promise.all(
    [ours, "axios", "ky", "oauth4webapi"].map(async (peer) => [peer, (await bundleBytes(folder, peer)).brotli]),
  )));
  await take("cold", () => alternate(rounds(21), peers, timed(main, "cold", "process")));
  await take("exchange", () => alternate(rounds(7), peers, timed(main, "exchange", "cpu")));
  await take("once", () => alternate(rounds(7), [ours, "fetch"], (peer) => timed(main, "exchange", "cpu")(peer === ours ? `${ours}-once` : peer)));
  await take("read", () => alternate(rounds(7), clients, timed(main, "read", "wall")));
  await take("herd", () => alternate(rounds(7), clients, timed(main, "herd", "wall")));
  await take("requests", async () => {
    const counts = {};
    for (const peer of clients) {
      await server.requests();
      await measure(main, folder, "herd", peer, server.url);
      counts[peer] = await server.requests();
    }
    return counts;
  });
  await take("growth", () => measure(main, folder, "growth", ours, server.url));
  await take("workerd", () => alternate(rounds(13), [ours, "fetch"], (peer) => firstCall(folder, peer, server.url)));
  figures.nodes = {};
  for (const name of quick ? [] : ["Node 20", "Node 22", "Node 26"]) {
    const node = await engine(name);
    await step(name, async () => (figures.nodes[name] = {
      cold: await alternate(9, [ours, "fetch", "axios"], timed(node, "cold", "process")),
      exchange: await alternate(3, [ours, "fetch", "axios"], timed(node, "exchange", "cpu")),
    }));
  }
  server.stop();

  const about = {
    date: new Date().toISOString().slice(0, 10),
    machine: `${platform()} ${release().split(".").slice(0, 2).join(".")} ${arch()}, ${cpus().length} cores`,
    node: ask(main, ["--version"]),
    versions: ["axios", "ky", "oauth4webapi", "digitalpaye-node"].map((name) => `${name} ${versionOf(folder, name)}`).join(", "),
  };
  process.stdout.write(`\n${tables(figures, about, "en")}\n`);
  if (write) {
    for (const [language, file] of [["en", "docs/performance.md"], ["fr", "docs/performance.fr.md"]]) {
      writePart(join(root, file), "bench", tables(figures, about, language));
    }
    writeFileSync(join(root, "tests", "bench", "chart.svg"), chart(figures));
  }
});
