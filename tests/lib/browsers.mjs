// The browsers of this machine, all started in one way: with a profile of its own, so that nothing but the test's page is asked for.
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Failure, ask, start, stop } from "../../scripts/lib/process.mjs";
import { temporaryFolder } from "../../scripts/lib/temporary.mjs";
import { program } from "../../scripts/setup.mjs";

const START_MS = 60_000;

const kinds = {
  Chromium: {
    args: (profile) => [
      "--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--disable-default-apps", "--disable-extensions", "--disable-features=Translate",
      // A page that nobody sees is as quick as any.
      "--disable-background-timer-throttling", "--disable-backgrounding-occluded-windows", "--disable-renderer-backgrounding",
      "--hide-scrollbars", "--mute-audio", "--force-color-profile=srgb", "--enable-logging=stderr", `--user-data-dir=${profile}`,
      // Chromium's sandbox cannot be had as root.
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
    ],
    driven: (language) => ({ flags: [`--accept-lang=${language}`] }),
  },
  Firefox: {
    args: (profile) => ["--headless", "--no-remote", "--profile", profile],
    // It asks nobody for updates, lists or pages of its own.
    prefs: {
      "app.normandy.enabled": false, "app.update.enabled": false, "browser.aboutwelcome.enabled": false,
      "browser.safebrowsing.blockedURIs.enabled": false, "browser.safebrowsing.malware.enabled": false,
      "browser.safebrowsing.phishing.enabled": false, "browser.shell.checkDefaultBrowser": false,
      "browser.startup.homepage_override.mstone": "ignore", "browser.topsites.contile.enabled": false,
      "datareporting.policy.dataSubmissionEnabled": false, "datareporting.healthreport.uploadEnabled": false,
      "extensions.update.enabled": false, "network.captive-portal-service.enabled": false,
      "network.connectivity-service.enabled": false, "network.prefetch-next": false,
      "services.settings.server": "data:,", "toolkit.telemetry.enabled": false, "toolkit.telemetry.unified": false,
    },
    // Times that are measured are not rounded; and one process for all pages, or a click may miss what it is meant for.
    driven: (language) => ({ prefs: {
      "intl.accept_languages": language, "privacy.reduceTimerPrecision": false, "fission.webContentIsolationStrategy": 0,
    } }),
  },
  // It has WebDriver, for which puppeteer has no words: it is launched only.
  WebKit: {
    find: miniBrowser,
    // Ephemeral: it keeps no profile.
    args: () => ["--private"],
    // Its sandbox needs namespaces of its own, which a container does not give.
    env: { WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1", WEBKIT_DISABLE_COMPOSITING_MODE: "1", LIBGL_ALWAYS_SOFTWARE: "1" },
    display: true,
  },
};

function pathOf(kind, { find = kinds[kind]?.find } = {}) {
  const tool = kind.toLowerCase();
  const path = find ? find() : process.env[kind.toUpperCase()] || program(tool);
  if (!path) throw new Failure(`${kind} is missing. Install it with: node scripts/setup.mjs ${tool}`);
  return path;
}

/** The version of a browser; MiniBrowser tells its own on a screen only, and the library's file name does not hold it. */
export function versionOf(kind, own) {
  if (kind !== "WebKit") return /\d[\d.]+\w*/.exec(ask(pathOf(kind, own), ["--version"]) ?? "")?.[0];
  return ask("dpkg-query", ["--show", "--showformat", "${Version}", "webkit2gtk-driver"])?.split("-")[0] ?? "unknown";
}

/**
 * Opens a page in a browser, and waits for what `ready(saw)` resolves to, which is its `told`; `saw(pattern)` waits for the output to
 * match. `own` has what differs from the kind, as for a browser that is not the machine's; its `flags` and `prefs` are added.
 */
export async function launch(kind, url, ready, { flags = [], prefs, ...own } = {}) {
  const { args, prefs: usual, env, display } = { ...kinds[kind], ...own };
  const path = pathOf(kind, own);
  const profile = temporaryFolder(`browser-${kind.toLowerCase()}`);
  const lines = Object.entries({ ...usual, ...prefs }).map((entry) => `user_pref(${JSON.stringify(entry).slice(1, -1)});\n`);
  writeFileSync(join(profile, "user.js"), lines.join(""));
  const screen = display ? await xvfb() : undefined;
  const child = start(path, [...args(profile), ...flags, url], {
    env: { ...process.env, HOME: profile, ...env, ...(screen && { DISPLAY: screen.name }) },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => (output = (output + text).slice(-20_000)));
  }
  const saw = (pattern) => new Promise((resolve) => {
    for (const stream of [child.stdout, child.stderr]) stream.on("data", () => pattern.test(output) && resolve(pattern.exec(output)));
  });
  const ended = new Promise((_, reject) => {
    child.once("error", reject).once("exit", (code) => reject(new Error(`${kind} ended with ${code}`)));
  });
  ended.catch(() => {});
  const close = async () => {
    await stop(child);
    if (screen) await stop(screen.child);
  };
  try {
    const told = await within(START_MS, Promise.race([ready(saw), ended]), `${kind} did not open its page`);
    return { told, close, output: () => output, forget: () => (output = "") };
  } catch (error) {
    await close();
    throw new Failure(error.message, { output });
  }
}

/** Launches a browser that its user has set to `language`, for puppeteer: `browser` is what that has of it. */
export async function drive(kind, language) {
  const { default: puppeteer } = await import("puppeteer-core");
  const { flags = [], prefs } = kinds[kind].driven(language);
  const { told: browser, close } = await launch(kind, "about:blank", async (saw) => {
    const [, address] = await saw(/listening on (ws:\S+)\s/);
    return puppeteer.connect(kind === "Firefox"
      ? { browserWSEndpoint: `${address}/session`, protocol: "webDriverBiDi" }
      : { browserWSEndpoint: address });
  }, { flags: ["--remote-debugging-port=0", ...flags], prefs });
  return {
    kind, browser, version: await browser.version(),
    async close() {
      await browser.disconnect();
      await close();
    },
  };
}

function miniBrowser() {
  for (const library of ["/usr/lib", "/usr/libexec", `/usr/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu`]) {
    for (const folder of existsSync(library) ? readdirSync(library).filter((name) => name.startsWith("webkit2gtk-")).sort().reverse() : []) {
      const path = join(library, folder, "MiniBrowser");
      if (existsSync(path)) return path;
    }
  }
  return undefined;
}

/** A screen that nobody sees. */
async function xvfb() {
  const child = start(pathOf("Xvfb"), ["-displayfd", "3", "-screen", "0", "1024x768x24", "-nolisten", "tcp"], {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  const number = new Promise((resolve) => child.stdio[3].setEncoding("utf8").once("data", (text) => resolve(text.trim())));
  return { child, name: `:${await within(START_MS, number, "Xvfb did not start")}` };
}

/** What the promise resolves to, in that time; `what` names what is late otherwise. */
export async function within(ms, promise, what) {
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(`${what} within ${ms / 1_000} s`)), ms)));
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
