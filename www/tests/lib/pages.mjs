// A page in a real browser, and what a test has to know of it.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
const artifacts = fileURLToPath(new URL("../../../tests/artifacts/www", import.meta.url));
const axeSource = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

/**
 * Opens a page. `complaints` collects everything that must not happen: exceptions, errors on the console, violations of the
 * policy. A browser's own note that a request failed is none, for the tests make requests fail.
 */
export async function open({ kind, browser }, url, { width = 1280, height = 900, dark } = {}) {
  const page = await browser.newPage();
  page.setDefaultTimeout(8_000);
  await page.setViewport({ width, height });
  if (dark !== undefined && kind === "Chromium") {
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }]);
  }
  const complaints = [];
  page.on("pageerror", (error) => {
    if (!isRequestNote(String(error))) complaints.push(String(error));
  });
  page.on("console", (message) => {
    if (!["error", "warn"].includes(message.type())) return;
    if (isRequestNote(message.text(), message.location()?.url)) return;
    complaints.push(`${message.type()}: ${message.text()}`);
  });
  await page.evaluateOnNewDocument(() => {
    globalThis.violations = [];
    document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => globalThis.violations.push(`${violatedDirective} ${blockedURI}`));
  });
  await page.goto(url);
  await page.waitForFunction(() => performance.getEntriesByName("interactive").length > 0);
  return {
    page,
    async complaints() {
      return [...complaints, ...await page.evaluate(() => globalThis.violations)];
    },
  };
}

// Chromium and Firefox each have their own way to say that a request to the API, or to its stand-in, was refused.
const isRequestNote = (text, url = "") => (/^Failed to load resource/.test(text) && /\/(v1\/auth|_sandbox\/config)$/.test(url))
  || /Cross-Origin Request Blocked: .*\/(v1\/auth|_sandbox\/config)\. \(Reason: CORS request did not succeed\)/.test(text);

/** What axe finds, in words. */
export async function audit(page) {
  if (!await page.evaluate(() => "axe" in globalThis)) await page.evaluate(axeSource);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations"],
  }));
  return violations.map(({ id, help, nodes }) => `${id}: ${help} (${nodes.map(({ target, failureSummary }) => `${target} ${failureSummary}`).join("; ")})`);
}

/** How far the page can be scrolled sideways, in pixels, and what sticks out. */
export const overflow = (page) => page.evaluate(() => {
  const { scrollWidth, clientWidth } = document.documentElement;
  return scrollWidth <= clientWidth ? [] : [`${scrollWidth - clientWidth} px`, ...[...document.querySelectorAll("body *")]
    .filter((element) => element.getBoundingClientRect().right > clientWidth + 1).slice(0, 5).map(({ tagName, className }) => `${tagName}.${className}`)];
});

/** A picture of the whole page, kept for people to look at. */
export async function picture(page, name) {
  mkdirSync(artifacts, { recursive: true });
  await page.screenshot({ path: join(artifacts, `${name}.png`), fullPage: true });
}
