// Cargo's runner for the tests that are compiled to wasm: wasm-bindgen's, in a folder where it finds the package's JavaScript.
//
// The module imports `../errors.js` and the like, as it lies in pkg/wasm/ later. wasm-bindgen's runner puts the module into a
// new folder below the temporary one, so in Node.js these imports lead to the temporary folder. In a browser they lead to the
// root of its server, which serves the working folder. Both are this folder here.
import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pkg, target } from "./paths.mjs";

const folder = join(target, "wasm-tests");
mkdirSync(folder, { recursive: true });
for (const name of readdirSync(pkg)) if (name.endsWith(".js")) copyFileSync(join(pkg, name), join(folder, name));
writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');

function startRunner(env, stdout) {
  return spawn("wasm-bindgen-test-runner", process.argv.slice(2), {
    cwd: folder, stdio: ["inherit", stdout, "inherit"], env: { ...process.env, TMPDIR: folder, TMP: folder, TEMP: folder, ...env },
  });
}

const ended = (child) => new Promise((resolve, reject) => child.once("error", reject).once("exit", (code) => resolve(code ?? 1)));

/**
 * The tests in Chromium, on the page that the runner serves. Its files are asked for one at a time: its server forgets one of several
 * connections that are opened at once, and the page stands still until somebody opens another (tiny_http 0.12, seen in two runs of three).
 */
async function runInChromium() {
  const { drive } = await import("../../tests/lib/browsers.mjs");
  const server = startRunner({ NO_HEADLESS: "1", WASM_BINDGEN_TEST_ADDRESS: "127.0.0.1:0" }, "pipe");
  let browser;
  try {
    const address = await addressIn(server);
    browser = await drive("Chromium", "en");
    const page = await browser.browser.newPage();
    const told = [];
    page.on("pageerror", (error) => told.push(String(error)));
    page.on("console", (message) => told.push(message.text()));
    await askOneAtATime(page);
    await page.goto(address);
    const done = /^test result: (?:(ok)|FAILED)\..*$/m;
    await page.waitForFunction((source) => new RegExp(source, "m").test(document.querySelector("#output").textContent), { timeout: 300_000 }, done.source)
      .catch((error) => told.push(error.message));
    const output = await page.evaluate(() => document.querySelector("#output").textContent);
    process.stdout.write(`${output}\n`);
    const passed = done.exec(output)?.[1] === "ok";
    if (!passed) process.stdout.write(`${told.join("\n")}\n`);
    return passed ? 0 : 1;
  } finally {
    await browser?.close();
    server.kill();
  }
}

async function addressIn(server) {
  const end = ended(server);
  const lines = createInterface({ input: server.stdout });
  const address = new Promise((resolve) => {
    lines.on("line", (line) => {
      const found = /available at (http:\S+)/.exec(line)?.[1];
      if (found) resolve(found);
    });
  });
  const none = end.then((code) => { throw new Error(`wasm-bindgen-test-runner ended with ${code} before it served anything.`); });
  return Promise.race([address, none]);
}

async function askOneAtATime(page) {
  await page.setRequestInterception(true);
  let last = Promise.resolve();
  page.on("request", (request) => {
    const answered = new Promise((resolve) => {
      for (const event of ["requestfinished", "requestfailed"]) page.on(event, (other) => other === request && resolve());
    });
    last = last.then(() => request.continue()).then(() => answered);
  });
}

process.exitCode = process.env.WASM_TESTS_IN === "chromium" ? await runInChromium() : await ended(startRunner({}, "inherit"));
