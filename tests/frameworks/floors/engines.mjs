// How an old engine is asked. Each way is `async ({ engine, folder, url }) => text`: `engine` is the folder of its npm package,
// `folder` the one that has `program.mjs` and the package, `url` the stand-in for the API. The text has a line "works: …" or the
// error.
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { Failure, ask, run, which } from "../../../scripts/lib/process.mjs";
import { startWorker } from "../../lib/workerd.mjs";
import { browser } from "../../conformance/lib/browsers.mjs";
import { page } from "../../conformance/lib/cells.mjs";
import { project } from "../../conformance/lib/project.mjs";
import { unpacked } from "./debian.mjs";

const RUN_MS = 60_000;
const pages = { page: "page", worker: "asks-worker" };

/** What a program that ends by itself prints. */
export const program = (path, args, own = {}) => async ({ engine, folder, url }) => {
  const command = join(engine, path);
  chmodSync(command, 0o755);
  const env = { PATH: process.env.PATH, HOME: folder, NO_COLOR: "1", BASE_URL: url, DIGITALPAYE_BASE_URL: url, ...own };
  const { output } = await run(command, args, { cwd: folder, env, timeout: RUN_MS });
  return output;
};

/** The conformance suite in a page or a worker of a Chromium that an npm package has compressed. */
export const chromium = (how) => async ({ engine, url }) => {
  const path = join(engine, "chromium");
  if (!existsSync(path)) writeFileSync(path, brotliDecompressSync(readFileSync(join(engine, "bin", "chromium.br"))), { mode: 0o755 });
  return inBrowser("Chromium", how, url, {
    find: () => path,
    // The port keeps it open. Not in one process, for which it is made: 92 then hangs at every other start.
    args: (profile) => [
      "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--enable-logging=stderr", "--remote-debugging-port=0",
      `--user-data-dir=${profile}`,
    ],
  });
};

/** In the Firefox of Debian 11, which is the oldest that still has a registry. */
export const firefox = (how) => async ({ folder, url }) => {
  const root = await unpacked("bullseye", ["firefox-esr", "libffi7", "libdbus-glib-1-2"], join(folder, "debian-11"));
  return inBrowser("Firefox", how, url, {
    find: () => join(root, "usr", "lib", "firefox-esr", "firefox-esr"),
    env: { LD_LIBRARY_PATH: join(root, "usr", "lib", "x86_64-linux-gnu") },
  });
};

/** In the WPE WebKit of Debian 12. Its library starts processes of a fixed path: it has to be installed. */
export const webkit = (how) => async ({ url }) => {
  const path = which("cog");
  const found = path && ask(path, ["--version"]);
  if (!found?.includes("WPE WebKit 2.38.")) {
    throw new Failure(`WPE WebKit 2.38 is missing${found ? `: cog is ${found}` : ""}. Install it on Debian 12 with: apt-get install cog`);
  }
  return inBrowser("WebKit", how, url, {
    find: () => path, args: () => ["--platform=headless"], display: false,
    env: { WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1" },
  });
};

async function inBrowser(kind, how, url, own) {
  const one = browser(kind, own);
  try {
    return `${told(await page(one, pages[how]).run(url))}\n`;
  } catch (error) {
    return [error.message, error.output].filter(Boolean).join("\n").replace(/^Uncaught /, "");
  } finally {
    await one.stop();
  }
}

/** The suite in a release of workerd, under a compatibility date. */
export const workerd = (compatibilityDate) => async ({ engine, url }) => {
  const command = join(engine, "bin", "workerd");
  chmodSync(command, 0o755);
  let worker;
  try {
    worker = await startWorker({
      entry: join(await project(), "workerd-request.mjs"), compatibilityDate, bindings: { BASE_URL: url }, program: command,
    });
    const { status, text } = await worker.get("/", { timeout: RUN_MS });
    return status === 200 ? told(JSON.parse(text)) : `status ${status}: ${text}\n${worker.output()}`;
  } catch (error) {
    return error.message;
  } finally {
    await worker?.stop();
  }
};

function told({ cases }) {
  const failures = cases.filter(({ passed }) => !passed).map(({ name, error }) => `${name}: ${error}`);
  return [`works: ${cases.length - failures.length} of ${cases.length}`, ...failures].join("\n");
}
