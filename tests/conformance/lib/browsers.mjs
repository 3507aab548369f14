// Real browsers without a driver: a browser is started with one page, which asks us what to open in a frame, and tells us
// what that page said.
import { Failure } from "../../../scripts/lib/process.mjs";
import { launch, versionOf, within } from "../../lib/browsers.mjs";
import { sendFile, startServer, textOf } from "../../lib/server.mjs";

const REPORT_MS = 45_000;

/** `{ name, version(), run(url), mount(folder, headers), stop() }`; starts the browser on first use. `own` as `launch` takes it. */
export function browser(kind, own) {
  let running;

  async function open() {
    const site = await serve();
    try {
      return { site, ...await launch(kind, site.url, () => site.asked, own) };
    } catch (error) {
      // Left open, it keeps the process alive.
      await site.close();
      throw error;
    }
  }

  return {
    name: kind,
    version: async () => versionOf(kind, own),
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
      const opened = await running?.catch(() => {});
      running = undefined;
      await opened?.close();
      await opened?.site.close();
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
    if (pathname === "/") return response.writeHead(200, { "Content-Type": "text/html" }).end(runner);
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
    const [, mount, ...path] = pathname.split("/");
    const mounted = mounts[Number(mount)];
    if (!mounted) return response.writeHead(404).end();
    return sendFile(response, mounted.folder, path.join("/"), { "Cache-Control": "no-store", ...mounted.headers });
  }

  const { url: origin, stop } = await startServer(answer);
  const url = `${origin}/`;
  let number = 0;

  return {
    url,
    asked,
    mount: (folder, headers = {}) => `${url}${mounts.push({ folder, headers }) - 1}/`,
    job: (page) => new Promise((resolve) => {
      number += 1;
      reports.set(String(number), resolve);
      jobs.push({ number, url: page });
      hand();
    }),
    close: stop,
  };
}
