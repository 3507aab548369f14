// Next.js, whose pages and builds have tests of their own (../next).
import { IMPORT } from "../lib/code.mjs";

const route = (runtime) => `${IMPORT}
export const dynamic = "force-dynamic";
export const runtime = "${runtime}";
let auth;
export async function GET() {
  // Next imports this while it builds, without the variables.
  auth ??= DigitalpayeAuth.fromEnv();
  const response = await auth.fetch("v1/balance");
  return Response.json({ status: response.status, body: await response.json() });
}
`;

const versions = [
  { next: "14.2.35", react: "18.3.1", builds: { webpack: [] } },
  { next: "15.5.29", react: "19.3.1", builds: { webpack: [], Turbopack: ["--turbopack"] } },
  { next: "16.4.6", react: "19.3.1", builds: { webpack: ["--webpack"], Turbopack: [] } },
];

// A plain route without this package fails the same way.
const broken = {
  en: "Next 16.4 itself builds no edge route by webpack; by Turbopack it does", fr: "Next 16.4 lui-même ne compile pas de route edge avec webpack ; avec Turbopack, si",
  error: /route_client-reference-manifest\.js/,
};

const ofVersion = ({ next, react, builds }) => Object.entries(builds).flatMap(([bundler, flags]) => ["nodejs", "edge"].map((runtime) => ({
  name: `next-${parseInt(next, 10)}-${bundler.toLowerCase()}-${runtime}`, title: `Next.js ${parseInt(next, 10)}`,
  how: { en: `route handler, runtime \`${runtime}\`, ${bundler}`, fr: `gestionnaire de route, runtime \`${runtime}\`, ${bundler}` },
  folder: `next-cell-${parseInt(next, 10)}`, package: "next", dependencies: { next, react, "react-dom": react },
  files: {
    "app/layout.js": "export default function Layout({ children }) {\n  return <html><body>{children}</body></html>;\n}\n",
    "app/page.js": "export default function Page() {\n  return <p>Shop</p>;\n}\n",
    "app/balance/route.js": route(runtime),
  },
  env: { NEXT_IGNORE_INCORRECT_LOCKFILE: "1" },
  path: "/balance", build: [["next", "build", ...flags]], serve: ["next", "start", "-H", "127.0.0.1", "-p", "{port}"],
  ...(next.startsWith("16.") && bundler === "webpack" && runtime === "edge" && { limit: broken }),
})));

export const nexts = versions.flatMap(ofVersion);
