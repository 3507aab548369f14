// Packages of another Debian than the machine's: by apt, in folders of its own, unpacked and never installed.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Failure, must, which } from "../../../scripts/lib/process.mjs";

const KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg";
const DOWNLOAD_MS = 600_000;

/** The folder into which the packages `names` of the release `suite` are unpacked; `folder` keeps them for the next run. */
export async function unpacked(suite, names, folder) {
  const root = join(folder, "root");
  if (existsSync(root)) return root;
  if (!which("apt-get") || !existsSync(KEYS)) throw new Failure(`${names[0]} of Debian's ${suite} is not to be had here: that takes apt-get and Debian's keys.`);
  rmSync(folder, { recursive: true, force: true });
  const apt = join(folder, "apt");
  for (const part of ["etc/apt/apt.conf.d", "etc/apt/preferences.d", "etc/apt/sources.list.d", "var/lib/apt/lists/partial", "var/cache/apt/archives/partial", "var/lib/dpkg"]) {
    mkdirSync(join(apt, part), { recursive: true });
  }
  const status = join(apt, "var/lib/dpkg/status");
  writeFileSync(status, "");
  writeFileSync(join(apt, "etc/apt/sources.list"), `deb [signed-by=${KEYS}] http://deb.debian.org/debian ${suite} main\n`);
  const options = [`Dir=${apt}`, `Dir::State::status=${status}`, "APT::Sandbox::User=root"].flatMap((option) => ["-o", option]);
  await must("apt-get", [...options, "update"], { cwd: folder, timeout: DOWNLOAD_MS });
  await must("apt-get", [...options, "download", ...names], { cwd: folder, timeout: DOWNLOAD_MS });
  // Under its name only when all is in it.
  const whole = join(folder, "unpacking");
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".deb"))) await must("dpkg-deb", ["--extract", file, whole], { cwd: folder, timeout: DOWNLOAD_MS });
  renameSync(whole, root);
  return root;
}
