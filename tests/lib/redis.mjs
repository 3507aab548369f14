// A redis-server or valkey-server of a test's own: on a Unix socket in a temporary directory, without persistence, gone
// with the test.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./server.mjs";

const START_MS = 20_000;

// The shell outlives neither the test nor the server: its standard input closes when this process ends, however it ends,
// SIGKILL included, and then it takes the server with it, a stopped one (SIGSTOP) too.
const GUARD = `
command -v "$2" >/dev/null || { rmdir "$1"; exit 127; }
directory=$1 binary=$2 port=$3
shift 3
if [ "$1" = sentinel ]; then
  shift
  set -- "$directory/sentinel.conf" --sentinel "$@"
fi
"$binary" "$@" --port "$port" --bind 127.0.0.1 --unixsocket "$directory/redis.sock" --dir "$directory" --save "" --appendonly no >"$directory/log" 2>&1 &
server=$!
echo $server
read -r _
kill -KILL $server 2>/dev/null
wait $server 2>/dev/null
rm -rf "$directory"
`;

/** The servers that this machine has: Valkey's is packaged from Debian 13 on. */
export const SERVERS = ["redis-server", "valkey-server"].filter((binary, index) =>
  index === 0 || (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, binary))));

/**
 * Starts a server.
 *
 * `socket` is its path, for `createClient({ socket: { path } })`. `pause()` makes it hang (SIGSTOP), `resume()` ends that,
 * `stop()` kills it, so that its clients lose their connections; to stop twice is harmless. With `tcp: true` it listens on
 * `port` of 127.0.0.1 too; `port` asks for a certain one. `args` are more of its own arguments. With `sentinel`, the text
 * of a configuration, it is a sentinel.
 */
export async function startRedis({ binary = "redis-server", tcp = false, port: asked, args = [], sentinel } = {}) {
  const directory = await mkdtemp(join(tmpdir(), "redis-"));
  if (sentinel !== undefined) await writeFile(join(directory, "sentinel.conf"), sentinel);
  const socket = join(directory, "redis.sock");
  const port = asked ?? (tcp ? await freePort() : 0);
  const guard = spawn("sh", ["-c", GUARD, "sh", directory, binary, String(port), ...(sentinel === undefined ? [] : ["sentinel"]), ...args], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(guard, "exit");
  guard.stdin.on("error", () => {});
  const { value: pid, done } = await createInterface(guard.stdout)[Symbol.asyncIterator]().next();
  if (done) throw new Error(`${binary} is not on the PATH: apt-get install ${binary}`);

  const stop = async () => {
    guard.stdin.end();
    await ended;
  };

  const deadline = performance.now() + START_MS;
  while (!(await answers(socket))) {
    if (performance.now() > deadline) {
      await stop();
      throw new Error(`${binary} did not answer within ${START_MS} ms`);
    }
    await sleep(20);
  }

  return {
    socket,
    port,
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
    connection.once("data", (bytes) => settle(bytes.toString().startsWith("+PONG") || bytes.toString().startsWith("-NOAUTH")));
  });
}
