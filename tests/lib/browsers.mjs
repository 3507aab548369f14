// The browsers of this machine, and how Chromium is started so that nothing but the test's page is asked for.
import { which } from "../../scripts/lib/process.mjs";

const NAMES = {
  Chromium: ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
  Firefox: ["firefox-esr", "firefox"],
};

/** The program of a browser; `CHROMIUM` and `FIREFOX` name another one. */
export const findBrowser = (kind) => process.env[kind.toUpperCase()] || NAMES[kind].map(which).find(Boolean);

export const chromiumFlags = [
  "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-default-apps",
  // Chromium's sandbox cannot be had as root.
  ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
];
