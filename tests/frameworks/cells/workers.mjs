// Cloudflare Workers.
import { CLIENT, HTTP_TEST, IMPORT } from "../lib/code.mjs";

const DATE = "2026-01-01";
const WRANGLER = "4.164.0";
const worker = `${IMPORT}${CLIENT}
export default {
  fetch: async () => Response.json(await balance()),
};
`;
const config = (more) => JSON.stringify({ name: "shop", compatibility_date: DATE, ...more });
const listen = ["--ip", "127.0.0.1", "--port", "{port}", "--inspector-port", "0"];
const site = { main: ".open-next/worker.js", compatibility_flags: ["nodejs_compat", "global_fetch_strictly_public"], assets: { directory: ".open-next/assets", binding: "ASSETS" } };

const openNext = (name, how, nextConfig, more) => ({
  name, title: "OpenNext", how, folder: "opennext", package: "@opennextjs/cloudflare",
  dependencies: { "@opennextjs/cloudflare": "1.20.17", next: "16.4.6", react: "19.3.1", "react-dom": "19.3.1", wrangler: WRANGLER },
  manifest: { scripts: { build: "next build" } },
  files: {
    "next.config.mjs": `export default ${JSON.stringify(nextConfig)};\n`,
    "open-next.config.ts": 'import { defineCloudflareConfig } from "@opennextjs/cloudflare";\nexport default defineCloudflareConfig();\n',
    "wrangler.jsonc": config(site),
    "app/layout.js": "export default function Layout({ children }) {\n  return <html><body>{children}</body></html>;\n}\n",
    "app/page.js": "export default function Page() {\n  return <p>Shop</p>;\n}\n",
    "app/balance/route.js": `${IMPORT}
export const dynamic = "force-dynamic";
let auth;
export async function GET() {
  auth ??= DigitalpayeAuth.fromEnv();
  const response = await auth.fetch("v1/balance");
  return Response.json({ status: response.status, body: await response.json() });
}
`,
  },
  variables: ".dev.vars", path: "/balance",
  build: [["opennextjs-cloudflare", "build"]], serve: ["wrangler", "dev", ...listen], ...more,
});

export const workers = [
  {
    name: "wrangler", title: "wrangler", how: { en: "`wrangler dev`", fr: "`wrangler dev`" },
    dependencies: { wrangler: WRANGLER }, files: { "wrangler.jsonc": config({ main: "src/index.js" }), "src/index.js": worker },
    variables: ".dev.vars", serve: ["wrangler", "dev", ...listen],
  },
  {
    name: "vite-cloudflare", title: "@cloudflare/vite-plugin", how: { en: "`vite build`, `vite preview`", fr: "`vite build`, `vite preview`" },
    dependencies: { "@cloudflare/vite-plugin": "1.64.0", vite: "8.3.8", wrangler: WRANGLER },
    files: {
      "vite.config.js": 'import { cloudflare } from "@cloudflare/vite-plugin";\nimport { defineConfig } from "vite";\nexport default defineConfig({ plugins: [cloudflare()] });\n',
      "wrangler.jsonc": config({ main: "src/index.js" }), "src/index.js": worker,
    },
    variables: ".dev.vars", build: [["vite", "build"]], serve: ["vite", "preview", "--host", "127.0.0.1", "--port", "{port}", "--strictPort"],
  },
  {
    name: "vite-cloudflare-dev", title: "@cloudflare/vite-plugin", how: { en: "`vite dev`", fr: "`vite dev`" }, folder: "vite-cloudflare",
    dependencies: { "@cloudflare/vite-plugin": "1.64.0", vite: "8.3.8", wrangler: WRANGLER },
    files: {
      "vite.config.js": 'import { cloudflare } from "@cloudflare/vite-plugin";\nimport { defineConfig } from "vite";\nexport default defineConfig({ plugins: [cloudflare()] });\n',
      "wrangler.jsonc": config({ main: "src/index.js" }), "src/index.js": worker,
    },
    env: { NODE_ENV: "development" }, variables: ".dev.vars", serve: ["vite", "dev", "--host", "127.0.0.1", "--port", "{port}", "--strictPort"],
  },
  {
    name: "vitest-workers", title: "Vitest", how: { en: "Workers pool, `@cloudflare/vitest-pool-workers`", fr: "Workers pool, `@cloudflare/vitest-pool-workers`" },
    package: "@cloudflare/vitest-pool-workers", dependencies: { "@cloudflare/vitest-pool-workers": "0.23.0", vitest: "4.1.12" },
    files: {
      "vitest.config.js": `import { cloudflareTest } from "@cloudflare/vitest-pool-workers";
import { defineConfig } from "vitest/config";
export default defineConfig({ plugins: [cloudflareTest({ wrangler: { configPath: "./wrangler.jsonc" } })] });
`,
      "wrangler.jsonc": config({ main: "src/index.js", compatibility_flags: ["nodejs_compat"] }), "src/index.js": worker,
      "auth.test.js": `import { expect, test } from "vitest";\n${IMPORT}${HTTP_TEST}`,
    },
    env: { NODE_ENV: "test" }, variables: ".dev.vars", test: ["vitest", "run"], prints: /Tests +1 passed/,
  },
  openNext("opennext", { en: "`serverExternalPackages: [\"digitalpaye-auth\"]`", fr: "`serverExternalPackages: [\"digitalpaye-auth\"]`" }, { serverExternalPackages: ["digitalpaye-auth"] }, {}),
  openNext("opennext-plain", { en: "without it", fr: "sans cela" }, {}, {
    limit: {
      en: "Next bundles the entry for Node.js, and Cloudflare compiles no bytes while a request is served",
      fr: "Next y met l’entrée pour Node.js, et Cloudflare ne compile pas d’octets pendant une requête", error: /Wasm code generation disallowed/,
    },
  }),
];
