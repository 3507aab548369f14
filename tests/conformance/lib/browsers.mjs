// Real browsers without a driver: a browser is started with one page, which asks us what to open in a frame, and tells us
// what that page said.
import { createReadStream, existsSync, readdirSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { extname, join, sep } from "node:path";
import { Failure, ask, start, stop, which } from "../../../scripts/lib/process.mjs";
import { temporaryFolder } from "../../../scripts/lib/temporary.mjs";
import { chromiumFlags, findBrowser } from "../../lib/browsers.mjs";
import { startServer, textOf } from "../../lib/server.mjs";

const START_MS = 60_000;
const REPORT_MS = 45_000;

const kinds = {
  Chromium: {
    find: () => findBrowser("Chromium"),
    install: "chromium",
    args: (profile, url) => ["--headless=new", ...chromiumFlags, "--enable-logging=stderr", `--user-data-dir=${profile}`, url],
  },
  Firefox: {
    find: () => findBrowser("Firefox"),
    install: "firefox-esr",
    args: (profile, url) => ["--headless", "--no-remote", "--profile", profile, url],
    prepare(profile) {
      const quiet = {
        "app.normandy.enabled": false, "app.update.enabled": false, "browser.aboutwelcome.enabled": false,
        "browser.safebrowsing.blockedURIs.enabled": false, "browser.safebrowsing.malware.enabled": false,
        "browser.safebrowsing.phishing.enabled": false, "browser.shell.checkDefaultBrowser": false,
        "browser.startup.homepage_override.mstone": "ignore", "browser.topsites.contile.enabled": false,
        "datareporting.policy.dataSubmissionEnabled": false, "datareporting.healthreport.uploadEnabled": false,
        "extensions.update.enabled": false, "network.captive-portal-service.enabled": false,
        "network.connectivity-service.enabled": false, "network.prefetch-next": false,
        "services.settings.server": "data:,", "toolkit.telemetry.enabled": false, "toolkit.telemetry.unified": false,
      };
      const lines = Object.entries(quiet).map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`);
      writeFileSync(join(profile, "user.js"), lines.join(""));
    },
  },
  WebKit: {
    find: miniBrowser,
    install: "webkit2gtk-driver",
    // Ephemeral: it keeps no profile.
    args: (_, url) => ["--private", url],
    // Its sandbox needs namespaces of its own, which a container does not give.
    env: { WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1", WEBKIT_DISABLE_COMPOSITING_MODE: "1", LIBGL_ALWAYS_SOFTWARE: "1" },
    display: true,
  },
};

/**
 * `{ name, version(), run(url), mount(folder, headers), stop() }`; starts the browser on first use. `own` is a browser that
 * is not the machine's: what its kind has, or part of it, in other words.
 */
export function browser(kind, own = {}) {
  const { find, install, args, prepare, env, display } = { ...kinds[kind], ...own };
  let running;

  function command() {
    const found = find();
    if (!found) throw new Failure(`${kind} is missing. Install it with: apt-get install ${install}`);
    return found;
  }

  async function open() {
    const path = command();
    const profile = temporaryFolder(`conformance-${kind.toLowerCase()}`);
    prepare?.(profile);
    const screen = display ? await xvfb() : undefined;
    // Last: a site that nobody closes keeps the process alive.
    const site = await serve();
    let output = "";
    const environment = { ...process.env, HOME: profile, ...env, ...(screen && { DISPLAY: screen.name }) };
    const child = start(path, args(profile, site.url), { env: environment });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => (output = (output + text).slice(-20_000)));
    }
    const opened = { site, screen, child, output: () => output, forget: () => (output = "") };
    const ended = new Promise((_, reject) => child.once("exit", (code) => reject(new Error(`${kind} ended with ${code}`))));
    ended.catch(() => {});
    try {
      await within(START_MS, Promise.race([site.asked, ended]), `${kind} did not open its page`);
    } catch (error) {
      await close(opened);
      throw new Failure(error.message, { output });
    }
    return opened;
  }

  async function close({ child, site, screen }) {
    await stop(child);
    if (screen) await stop(screen.child);
    await site.close();
  }

  return {
    name: kind,
    version: async () => (kind === "WebKit" ? webkitVersion() : /\d[\d.]+\w*/.exec(ask(command(), ["--version"]) ?? "")?.[0]),
    /** What the page at `url` reports; an error when it fails. */
    async run(url) {
      running ??= open();
      const { site, output, forget } = await running;
      forget();
      const report = await within(REPORT_MS + 5_000, site.job(url), `${kind} told nothing of ${url}`);
      if (report.failed !== undefined) throw new Failure(`${report.failed}`, { output: consoleOf(output()) });
      return report;
    },
    /** Serves a folder to the browser, with these headers; resolves to its address. */
    async mount(folder, headers) {
      running ??= open();
      return (await running).site.mount(folder, headers);
    },
    async stop() {
      if (running) await running.then(close, () => {});
      running = undefined;
    },
  };
}

// What a page has written to Chromium's console, errors of modules that do not load included.
const consoleOf = (output) => output.split("\n").filter((line) => line.includes("CONSOLE")).join("\n");

const runner = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>conformance</title>
<script type="module">
  for (;;) {
    const job = await fetch("/job", { method: "POST" });
    if (job.status !== 200) break;
    const { number, url } = await job.json();
    const frame = document.createElement("iframe");
    let told;
    const report = new Promise((resolve) => {
      // Not by its source: of what a timer of the frame sends, WebKit says that it comes from here.
      told = ({ data }) => (data?.cases || data?.failed !== undefined) && resolve(data);
      addEventListener("message", told);
      setTimeout(resolve, ${REPORT_MS}, { failed: "no report after ${REPORT_MS} ms" });
    });
    frame.src = url;
    document.body.append(frame);
    await fetch("/report?" + number, { method: "POST", body: JSON.stringify(await report) });
    removeEventListener("message", told);
    frame.remove();
  }
</script>
</html>
`;

const types = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm" };

async function serve() {
  const mounts = [];
  const jobs = [];
  const reports = new Map();
  let asking;
  let sawPage;
  const asked = new Promise((resolve) => (sawPage = resolve));

  function hand() {
    if (!asking || jobs.length === 0) return;
    asking.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(jobs.shift()));
    asking = undefined;
  }

  async function answer(request, response) {
    const { pathname, search } = new URL(request.url, "http://localhost");
    if (pathname === "/") return void response.writeHead(200, { "Content-Type": types[".html"] }).end(runner);
    if (pathname === "/job") {
      asking = response;
      sawPage();
      return hand();
    }
    if (pathname === "/report") {
      const text = await textOf(request);
      response.writeHead(204).end();
      return reports.get(search.slice(1))?.(JSON.parse(text));
    }
    const { folder, headers } = mounts[Number(pathname.split("/")[1])] ?? {};
    const file = folder && join(folder, ...pathname.split("/").slice(2));
    if (!file?.startsWith(folder + sep) || !existsSync(file) || !statSync(file).isFile()) return void response.writeHead(404).end();
    response.writeHead(200, { "Content-Type": types[extname(file)] ?? "application/octet-stream", "Cache-Control": "no-store", ...headers });
    createReadStream(file).pipe(response);
    return undefined;
  }

  const { url: origin, stop } = await startServer(answer);
  const url = `${origin}/`;
  let number = 0;

  return {
    url,
    asked,
    mount: (folder, headers = {}) => `${url}${mounts.push({ folder: realpathSync(folder), headers }) - 1}/`,
    job: (page) => new Promise((resolve) => {
      number += 1;
      reports.set(String(number), resolve);
      jobs.push({ number, url: page });
      hand();
    }),
    close: stop,
  };
}

function miniBrowser() {
  for (const library of ["/usr/lib", "/usr/libexec", ...[`/usr/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu`]]) {
    for (const folder of existsSync(library) ? readdirSync(library).filter((name) => name.startsWith("webkit2gtk-")).sort().reverse() : []) {
      const path = join(library, folder, "MiniBrowser");
      if (existsSync(path)) return path;
    }
  }
  return undefined;
}

// MiniBrowser tells its version on a screen only; the library's file name does not hold it.
const webkitVersion = () => ask("dpkg-query", ["--show", "--showformat", "${Version}", "webkit2gtk-driver"])?.split("-")[0] ?? "unknown";

/** A screen that nobody sees. */
async function xvfb() {
  const command = which("Xvfb");
  if (!command) throw new Failure("Xvfb is missing. Install it with: apt-get install xvfb");
  const child = start(command, ["-displayfd", "3", "-screen", "0", "1024x768x24", "-nolisten", "tcp"], {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  const number = new Promise((resolve) => child.stdio[3].setEncoding("utf8").once("data", (text) => resolve(text.trim())));
  return { child, name: `:${await within(START_MS, number, "Xvfb did not start")}` };
}

async function within(ms, promise, what) {
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(`${what} within ${ms / 1_000} s`)), ms)));
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
