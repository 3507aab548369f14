// A redis-server of a test's own: on a Unix socket in a temporary directory, without persistence, gone with the test.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const START_MS = 20_000;

// The shell outlives neither the test nor the server: its standard input closes when this process ends, however it ends,
// SIGKILL included, and then it takes the server with it, a stopped one (SIGSTOP) too.
const GUARD = `
command -v redis-server >/dev/null || { rmdir "$1"; exit 127; }
redis-server --port 0 --unixsocket "$1/redis.sock" --dir "$1" --save "" --appendonly no >"$1/log" 2>&1 &
server=$!
echo $server
read -r _
kill -KILL $server 2>/dev/null
wait $server 2>/dev/null
rm -rf "$1"
`;

/**
 * Starts a server.
 *
 * `socket` is its path, for `createClient({ socket: { path } })`. `pause()` makes it hang (SIGSTOP), `resume()` ends that,
 * `stop()` kills it, so that its clients lose their connections; to stop twice is harmless.
 */
export async function startRedis() {
  const directory = await mkdtemp(join(tmpdir(), "redis-"));
  const socket = join(directory, "redis.sock");
  const guard = spawn("sh", ["-c", GUARD, "sh", directory], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(guard, "exit");
  guard.stdin.on("error", () => {});
  const { value: pid, done } = await createInterface(guard.stdout)[Symbol.asyncIterator]().next();
  if (done) throw new Error("redis-server is not on the PATH: apt-get install redis-server");

  const stop = async () => {
    guard.stdin.end();
    await ended;
  };

  const deadline = performance.now() + START_MS;
  while (!(await answers(socket))) {
    if (performance.now() > deadline) {
      await stop();
      throw new Error(`redis-server did not answer within ${START_MS} ms`);
    }
    await sleep(20);
  }

  return {
    socket,
    pause: () => process.kill(Number(pid), "SIGSTOP"),
    resume: () => process.kill(Number(pid), "SIGCONT"),
    stop,
  };
}

/** Whether something replies to PING there. */
function answers(path) {
  return new Promise((resolve) => {
    const connection = connect(path, () => connection.write("PING\r\n"));
    const settle = (answer) => {
      connection.destroy();
      resolve(answer);
    };
    connection.setTimeout(1_000, () => settle(false));
    connection.once("error", () => settle(false));
    connection.once("data", (bytes) => settle(bytes.toString().startsWith("+PONG")));
  });
}
