// The built page in real browsers: a stand-in of its own for each, and the site that knows it.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startSandbox } from "../../../tests/lib/sandbox.mjs";
import { drive } from "../../../tests/lib/browsers.mjs";
import { audit, open, overflow, picture } from "./pages.mjs";
import { buildSite, serveSite } from "./site.mjs";

export const SECRET = "sandbox_secret_that_nobody_else_has";

const settings = { Chromium: "fr-FR,fr", Firefox: "en-GB,en" };

/** By name: a browser, a stand-in of its own, and the site that knows it. */
export const benches = {};

/** The folder of the built page. */
export let built;

const suites = { Chromium: [], Firefox: [] };

/** A test that `runInBrowsers` runs. */
export const inBrowser = (name, title, work) => suites[name].push([title, work]);

before(async () => {
  built = await buildSite();
  await Promise.all(Object.entries(settings).map(async ([name, language]) => {
    const sandbox = await startSandbox({ apiSecret: SECRET });
    const site = await serveSite(built, { sandbox: given(sandbox) });
    benches[name] = { sandbox, site };
    benches[name].browser = await drive(name, language);
    console.log(`${name}: ${benches[name].browser.version}`);
  }));
});
after(async () => {
  for (const { browser, site, sandbox } of Object.values(benches)) {
    await browser?.close();
    await site.close();
    await sandbox.stop();
  }
});

export const given = ({ apiKey, apiSecret, url }) => ({ apiKey, apiSecret, baseUrl: url, environment: "Sandbox" });

/** Opens the page, lets `work` use it, and insists that nothing was wrong on the way. */
export async function visit(name, options, work) {
  const { browser, sandbox, site } = benches[name];
  await sandbox.reset();
  const { page, complaints } = await open(browser, options.url ?? site.url, options);
  const look = async (state, { audited = true } = {}) => {
    await picture(page, [name, options.language ?? "", options.width ?? 1280, options.dark ? "dark" : "light", state].filter(Boolean).join("-"));
    if (audited) assert.deepEqual(await audit(page), [], `axe: ${state}`);
    assert.deepEqual(await overflow(page), [], `width: ${state}`);
  };
  try {
    if (options.language) await page.click(`#language-${options.language}`);
    if (options.dark && name === "Firefox") await page.click("#theme");
    await work(page, look, sandbox);
    assert.deepEqual(await complaints(), []);
  } finally {
    await page.close();
  }
}

export const text = (page, selector) => page.$eval(selector, (element) => element.innerText);

export const texts = (page, selector) => page.$$eval(selector, (elements) => elements.map((element) => element.innerText));

export const until = (page, condition, ...values) => page.waitForFunction(condition, { polling: 50 }, ...values);

export const submit = (page) => page.click("button[type=submit]");

export const ask = async (page, index) => (await page.$$("#panel-lifecycle button.primary"))[index].click();

export const logged = (page, words) => until(page, (words) => document.querySelector(".log").innerText.includes(words), words);

/** Sets how the stand-in answers, and waits until it knows. */
export async function answers(sandbox, page, tab, behaviour) {
  // Told once more what it does already, the page would say so to the stand-in at a moment that nobody could wait for.
  const before = await page.$eval(`#${tab}-behaviour`, ({ value }) => value);
  if (before === behaviour) return;
  // Of two that are not normal, the stand-in does not say which it knows.
  if (before !== "normal" && behaviour !== "normal") await answers(sandbox, page, tab, "normal");
  await page.select(`#${tab}-behaviour`, behaviour);
  for (let tries = 0; tries < 60; tries++) {
    const { left } = await (await fetch(`${sandbox.url}/_sandbox/script`)).json();
    if ((left > 0) === (behaviour !== "normal")) return;
    await sleep(25);
  }
  assert.fail(`the stand-in was not told to answer: ${behaviour}`);
}

export async function type(page, field, value) {
  await page.$eval(`#option-${field}`, (input, value) => {
    input.closest("details")?.setAttribute("open", "");
    input.value = value;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }, value);
}

/** Runs the tests that `inBrowser` was told of: a browser beside the other. */
export function runInBrowsers() {
  // Side by side: most of the time a page waits for the API.
  describe("the page", { concurrency: true }, () => {
    for (const [browser, tests] of Object.entries(suites)) {
      describe(browser, { concurrency: 1 }, () => {
        for (const [title, work] of tests) it(title, work);
      });
    }
  });
}
