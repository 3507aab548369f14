// The life of a token on the built page, in real browsers: callers, renewals, failures, and clocks that are wrong.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { startServer } from "../../tests/lib/server.mjs";
import { answers, ask, benches, built, given, inBrowser, logged, runInBrowsers, text, until, visit } from "./lib/bench.mjs";
import { serveSite } from "./lib/site.mjs";

for (const [name, language, width, dark] of [["Chromium", "fr", 1280, false], ["Chromium", "en", 360, true], ["Firefox", "en", 1280, true]]) {
  inBrowser(name, `${language}, ${width} px: ten thousand callers, renewals, failures, and a clock that is an hour off`, async () => {
    await visit(name, { language, width, dark }, async (page, look, sandbox) => {
      await page.click("#tab-lifecycle");
      await until(page, () => !document.querySelector("#panel-lifecycle .pair").hidden);
      await look("lifecycle-start");
      await sandbox.config({ lifetime: 3, distinctTokens: true });
      await ask(page, 2);
      await until(page, () => /10.000.*: 1\D/.test(document.querySelector(".said").innerText));
      assert.equal(await sandbox.exchanges(), 1);

      // Steady callers see one renewal after another, and no failure.
      await page.click("#traffic");
      await until(page, () => Number(document.querySelector(".total-tokens dd").innerText) >= 2);
      const number = (kind) => page.$eval(`.total-${kind} dd`, (dd) => Number(dd.innerText.replace(/\D/g, "")));
      assert.equal(await number("failed"), 0);
      // What nobody sees, the package tells.
      await logged(page, { en: "A renewal behind the callers is done", fr: "Un renouvellement est fait à l’insu des appelants" }[language]);

      // The clock changes nothing.
      await sandbox.config({ lifetime: 600 });
      await page.evaluate(() => [...document.querySelectorAll("#panel-lifecycle .buttons:not(.joined) button:not(.primary)")].at(0).click());
      await until(page, () => document.querySelector(".now-held .ring-left").innerText > "9:00");
      const before = await sandbox.exchanges();
      const real = Date.now();
      for (const index of [0, 2]) {
        await page.evaluate((index) => document.querySelectorAll(".joined button")[index].click(), index);
        const off = await page.evaluate(() => Date.now()) - real;
        assert.ok(Math.abs(Math.abs(off) - 3_600_000) < 60_000, `${off} ms`);
        await ask(page, 0);
        await sleep(600);
      }
      // A clock that goes ahead looks as after a sleep: one exchange, at most, for each of the two.
      assert.ok(await sandbox.exchanges() <= before + 2);
      assert.equal(await number("failed"), 0);
      await look("lifecycle-clock");

      // While the API is out of order the held token is served; without one, callers see the error.
      await answers(sandbox, page, "lifecycle", "status503");
      await ask(page, 1);
      await until(page, () => /100.*: 0\D/.test(document.querySelector(".said").innerText));
      await page.evaluate(() => [...document.querySelectorAll("#panel-lifecycle .buttons:not(.joined) button:not(.primary)")].at(1).click());
      await ask(page, 1);
      await until(page, () => document.querySelector(".said").innerText.includes("internal_server_error"));
      await until(page, () => Number(document.querySelector(".total-failed dd").innerText) >= 100);
      await logged(page, { en: "Attempt 1 fails: internal_server_error (503).", fr: "L’essai 1 échoue\u00a0: internal_server_error (503)." }[language]);
      await look("lifecycle-failing");

      // What was set wrong is right again on the other tabs, and the steady callers are gone.
      await page.click("#tab-code");
      assert.ok(Math.abs(await page.evaluate(() => Date.now()) - Date.now()) < 60_000);
      await sleep(100);
      const calm = await number("callers");
      await sleep(700);
      assert.equal(await number("callers"), calm);
    });
  });
}

for (const [language, line, mark] of [
  ["en", "A renewal behind the callers fails: internal_server_error (503).", "renewal failed"],
  ["fr", "Un renouvellement échoue à l’insu des appelants\u00a0: internal_server_error (503).", "renouvellement échoué"],
]) {
  inBrowser("Chromium", `${language}: a renewal that fails behind the callers' backs is told, while they are served`, async () => {
    await visit("Chromium", { language }, async (page, look, sandbox) => {
      await page.click("#tab-lifecycle");
      await until(page, () => !document.querySelector("#panel-lifecycle .pair").hidden);
      await sandbox.config({ lifetime: 10, distinctTokens: true });
      await page.click("#traffic");
      await until(page, () => Number(document.querySelector(".total-tokens dd").innerText) === 1);
      await answers(sandbox, page, "lifecycle", "status503");
      // It begins 8 s after the token came, and its three attempts take up to another second.
      await page.waitForFunction((words) => document.querySelector(".log").innerText.includes(words), { polling: 50, timeout: 20_000 }, line);
      assert.equal(await text(page, ".total-failed dd"), "0");
      await until(page, (mark) => [...document.querySelectorAll(".outside text")].some(({ textContent }) => textContent === mark), mark);
      await look("lifecycle-renewal");
    });
  });
}

inBrowser("Chromium", "the lifecycle works with an API that has no control panel", async () => {
  const exp = () => Math.floor(Date.now() / 1_000) + 600;
  const server = await startServer((request, response) => {
    response.setHeader("Access-Control-Allow-Origin", "*");
    response.setHeader("Access-Control-Allow-Headers", "Authorization, X-Environment");
    if (request.method === "OPTIONS") return response.writeHead(204).end();
    if (request.url !== "/v1/auth") return response.writeHead(404).end();
    return response.end(JSON.stringify({ statusCode: 200, message: "Successful", data: { token: "opaque.token", exp: exp() } }));
  });
  const elsewhere = await serveSite(built, { sandbox: { ...given(benches.Chromium.sandbox), baseUrl: server.url } });
  try {
    await visit("Chromium", { url: `${elsewhere.url}#lifecycle` }, async (page, look, sandbox) => {
      assert.equal(await page.$eval("#panel-lifecycle .control .pair", ({ hidden }) => hidden), true);
      await ask(page, 1);
      await until(page, () => /100.*: 1\D/.test(document.querySelector(".said").innerText));
      await look("lifecycle-no-control");
    });
  } finally {
    await elsewhere.close();
    await server.stop();
  }
});

runInBrowsers();
