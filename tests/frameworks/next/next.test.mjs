// Next.js 14, 15 and 16 as their users build and start them. Every route is there twice, with the package and with plain fetch
// (app.mjs); whatever Next makes of the one it has to make of the other. One test per cell:
//
//   node --test tests/frameworks/next/next.test.mjs
//   node --test --test-name-pattern "Next 16" tests/frameworks/next/next.test.mjs
import assert from "node:assert/strict";
import { test } from "node:test";
import { MARK, startApi } from "./api.mjs";
import { routesOf } from "./app.mjs";
import { build, filesWith, makeProject, markOf, serve } from "./project.mjs";

const NEXT_14 = { next: "14.2.35", react: "18.3.1" };
const NEXT_15 = { next: "15.5.29", react: "19.3.1" };
const NEXT_16 = { next: "16.4.6", react: "19.3.1" };
// 14 builds with webpack alone. cacheComponents is 16's: 15 has it in canary releases alone.
const CELLS = [
  { ...NEXT_14, bundler: "webpack", flags: [] },
  { ...NEXT_15, bundler: "webpack", flags: [] },
  { ...NEXT_15, bundler: "Turbopack", flags: ["--turbopack"] },
  { ...NEXT_16, bundler: "Turbopack", flags: [] },
  { ...NEXT_16, bundler: "webpack", flags: ["--webpack"] },
  { ...NEXT_16, bundler: "Turbopack", flags: [], cacheComponents: true },
  { ...NEXT_16, bundler: "webpack", flags: ["--webpack"], cacheComponents: true },
];

const COLD_STARTS = 5;
const REQUESTS = 6;
const NOWHERE = "http://127.0.0.1:9009";
const AUTHORS = ["subject", "control"];

for (const cell of CELLS) {
  const name = [`Next ${cell.next}`, cell.bundler, ...(cell.cacheComponents ? ["cacheComponents"] : [])].join(", ");
  test(`${name}, built while the API is down`, async (context) => {
    const { api, folder } = await buildTest(context, cell, { up: false });
    await answersTest(context, cell, api, folder);
    await context.test(`${COLD_STARTS} cold starts with ${REQUESTS} requests each: all get their token`, async () => {
      for (let start = 0; start < COLD_STARTS; start += 1) await coldStart(folder, cell, api);
    });
  });
  test(`${name}, built while the API is up`, (context) => buildTest(context, cell, { up: true }));
}

async function buildTest(context, cell, { up }) {
  const api = await startApi();
  context.after(api.stop);
  const folder = await makeProject(cell);
  const { code, output } = await build(folder, cell, up ? api.url : NOWHERE);
  assert.equal(code, 0, output);
  await context.test("each route has the mark of its control", () => {
    const marks = (author) => Object.fromEntries(routesOf(cell).map((route) => [route, markOf(folder, `/${author}${route}`) ?? "on demand"]));
    assert.deepEqual(marks("subject"), marks("control"));
    assert.ok(Object.values(marks("control")).includes("on demand"));
  });
  await context.test("the build asked the API for nothing, and has no token in it", () => {
    assert.deepEqual(api.calls, []);
    assert.deepEqual(filesWith(folder, MARK), []);
  });
  return { api, folder };
}

async function answersTest(context, cell, api, folder) {
  const server = await serve(folder, api.url);
  try {
    for (const route of routesOf(cell)) {
      await context.test(`${route} answers as its control does`, async () => {
        const { subject, control } = await askBoth(server.url, route);
        assert.deepEqual(subject.map(formOf), control.map(formOf), server.output());
        // None is an answer that was kept: of the API's balances, no two are equal.
        const balances = subject.map(({ answer }) => answer).filter((answer) => answer?.includes("balance"));
        assert.equal(new Set(balances).size, balances.length);
      });
    }
  } finally {
    await server.stop();
  }
}

/** What two requests after each other to a route and to its control have for answers. */
async function askBoth(url, route) {
  const answers = {};
  for (const author of AUTHORS) {
    const path = `${url}/${author}${route.replace("[id]", "first")}`;
    answers[author] = [await ask(path), await ask(path)];
  }
  return answers;
}

async function ask(url) {
  const response = await fetch(url);
  const { status, headers } = response;
  // React puts comments between the texts of an element.
  const text = (await response.text()).replaceAll("<!-- -->", "");
  const answer = /answer: ([^<\\]+)/.exec(text)?.[1];
  return { status, answer, cacheControl: headers.get("cache-control"), prerendered: headers.get("x-nextjs-prerender") };
}

/** The same without what is another one each time. */
const formOf = ({ answer, ...rest }) => ({ ...rest, answer: answer?.replace(/\d+(?=\D*$)/, "N") });

async function coldStart(folder, cell, api) {
  const server = await serve(folder, api.url);
  const before = api.calls.length;
  try {
    // With cacheComponents, a page of a new parameter is rendered ahead while it is rendered for the request.
    const paths = Array.from({ length: REQUESTS }, (_, index) =>
      cell.cacheComponents && index % 2 ? `/param/token/${crypto.randomUUID()}` : "/suspense/token");
    const answers = await Promise.all(paths.map((path) => ask(`${server.url}/subject${path}`)));
    for (const { status, answer } of answers) {
      assert.equal(status, 200);
      assert.match(answer ?? "none", new RegExp(`^${MARK}\\d+$`), server.output());
    }
    assert.equal(new Set(answers.map(({ answer }) => answer)).size, 1, "one token for all");
    assert.deepEqual(api.calls.slice(before), ["POST /v1/auth"]);
  } finally {
    await server.stop();
  }
}
