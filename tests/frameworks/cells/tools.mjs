// Package managers, and what makes one file of a program.
import { CLIENT, IMPORT, NODE_SERVER, REQUIRE } from "../lib/code.mjs";

const http = 'import { createServer } from "node:http";\n';
const program = http + IMPORT + CLIENT + NODE_SERVER;

export const tools = [
  {
    name: "tsx", title: "tsx", how: { en: "TypeScript, run as it is", fr: "TypeScript, lancé tel quel" }, node: 20,
    dependencies: { tsx: "4.23.15" }, files: { "server.ts": program }, serve: ["tsx", "server.ts"],
  },
  {
    name: "pnpm", title: "pnpm", how: { en: "installed by it", fr: "installé par lui" },
    manager: "pnpm", managerVersion: "12.21.0", version: () => "12.21.0", files: { "server.js": program }, serve: ["node", "server.js"],
  },
  {
    name: "yarn-pnp", title: "Yarn", how: { en: "Plug'n'Play, without node_modules", fr: "Plug'n'Play, sans node_modules" },
    manager: "yarn", managerVersion: "4.18.1", version: () => "4.18.1", files: { "server.js": program, ".yarnrc.yml": "nodeLinker: pnp\n", "yarn.lock": "" },
    serve: ["node", "--require", "./.pnp.cjs", "--loader", "./.pnp.loader.mjs", "server.js"],
  },
  {
    name: "bun-test", title: "Bun", how: { en: "`bun install`, `bun test`", fr: "`bun install`, `bun test`" },
    manager: "bun", version: () => "1.4.5",
    files: { "auth.test.ts": `import { expect, test } from "bun:test";
${IMPORT}
test("two requests, one token", async () => {
  const auth = DigitalpayeAuth.fromEnv();
  for (let request = 0; request < 2; request += 1) expect((await auth.fetch("v1/balance")).status).toBe(200);
});
` },
    test: ["bun", "test"], prints: /1 pass\b/,
  },
  {
    name: "bun-compile", title: "Bun", how: { en: "`bun build --compile`", fr: "`bun build --compile`" },
    folder: "bun-test", manager: "bun", version: () => "1.4.5",
    files: { "server.ts": `${IMPORT}${CLIENT}
Bun.serve({ port: process.env.PORT, hostname: "127.0.0.1", fetch: async () => Response.json(await balance()) });
` },
    build: [["bun", "build", "--compile", "server.ts", "--outfile", "server"]], serve: ["./server"],
  },
  {
    name: "node-sea", title: "Node SEA", how: { en: "Node 20: esbuild, `--experimental-sea-config`, postject", fr: "Node 20 : esbuild, `--experimental-sea-config`, postject" },
    node: 20, type: "commonjs", package: "postject", dependencies: { esbuild: "0.28.2", postject: "1.0.0-alpha.6" },
    files: {
      "server.js": `const { createServer } = require("node:http");\n${REQUIRE}${CLIENT}${NODE_SERVER}`,
      "sea-config.json": JSON.stringify({ main: "bundle.js", output: "sea.blob", disableExperimentalSEAWarning: true }),
    },
    build: [
      ["esbuild", "server.js", "--bundle", "--platform=node", "--outfile=bundle.js"],
      ["node", "--experimental-sea-config", "sea-config.json"],
      ["node", "-e", 'require("node:fs").copyFileSync(process.execPath, "server")'],
      ["postject", "server", "NODE_SEA_BLOB", "sea.blob", "--sentinel-fuse", "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2"],
    ],
    serve: ["./server"],
  },
  {
    name: "lambda", title: "AWS Lambda", how: { en: "one CommonJS file by esbuild", fr: "un fichier CommonJS par esbuild" },
    node: 20, package: "esbuild", dependencies: { esbuild: "0.28.2" },
    files: {
      "handler.ts": `${IMPORT}${CLIENT}
export const handler = async () => ({ statusCode: 200, body: JSON.stringify(await balance()) });
`,
      // What the runtime does with a handler: it requires the file by itself, and calls it for one event after the other.
      "runtime/invoke.cjs": `const { createServer } = require("node:http");
const { handler } = require("./handler.js");
createServer(async (request, response) => {
  const { statusCode, body } = await handler({ rawPath: request.url }, { callbackWaitsForEmptyEventLoop: true });
  response.writeHead(statusCode).end(body);
}).listen(Number(process.env.PORT), "127.0.0.1");
`,
      "runtime/package.json": '{ "type": "commonjs" }\n',
    },
    build: [["esbuild", "handler.ts", "--bundle", "--minify", "--platform=node", "--target=node20", "--format=cjs", "--outfile=runtime/handler.js"]],
    serve: ["node", "runtime/invoke.cjs"],
  },
];
