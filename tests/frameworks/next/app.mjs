// The app that every Next.js builds. Each route is there twice: written with this package, and as the control with plain
// fetch, which sends the very same requests. What Next makes of the one it has to make of the other.

/** What a route does. Each answers with a text that the API made for it alone. */
const SUBJECT = `import { DigitalpayeAuth, authenticate } from "digitalpaye-auth";

const options = () => ({
  apiKey: process.env.DIGITALPAYE_API_KEY,
  apiSecret: process.env.DIGITALPAYE_API_SECRET,
  baseUrl: process.env.DIGITALPAYE_BASE_URL,
});

let shared;
const auth = () => (shared ??= new DigitalpayeAuth(options()));

export const token = async () => (await auth().getToken()).token;
export const balance = async () => (await auth().fetch("v1/balance")).text();
export const single = async () => (await authenticate(options())).token;
export const own = async () => (await new DigitalpayeAuth(options()).getToken()).token;
`;

const CONTROL = `const { DIGITALPAYE_API_KEY: key, DIGITALPAYE_API_SECRET: secret } = process.env;

export async function token() {
  const response = await fetch(process.env.DIGITALPAYE_BASE_URL + "/v1/auth", {
    method: "POST",
    cache: "no-store",
    headers: { Authorization: "Basic " + btoa(key + ":" + secret), "X-Environment": "Production" },
  });
  return (await response.json()).data.token;
}

export async function balance() {
  const headers = { Authorization: "Bearer " + (await token()), "X-Environment": "Production" };
  return (await fetch(process.env.DIGITALPAYE_BASE_URL + "/v1/balance", { headers })).text();
}

export { token as single, token as own };
`;

const AUTHORS = { subject: SUBJECT, control: CONTROL };

const component = (name, author, work, body) => `import { ${work} as work } from "@/lib/${author}.js";

async function ${name}() {
${body}
}
`;
const answer = "  return <p>answer: {await work()}</p>;";
const caught = `  try {
    return <p>answer: {await work()}</p>;
  } catch {
    return <p>no answer</p>;
  }`;

const page = (author, work, config = "") => `${component("Page", author, work, answer)}${config}
export default Page;
`;
const suspended = (author, work, body = answer) => `import { Suspense } from "react";
${component("Answer", author, work, body)}
export default function Page() {
  return <main>shell<Suspense fallback={<i>waiting</i>}><Answer /></Suspense></main>;
}
`;
const handler = (author, work, config = "") => `import { ${work} as work } from "@/lib/${author}.js";
${config}
export async function GET() {
  return new Response("answer: " + (await work()));
}
`;

const EDGE = 'export const runtime = "edge";\n';
// Nothing to render at build time: each page is rendered ahead when it is first asked for.
const ON_DEMAND = "export const revalidate = 1;\nexport const generateStaticParams = () => [];\n";
const SOME = 'export const generateStaticParams = () => [{ id: "built" }];\n';

const always = () => true;
// Segment configuration is not to be had with cacheComponents.
const configured = ({ cacheComponents }) => !cacheComponents;

/** The kinds of routes: the file of one, what is done in such, and the cells that have it. */
const KINDS = {
  page: { file: "page.js", works: ["token", "balance"], in: configured, make: page },
  suspense: { file: "page.js", works: ["token", "balance", "single", "own"], in: always, make: suspended },
  caught: { file: "page.js", works: ["token"], in: always, make: (author, work) => suspended(author, work, caught) },
  handler: { file: "route.js", works: ["token", "balance"], in: always, make: handler },
  "edge-page": { file: "page.js", works: ["token"], in: configured, make: (author, work) => page(author, work, EDGE) },
  "edge-handler": { file: "route.js", works: ["token", "balance"], in: configured, make: (author, work) => handler(author, work, EDGE) },
  "on-demand": { file: "[id]/page.js", works: ["token", "balance"], in: configured, make: (author, work) => page(author, work, ON_DEMAND) },
  param: {
    file: "[id]/page.js",
    works: ["token", "balance"],
    in: ({ cacheComponents }) => cacheComponents,
    make: (author, work) => SOME + suspended(author, work),
  },
};

/** The routes of a cell: each is `/subject` and this, or `/control` and this. */
export function routesOf(cell) {
  return Object.entries(KINDS).filter(([, kind]) => kind.in(cell)).flatMap(([name, { file, works }]) =>
    works.map((work) => `/${name}/${work}${file.startsWith("[id]") ? "/[id]" : ""}`));
}

/** All files of a cell's app, by their paths. */
export function filesOf(cell) {
  const files = {
    "next.config.mjs": `export default ${JSON.stringify(cell.cacheComponents ? { cacheComponents: true } : {})};\n`,
    "jsconfig.json": JSON.stringify({ compilerOptions: { paths: { "@/*": ["./*"] } } }),
    "app/layout.js": "export default function Layout({ children }) {\n  return <html><body>{children}</body></html>;\n}\n",
  };
  for (const [author, code] of Object.entries(AUTHORS)) {
    files[`lib/${author}.js`] = code;
    for (const [name, { file, works, make, ...kind }] of Object.entries(KINDS)) {
      if (kind.in(cell)) for (const work of works) files[`app/${author}/${name}/${work}/${file}`] = make(author, work);
    }
  }
  return files;
}
