// Bundlers, each as one uses it who configures nothing: the folder, or the server, that it makes of a page.
import { createRequire } from "node:module";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Failure, must } from "../../../scripts/lib/process.mjs";
import { html, project } from "./project.mjs";

const require = createRequire(import.meta.url);

const bundlers = {
  async esbuild(folder, out) {
    const { build } = await import("esbuild");
    await build({
      entryPoints: [join(folder, "page.mjs")], bundle: true, minify: true, format: "esm", outfile: join(out, "page.js"), logLevel: "silent",
    });
  },

  async Rollup(folder, out) {
    const { rollup } = await import("rollup");
    const { default: nodeResolve } = await import("@rollup/plugin-node-resolve");
    const bundle = await rollup({ input: join(folder, "page.mjs"), plugins: [nodeResolve({ browser: true })], onLog: () => {} });
    await bundle.write({ file: join(out, "page.js"), format: "es" });
    await bundle.close();
  },

  async webpack(folder, out) {
    const { default: webpack } = await import("webpack");
    const compiler = webpack({
      mode: "production", context: folder, entry: "./page.mjs", output: { path: out, filename: "page.js" }, performance: false,
    });
    const stats = await new Promise((resolve, reject) => compiler.run((error, done) => (error ? reject(error) : resolve(done))));
    await new Promise((resolve) => compiler.close(resolve));
    if (stats.hasErrors()) throw new Failure("webpack failed", { output: stats.toString("errors-only") });
  },

  async Vite(folder, out) {
    const { build } = await import("vite");
    await build({ ...vite(folder), build: { outDir: out } });
  },

  async Parcel(folder, out) {
    await must(process.execPath, [fileURLToPath(import.meta.resolve("./parcel.mjs")), out], { cwd: folder, timeout: 120_000 });
  },
};

const vite = (folder) => ({ root: folder, base: "./", configFile: false, envFile: false, logLevel: "error", cacheDir: join(folder, "vite") });

// Where a page is itself what is bundled, and where we write one for the script.
const takesPage = ["Vite", "Parcel"];

/** A page that a bundler made, for `browser`. */
export function bundled(name, browser) {
  return {
    version: async () => `${versionOf(name)}, in ${browser.name} ${await browser.version()}`,
    async run(baseUrl) {
      const folder = await project();
      const out = join(folder, `dist-${name}`);
      mkdirSync(out);
      await bundlers[name](folder, out);
      if (!takesPage.includes(name)) writeFileSync(join(out, "index.html"), html("page.js"));
      return browser.run(`${await browser.mount(out)}index.html?api=${baseUrl}`);
    },
  };
}

/** A page from Vite's dev server. */
export function viteServer(browser) {
  return {
    version: async () => `${versionOf("Vite")}, in ${browser.name} ${await browser.version()}`,
    async run(baseUrl) {
      const { createServer } = await import("vite");
      const server = await createServer({ ...vite(await project()), server: { host: "127.0.0.1", port: 0, watch: null, hmr: false } });
      try {
        await server.listen();
        return await browser.run(`http://127.0.0.1:${server.httpServer.address().port}/?api=${baseUrl}`);
      } finally {
        await server.close();
      }
    },
  };
}

// Not every package lets its package.json be resolved.
function versionOf(name) {
  const package_ = name === "Parcel" ? "@parcel/core" : name.toLowerCase();
  const file = require.resolve.paths(package_).map((folder) => join(folder, package_, "package.json")).find(existsSync);
  return JSON.parse(readFileSync(file, "utf8")).version;
}
