// Processes of a fleet that share a store.
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
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

/** Twenty that `start()` makes and that ask together make one exchange with the API `upstream`, and one that comes late none. */
export async function shareOneExchange(start, upstream) {
  upstream.before = () => sleep(200);
  const fleet = await Promise.all(Array.from({ length: 20 }, () => start()));
  const answers = await Promise.all(fleet.map((process) => process.ask()));
  assert.deepEqual(answers.filter(({ token }) => token !== upstream.tokens[0]), []);
  assert.equal(upstream.exchanges(), 1);
  assert.equal((await (await start()).ask()).token, upstream.tokens[0]);
  assert.equal(upstream.exchanges(), 1);
}

/** Those who waited 30 s at most for a holder that died got a second exchange's token, in time. */
export async function takeOver(answers, upstream) {
  for (const { token, error, ms } of answers) {
    assert.equal(token, upstream.tokens[0], error);
    // Half of their own time is 15 s: sooner than that, they did not just stop waiting.
    assert.ok(ms < 10_000, `took ${ms} ms`);
  }
  assert.equal(upstream.exchanges(), 2);
}

/** Ends all that still run. */
export function killMembers() {
  for (const child of children) child.kill("SIGKILL");
  children.clear();
}
