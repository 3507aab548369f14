// Processes of a fleet that share a store.
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { installed } from "../lib/install.mjs";

const PROCESS = fileURLToPath(new URL("member-process.mjs", import.meta.url));
const children = new Set();

/**
 * Starts one: a client with `options`, whose store is `server` by the client of that `name` (see clients.mjs), or what `recipe`
 * makes, the path of a module and the name of a function in it. Resolves once it is connected.
 */
export async function startMember({ name = "redis 5", server, recipe, options }) {
  const env = { ...process.env, DIGITALPAYE_AUTH_CONSUMER: await installed() };
  delete env.NODE_TEST_CONTEXT;
  const child = fork(PROCESS, [JSON.stringify({ name, server, recipe, options })], { env, execArgv: [] });
  children.add(child);
  const exited = once(child, "exit").then(([code, signal]) => ({ exited: signal ?? code }));
  const message = () => Promise.race([once(child, "message").then(([answer]) => answer), exited]);
  assert.deepEqual(await message(), { ready: true }, name);
  return {
    /** Has it call `getToken(call)`; resolves to `{ token or error, ms }`. One that `leaves` ends as soon as it has told. */
    ask(call = {}, { leaves = false } = {}) {
      const answer = message();
      child.send({ call, leaves });
      return answer;
    },
    kill() {
      child.kill("SIGKILL");
      return exited;
    },
  };
}

/** Ends all that still run. */
export function killMembers() {
  for (const child of children) child.kill("SIGKILL");
  children.clear();
}
