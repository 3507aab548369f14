// Frameworks for whole sites, on Node.js.
import { CLIENT, IMPORT } from "../lib/code.mjs";

const vite = (plugin, call) => `${plugin}
import { defineConfig } from "vite";
export default defineConfig({ plugins: [${call}] });
`;

export const sites = [
  {
    name: "sveltekit", title: "SvelteKit", how: { en: "server route, `adapter-node`", fr: "route de serveur, `adapter-node`" },
    package: "@sveltejs/kit",
    dependencies: { "@sveltejs/kit": "3.2.0", "@sveltejs/adapter-node": "6.0.1", "@sveltejs/vite-plugin-svelte": "7.3.1", svelte: "5.57.3", vite: "8.3.8" },
    files: {
      "vite.config.js": vite('import adapter from "@sveltejs/adapter-node";\nimport { sveltekit } from "@sveltejs/kit/vite";', "sveltekit({ adapter: adapter() })"),
      "src/app.html": "<!doctype html>\n<html>\n<head>%sveltekit.head%</head>\n<body>%sveltekit.body%</body>\n</html>\n",
      "src/routes/+server.js": `import { json } from "@sveltejs/kit";
${IMPORT}${CLIENT}
export const GET = async () => json(await balance());
`,
    },
    build: [["vite", "build"]], serve: ["node", "build"],
  },
  {
    name: "astro", title: "Astro", how: { en: "server endpoint, `@astrojs/node`", fr: "point d’accès de serveur, `@astrojs/node`" },
    dependencies: { astro: "7.3.5", "@astrojs/node": "11.1.6" },
    files: {
      "astro.config.mjs": `import node from "@astrojs/node";
import { defineConfig } from "astro/config";
export default defineConfig({ output: "server", adapter: node({ mode: "standalone" }) });
`,
      "src/pages/index.astro": "---\n---\n<h1>Shop</h1>\n",
      "src/pages/balance.json.ts": `${IMPORT}${CLIENT}
export const GET = async () => Response.json(await balance());
`,
    },
    path: "/balance.json", build: [["astro", "build"]], serve: ["node", "dist/server/entry.mjs"],
  },
  {
    name: "react-router", title: "React Router", how: { en: "framework mode, a loader, `react-router-serve`", fr: "mode framework, un loader, `react-router-serve`" },
    dependencies: {
      "react-router": "8.4.0", "@react-router/dev": "8.4.0", "@react-router/node": "8.4.0", "@react-router/serve": "8.4.0",
      react: "19.3.1", "react-dom": "19.3.1", isbot: "5.2.3", vite: "8.3.8",
    },
    files: {
      "vite.config.js": vite('import { reactRouter } from "@react-router/dev/vite";', "reactRouter()"),
      "app/routes.js": 'import { index } from "@react-router/dev/routes";\nexport default [index("routes/home.jsx")];\n',
      "app/root.jsx": `import { Outlet, Scripts } from "react-router";
export default function App() {
  return <html><body><Outlet /><Scripts /></body></html>;
}
`,
      "app/routes/home.jsx": `${IMPORT}${CLIENT}
export const loader = () => balance();

export default function Home({ loaderData }) {
  return <p>{JSON.stringify(loaderData)}</p>;
}
`,
    },
    build: [["react-router", "build"]], serve: ["react-router-serve", "./build/server/index.js"],
  },
];
