// The built page in real browsers: every state of it, in both languages, at two widths, in both themes.
import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { contentSecurityPolicy } from "../csp.js";
import { SECRET, answers, benches, built, given, inBrowser, runInBrowsers, submit, text, texts, type, until, visit } from "./lib/bench.mjs";
import { drive } from "../../tests/lib/browsers.mjs";
import { open } from "./lib/pages.mjs";
import { serveSite } from "./lib/site.mjs";

for (const [name, language, width, dark] of [
  ["Chromium", "fr", 1280, false], ["Chromium", "en", 360, true], ["Firefox", "en", 1280, false], ["Firefox", "fr", 360, true],
]) {
  inBrowser(name, `${language}, ${width} px, ${dark ? "dark" : "light"}: from the form to a token, its life and the code`, async () => {
    await visit(name, { language, width, dark }, async (page, look, sandbox) => {
      const french = language === "fr";
      assert.equal(await page.$eval("html", (html) => html.lang), language);
      assert.equal(await page.$eval("#option-baseUrl", (input) => input.value), sandbox.url);
      await look("start");

      await answers(sandbox, page, "exchange", "slow");
      await submit(page);
      await until(page, () => document.querySelector(".attempt[data-outcome=open]"));
      assert.match(await text(page, ".message.sent"), /POST \/v1\/auth[^]*Authorization: Basic •+[^]*X-Environment: Sandbox/);
      assert.match(await text(page, ".message.received"), french ? /Pas encore de réponse/ : /No answer yet/);
      await look("running");
      await page.waitForSelector(".grant");
      assert.match(await text(page, ".reply"), /200 OK/);
      assert.match(await text(page, ".duration"), french ? /^\d,\d\ss$/ : /^\d\.\d\ss$/);

      const [request] = await sandbox.requests().then((all) => all.filter(({ method }) => method === "POST"));
      assert.equal(request.status, 200);
      const shown = (await text(page, ".jwt")).replaceAll("\n", "");
      const parts = await texts(page, ".jwt span");
      assert.equal(parts.join("."), shown);
      const claims = JSON.parse(Buffer.from(parts[1], "base64url"));
      const table = await text(page, ".part-claims table");
      for (const value of Object.values(claims)) assert.ok(table.includes(String(value)), `${value} is in the table`);
      assert.match(await text(page, ".ring-left"), /^(10:00|9:5\d)$/);
      const html = await page.evaluate(() => document.documentElement.outerHTML);
      assert.ok(!html.includes(SECRET) && !html.includes(Buffer.from(`${sandbox.apiKey}:${SECRET}`).toString("base64")));
      await look("token");

      await page.click("#tab-code");
      assert.equal((await page.$$("pre[data-file]")).length, 4);
      await look("code");
    });
  });
}

inBrowser("Chromium", "the token's ring goes from fresh to soft to expired", async () => {
  await visit("Chromium", {}, async (page, look, sandbox) => {
    await sandbox.config({ lifetime: 3 });
    await page.evaluate(() => {
      globalThis.stages = [];
      new MutationObserver(() => {
        const stage = document.querySelector(".grant .ring")?.dataset.stage;
        if (stage && globalThis.stages.at(-1) !== stage) globalThis.stages.push(stage);
      }).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-stage"] });
    });
    await submit(page);
    await until(page, () => globalThis.stages.includes("soft"));
    await look("token-soft");
    await until(page, () => globalThis.stages.includes("past"));
    assert.deepEqual((await page.evaluate(() => globalThis.stages)).filter((stage) => stage !== "hard"), ["fresh", "soft", "past"]);
    await look("token-expired");
  });
});

const failures = [
  { is: "400", code: "bad_request", class: "BadRequestError", status: 400, script: [{ status: 400 }], reason: /Les identifiants API/ },
  { is: "401", code: "unauthorized", class: "UnauthorizedError", status: 401, behaviour: "status401", reason: /Identifiants API incorrects/ },
  { is: "429", code: "rate_limited", class: "RateLimitError", status: 429, behaviour: "status429", retries: 0 },
  { is: "503", code: "internal_server_error", class: "InternalServerError", status: 503, behaviour: "status503", retries: 1, attempts: 2 },
  { is: "a proxy's HTML", code: "internal_server_error", class: "InternalServerError", status: 502, behaviour: "html", retries: 0 },
  { is: "a redirect", code: "unexpected_status", class: "UnexpectedStatusError", behaviour: "redirect" },
  { is: "half of the JSON", code: "invalid_response", class: "InvalidResponseError", status: 200, behaviour: "broken" },
  { is: "a reset", code: "network", class: "NetworkError", behaviour: "reset", retries: 0 },
  { is: "silence", code: "timeout", class: "TimeoutError", behaviour: "silent", timeout: 300 },
  { is: "a key with a colon", code: "invalid_options", class: "InvalidOptionsError", apiKey: "a:b", attempts: 0 },
];

for (const [name, width, dark] of [["Chromium", 1280, false], ["Firefox", 360, true]]) {
  inBrowser(name, `every kind of failure is named and explained`, async () => {
    await visit(name, { width, dark }, async (page, look, sandbox) => {
      for (const failure of failures) {
        await answers(sandbox, page, "exchange", failure.behaviour ?? "normal");
        if (failure.script) await sandbox.script(failure.script);
        await type(page, "maxRetries", String(failure.retries ?? 2));
        await type(page, "timeout", String(failure.timeout ?? 5_000));
        await type(page, "apiKey", failure.apiKey ?? sandbox.apiKey);
        await submit(page);
        await until(page, (code) => [...document.querySelectorAll(".facts dd")].some(({ innerText }) => innerText === code), failure.code)
          .catch(async (error) => {
            throw new Error(`${failure.is}: ${await text(page, ".results")}\n${JSON.stringify(await sandbox.requests())}`, { cause: error });
          });
        const facts = await texts(page, ".facts dd");
        assert.ok(facts.includes(failure.class), `${failure.is}: ${facts}`);
        if (failure.status) assert.ok(facts.includes(String(failure.status)), `${failure.is}: ${facts}`);
        if (failure.reason) assert.match(facts.join("\n"), failure.reason);
        assert.ok(facts.includes(String(failure.attempts ?? 1)), `${failure.is}: ${facts}`);
        assert.ok((await text(page, ".advice p")).length > 40);
        if (failure.apiKey) {
          assert.equal(await page.evaluate(() => document.activeElement.id), "option-apiKey");
          assert.equal(await page.$eval("#option-apiKey", (input) => input.getAttribute("aria-invalid")), "true");
        }
        // They differ in their words; what has another structure is audited.
        const audited = ["unauthorized", "network", "invalid_options"].includes(failure.code);
        if (name === "Chromium" || failure.code === "unauthorized") await look(`failure-${failure.code}${failure.status ?? ""}`, { audited });
      }
    });
  });
}

inBrowser("Chromium", "attempts after a failure are drawn, an exchange can be cancelled, a token that is no JWT is shown", async () => {
  await visit("Chromium", { language: "en" }, async (page, look, sandbox) => {
    await answers(sandbox, page, "exchange", "twice503");
    await submit(page);
    await page.waitForSelector(".grant");
    assert.deepEqual(await page.$$eval(".attempt", (all) => all.map(({ dataset }) => dataset.outcome)), ["bad", "bad", "good"]);
    await look("retried");

    await answers(sandbox, page, "exchange", "silent");
    await submit(page);
    await until(page, () => document.querySelector(".attempt[data-outcome=open]"));
    await page.click("form .buttons .quiet");
    await until(page, () => document.querySelector(".outcome").innerText.startsWith("Cancelled"));
    await sandbox.until((requests) => requests.at(-1).outcome === "client-closed");
    await look("cancelled");

    await answers(sandbox, page, "exchange", "normal");
    await sandbox.config({ opaque: true });
    await submit(page);
    await until(page, () => document.querySelector(".grant")?.innerText.includes("no JWT"));
    await look("opaque");
  });
});

for (const name of ["Chromium", "Firefox"]) {
  inBrowser(name, `everything by keyboard`, async () => {
    await visit(name, { language: "fr" }, async (page) => {
      const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.className || document.activeElement.tagName);
      await page.reload();
      await until(page, () => performance.getEntriesByName("interactive").length > 0);
      const stops = [];
      for (let presses = 0; presses < 12; presses++) {
        await page.keyboard.press("Tab");
        stops.push(await focused());
      }
      assert.deepEqual(stops.slice(0, 7), ["skip", "language-fr", "language-en", "theme", "tab-exchange", "option-apiKey", "option-apiSecret"]);

      await page.focus("#option-apiKey");
      await page.keyboard.press("Enter");
      await page.waitForSelector(".grant");

      await page.focus("#tab-exchange");
      await page.keyboard.press("ArrowRight");
      assert.equal(await focused(), "tab-lifecycle");
      assert.equal(await page.$eval("#panel-exchange", ({ hidden }) => hidden), true);
      await page.keyboard.press("End");
      assert.equal(await focused(), "tab-code");
      await page.keyboard.press("ArrowRight");
      assert.equal(await focused(), "tab-exchange");
      await page.keyboard.press("ArrowLeft");
      await page.keyboard.press("ArrowLeft");
      await page.focus("#traffic");
      await page.keyboard.press(" ");
      await until(page, () => Number(document.querySelector(".total-callers dd").innerText) > 0);
      await page.keyboard.press(" ");

      // What was under way stays when the language changes, and so does the focus.
      await page.focus("#language-en");
      await page.keyboard.press("Enter");
      assert.equal(await focused(), "language-en");
      assert.equal(await page.$eval("html", (html) => html.lang), "en");
      assert.equal(await page.$eval("#tab-lifecycle", (tab) => tab.getAttribute("aria-selected")), "true");
      assert.ok(await page.$(".grant"));
      // Chosen once, it stays chosen.
      await page.reload();
      await until(page, () => document.documentElement.lang === "en");
    });
  });
}

inBrowser("Chromium", "the browser chooses the language and the theme, the reader changes them", async () => {
  // The first has chosen nothing yet in a profile of its own.
  const german = await drive("Chromium", "de-DE,fr-CI,en");
  try {
    for (const dark of [false, true]) {
      const { page, complaints } = await open(german, benches.Chromium.site.url, { dark });
      assert.equal(await page.$eval("html", (html) => html.lang), "fr");
      const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
      const first = await ground();
      assert.equal(await page.$eval("#theme", (button) => button.getAttribute("aria-pressed")), String(dark));
      await page.click("#theme");
      assert.notEqual(await ground(), first);
      const chosen = await ground();
      await page.reload();
      await until(page, () => performance.getEntriesByName("interactive").length > 0);
      assert.equal(await ground(), chosen);
      await page.evaluate(() => localStorage.clear());
      assert.deepEqual(await complaints(), []);
      await page.close();
    }
  } finally {
    await german.close();
  }
});

inBrowser("Chromium", "the secret is shown and hidden, and what is copied is what is shown", async () => {
  await visit("Chromium", { language: "en" }, async (page) => {
    const type = () => page.$eval("#option-apiSecret", (input) => input.type);
    assert.equal(await type(), "password");
    await page.click(".with-button button");
    assert.equal(await type(), "text");
    assert.equal(await page.$eval(".with-button button", (button) => button.getAttribute("aria-label")), "Hide the secret");
    await page.click(".with-button button");
    assert.equal(await type(), "password");

    // In place of the clipboard, which a browser without a screen does not give.
    await page.evaluate(() => {
      globalThis.copied = [];
      Object.defineProperty(navigator, "clipboard", { value: { writeText: async (text) => { globalThis.copied.push(text); } } });
    });
    await submit(page);
    await page.waitForSelector(".grant");
    const shown = await text(page, ".jwt");
    for (const button of await page.$$(".grant .copy button")) await button.click();
    await page.click("#tab-code");
    for (const button of await page.$$(".file .copy button")) await button.click();
    assert.equal(await page.$eval(".file .copy button span", ({ textContent }) => textContent), "Copied");
    const copied = await page.evaluate(() => globalThis.copied);
    assert.deepEqual(copied.slice(0, 2), [shown, `Authorization: Bearer ${shown}`]);
    assert.ok("companyId" in JSON.parse(copied[2]));
    assert.deepEqual(copied.slice(3), await page.$$eval("pre[data-file]", (all) => all.map(({ textContent }) => textContent)));
  });
});

for (const name of ["Chromium", "Firefox"]) {
  inBrowser(name, `as static files in a folder, without a stand-in, the page says how to start one`, async () => {
    const bare = await serveSite(built, { prefix: "/a/folder/" });
    try {
      await visit(name, { url: bare.url, width: 360, language: "fr" }, async (page, look, sandbox) => {
        assert.match(await text(page, ".start"), /npm start/);
        assert.equal(await page.$eval("#option-apiKey", ({ value }) => value), "");
        await look("no-stand-in");
        await page.click(".start p button");
        assert.equal(await page.$eval("#option-apiSecret", ({ value }) => value), "sandbox_secret");
        assert.deepEqual(bare.sent.filter(({ status }) => status !== 200), []);
      });
    } finally {
      await bare.close();
    }
  });

  inBrowser(name, `the policy holds as a header too, and a violation of it is seen`, async () => {
    const strict = await serveSite(built, {
      sandbox: given(benches[name].sandbox), headers: { "Content-Security-Policy": `${contentSecurityPolicy}; frame-ancestors 'none'` },
    });
    try {
      await visit(name, { url: strict.url }, async (page) => {
        await submit(page);
        await page.waitForSelector(".grant");
      });
      const { page, complaints } = await open(benches[name].browser, strict.url);
      await page.evaluate(() => document.body.setAttribute("style", "color: red"));
      await sleep(100);
      assert.match((await complaints()).join("\n"), /style-src/);
      await page.close();
    } finally {
      await strict.close();
    }
  });
}

runInBrowsers();

test("figures of the built page", async () => {
  const { sandbox } = benches.Chromium;
  await sandbox.reset();
  const fresh = await serveSite(built, { sandbox: given(sandbox) });
  const middle = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
  try {
    for (const name of ["Chromium", "Firefox"]) {
      const runs = [];
      for (let run = 0; run < 3; run++) {
        fresh.sent.length = 0;
        const { page } = await open(benches[name].browser, fresh.url);
        await until(page, () => performance.getEntriesByName("first-contentful-paint").length > 0);
        const times = await page.evaluate(() => ({
          paint: performance.getEntriesByName("first-contentful-paint")[0].startTime,
          interactive: performance.getEntriesByName("interactive")[0].startTime,
        }));
        const begun = performance.now();
        await submit(page);
        await page.waitForSelector(".grant");
        runs.push({ ...times, token: performance.now() - begun, bytes: fresh.sent.reduce((sum, { bytes }) => sum + bytes, 0), files: fresh.sent.length });
        await page.close();
      }
      const { bytes, files } = runs[0];
      const [paint, interactive, token] = ["paint", "interactive", "token"].map((key) => middle(runs.map((run) => run[key])).toFixed(0));
      console.log(`${name}: ${(bytes / 1_000).toFixed(1)} KB in ${files} files (brotli), first paint ${paint} ms, interactive ${interactive} ms, a token ${token} ms after the click (medians of 3)`);
      assert.ok(bytes < 200_000, `${bytes} bytes`);
      assert.ok(interactive < 3_000, `${interactive} ms`);
    }
  } finally {
    await fresh.close();
  }
});
