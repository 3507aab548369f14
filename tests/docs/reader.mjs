// Somebody who follows the documentation: a new project, in which blocks are saved and run as they are.
//
// What makes them work here is outside of them: the environment holds the stand-in's credentials, preload.mjs turns
// requests for the API to the stand-in, and commands that would leave this machine or build the world are replaced on
// the PATH by ones that check how they are called.
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join, sep } from "node:path";
import { pathToFileURL, fileURLToPath } from "node:url";
import { pack } from "../../scripts/lib/package.mjs";
import { pkg } from "../../scripts/lib/paths.mjs";
import { environment, run, start, stop, which } from "../../scripts/lib/process.mjs";
import { temporaryFolder } from "../../scripts/lib/temporary.mjs";
import { installed } from "../lib/install.mjs";
import { installOnce } from "../lib/projects.mjs";
import { startRegistry } from "./registry.mjs";

const require = createRequire(import.meta.url);
const preload = pathToFileURL(fileURLToPath(new URL("preload.mjs", import.meta.url))).href;
const TIMEOUT_MS = 60_000;

// What the recipes use besides the package: from this repository's own dependencies, and from two projects of their own.
const libraries = { here: ["@types/node", "axios", "express", "hono", "redis"], docs: ["@opentelemetry/api", "digitalpaye-node", "pino"], runners: ["vitest"] };
const projects = { docs: fileURLToPath(new URL("libraries", import.meta.url)), runners: fileURLToPath(new URL("../emulator/runners", import.meta.url)) };

export class Reader {
  /** The blocks that were run or started. */
  executed = new Set();
  #commands;

  constructor(sandbox) {
    this.sandbox = sandbox;
    this.folder = temporaryFolder("digitalpaye-auth-docs");
    this.#commands = join(this.folder, "commands");
    mkdirSync(this.#commands);
    writeFileSync(join(this.folder, "package.json"), JSON.stringify({ name: "reader", private: true, type: "module" }));
  }

  /** The environment of everything that is run here. */
  environment(changes = {}) {
    const { PATH, ...rest } = environment();
    return {
      ...rest,
      PATH: [this.#commands, PATH].join(delimiter),
      NODE_OPTIONS: `--import=${preload}`,
      DOCS_STAND_IN: this.sandbox.url,
      DIGITALPAYE_API_KEY: this.sandbox.apiKey,
      DIGITALPAYE_API_SECRET: this.sandbox.apiSecret,
      DIGITALPAYE_ENVIRONMENT: "",
      DIGITALPAYE_BASE_URL: "",
      ...changes,
    };
  }

  /** Runs the block that installs the package, against a registry that has the packed tarball. */
  async install(block) {
    const manifest = JSON.parse(readFileSync(join(pkg, "package.json"), "utf8"));
    const registry = await startRegistry(await pack(this.folder), manifest);
    try {
      return await this.run(block, { env: {
        NODE_OPTIONS: "",
        npm_config_registry: registry.url,
        npm_config_cache: join(this.folder, "npm-cache"),
        npm_config_audit: "false",
        npm_config_fund: "false",
        npm_config_update_notifier: "false",
      } });
    } finally {
      await registry.stop();
    }
  }

  /** Puts the libraries beside it that recipes use. */
  async link() {
    for (const name of libraries.here) this.#link(name, packageFolder(name));
    for (const [project, folder] of Object.entries(projects)) {
      await installOnce(folder);
      for (const name of libraries[project]) this.#link(name, join(folder, "node_modules", name));
    }
  }

  #link(name, folder) {
    const path = join(this.folder, "node_modules", name);
    mkdirSync(dirname(path), { recursive: true });
    if (!existsSync(path)) symlinkSync(folder, path, "dir");
  }

  /** Has the package as another test installed it, for a page that does not say how to. */
  async use() {
    this.#link("digitalpaye-auth", join(await installed(), "node_modules", "digitalpaye-auth"));
    await this.link();
  }

  /** Saves a block under its name; resolves to the file. */
  save({ name, code }) {
    const file = join(this.folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, code);
    return file;
  }

  #words(block) {
    this.executed.add(`${block.language} ${block.name}`);
    if (block.language === "sh") return [which("sh"), "-c", block.code];
    if (block.language !== "js") throw new Error(`nothing runs ${block.language}`);
    const file = this.save(block);
    return [process.execPath, ...(file.endsWith(".test.mjs") ? ["--test"] : []), file];
  }

  /** Runs a block to its end; resolves to `{ code, stdout, output }`. */
  run(block, { env = {}, timeout = TIMEOUT_MS } = {}) {
    const [command, ...args] = this.#words(block);
    return run(command, args, { cwd: this.folder, env: this.environment(env), timeout });
  }

  /** Runs a file of the folder, which is no block by itself. */
  program(name, { env = {}, timeout = TIMEOUT_MS } = {}) {
    return run(process.execPath, [join(this.folder, name)], { cwd: this.folder, env: this.environment(env), timeout });
  }

  /** Runs a block that does not end by itself while `use(child)` does. */
  async during(block, use, { env = {} } = {}) {
    const [command, ...args] = this.#words(block);
    const child = start(command, args, { cwd: this.folder, env: this.environment(env), stdio: ["ignore", "pipe", "inherit"] });
    try {
      return await use(child);
    } finally {
      await stop(child);
    }
  }

  /** Puts a shell script in the place of a command. */
  replace(name, script) {
    const file = join(this.#commands, name);
    writeFileSync(file, `#!/bin/sh\n${script}`);
    chmodSync(file, 0o755);
  }
}

/** Where a package of this repository is, whatever its entries are. */
export function packageFolder(name) {
  const found = require.resolve.paths(name).map((folder) => join(folder, ...name.split("/"))).find((path) => existsSync(join(path, "package.json")));
  if (!found) throw new Error(`${name.replace("/", sep)} is not installed`);
  return found;
}
