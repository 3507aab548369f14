// Nitro, and Nuxt, which is built by it: on Node.js and for the edges.
import { CLIENT, IMPORT } from "../lib/code.mjs";

const DATE = "2026-01-01";
const WASM = { experimental: { wasm: true } };
const cloudflare = { cloudflare: { deployConfig: true, nodeCompat: true } };
const wrangler = ["wrangler", "dev", "--cwd", ".output", "--ip", "127.0.0.1", "--port", "{port}", "--inspector-port", "0"];

const without = {
  en: "Cloudflare and Vercel compile no bytes while a request is served; with `experimental.wasm` it works on Cloudflare",
  fr: "Cloudflare et Vercel ne compilent pas d’octets pendant une requête ; avec `experimental.wasm`, cela marche sur Cloudflare",
  error: /experimental: \{ wasm: true \}/,
};

const route = `${IMPORT}${CLIENT}
export default defineEventHandler(() => balance());
`;

function nitro(preset, how, { name = preset.replaceAll("_", "-"), config = {}, files = {}, after = [], ...more }) {
  return {
    name: `nitro-${name}`, title: "Nitro", how, folder: "nitro", package: "nitropack",
    dependencies: { nitropack: "2.13.6", wrangler: "4.164.0", "edge-runtime": "4.0.1", esbuild: "0.28.2" },
    files: {
      "nitro.config.js": `export default defineNitroConfig(${JSON.stringify({ compatibilityDate: DATE, ...config })});\n`,
      "routes/index.js": route, ...files,
    },
    build: [["nitropack", "build", "--preset", preset], ...after],
    ...more,
  };
}

const nuxt = (name, how, config, more) => ({
  name: `nuxt-${name}`, title: "Nuxt", how, folder: "nuxt", package: "nuxt",
  dependencies: { nuxt: "4.5.2", vue: "3.5.45", wrangler: "4.164.0" },
  files: {
    "nuxt.config.ts": `export default defineNuxtConfig(${JSON.stringify({ compatibilityDate: DATE, ...config })});\n`,
    "app/app.vue": "<template><p>Shop</p></template>\n", "server/api/balance.get.ts": route,
  },
  path: "/api/balance",
  ...more,
});

const both = (text) => ({ en: text, fr: text });
const node = ["node", ".output/server/index.mjs"];
const deno = (file) => ["deno", "run", "--no-prompt", "--allow-net=127.0.0.1", "--allow-env", "--allow-read", file];

/** Vercel's edge runtime with what Nitro built, behind a server of Node.js; the modules of Node.js that Vercel has are Node's own. */
const edgeServer = `import { build } from "esbuild";
import { EdgeRuntime, runServer } from "edge-runtime";

const modules = {};
const node = {
  name: "node",
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^node:/ }, ({ path }) => ({ path, namespace: "node" }));
    onLoad({ filter: /./, namespace: "node" }, async ({ path }) => {
      modules[path] = await import(path).then((module) => module.default);
      return { contents: \`module.exports = globalThis.modules["\${path}"];\` };
    });
  },
};
const { outputFiles: [{ text }] } = await build({
  stdin: {
    contents: 'import handler from "./.vercel/output/functions/__fallback.func/index.mjs";'
      + 'addEventListener("fetch", (event) => event.respondWith(handler(event.request, event)));',
    resolveDir: process.cwd(),
  },
  bundle: true, write: false, format: "iife", plugins: [node], logLevel: "error",
});
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith("DIGITALPAYE_")));
const runtime = new EdgeRuntime({
  initialCode: text, codeGeneration: { strings: false, wasm: false },
  extend: (context) => Object.assign(context, { modules, process: { env }, global: context }),
});
await runServer({ runtime, host: "127.0.0.1", port: Number(process.env.PORT) });
`;

export const nitros = [
  nitro("node_server", both("`node_server`"), { serve: node }),
  nitro("node_server", both("`node_server`, `experimental.wasm`"), { name: "node-server-wasm", config: WASM, serve: node }),
  nitro("cloudflare_module", both("`cloudflare_module`, `experimental.wasm`"), {
    name: "cloudflare-wasm", config: { ...cloudflare, ...WASM }, variables: ".output/.dev.vars", serve: wrangler,
  }),
  nitro("cloudflare_module", both("`cloudflare_module`"), {
    name: "cloudflare", config: cloudflare, variables: ".output/.dev.vars", serve: wrangler, limit: without,
  }),
  nitro("netlify_edge", both("`netlify_edge`"), {
    files: { "serve.mjs": `const { default: handler } = await import("./.netlify/edge-functions/server/server.js");
Deno.serve({ port: Number(Deno.env.get("PORT")), hostname: "127.0.0.1" }, (request) => handler(request, { next: () => new Response("", { status: 404 }) }));
` },
    serve: deno("serve.mjs"),
  }),
  nitro("deno_deploy", both("`deno_deploy`"), { serve: deno(".output/server/index.ts") }),
  nitro("vercel_edge", both("`vercel_edge`"), { files: { "serve.mjs": edgeServer }, serve: ["node", "serve.mjs"], limit: without }),
  nuxt("node", both("`node-server`"), {}, { build: [["nuxt", "build"]], serve: node }),
  nuxt("cloudflare-wasm", both("`cloudflare_module`, `experimental.wasm`"), { nitro: { ...cloudflare, ...WASM } }, {
    build: [["nuxt", "build", "--preset=cloudflare_module"]], variables: ".output/.dev.vars", serve: wrangler,
  }),
];
