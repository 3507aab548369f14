import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { contentSecurityPolicy } from "./csp.js";

const require = createRequire(import.meta.url);
const fonts = ["instrument-sans", "jetbrains-mono"];

export default {
  // Relative addresses: the built page works in any folder of any static server.
  base: "./",
  build: {
    target: ["chrome123", "firefox121", "safari17.5"],
    modulePreload: { polyfill: false },
    // The policy allows no data: addresses.
    assetsInlineLimit: 0,
  },
  plugins: [
    {
      // In the build only: the development server puts styles and scripts into the page itself.
      name: "content-security-policy",
      apply: "build",
      transformIndexHtml: () => [{
        tag: "meta",
        attrs: { "http-equiv": "Content-Security-Policy", content: contentSecurityPolicy },
        injectTo: "head-prepend",
      }],
    },
    {
      // Not a module, and so no business of the bundler's: modules run after the first paint.
      name: "first-paint",
      transformIndexHtml: () => [{ tag: "script", attrs: { src: "./first-paint.js" }, injectTo: "head" }],
    },
    {
      // The fonts' licence wants to go with them.
      name: "licences-of-fonts",
      apply: "build",
      generateBundle() {
        for (const font of fonts) {
          const folder = dirname(require.resolve(`@fontsource-variable/${font}/package.json`));
          this.emitFile({ type: "asset", fileName: `licences/${font}.txt`, source: readFileSync(join(folder, "LICENSE")) });
        }
      },
    },
  ],
};
