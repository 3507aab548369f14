// A certificate authority of a run's own, and certificates by it, good and bad. Made by openssl, whose keys live as long as
// this process.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { must } from "../../scripts/lib/process.mjs";
import { temporaryFolder } from "../../scripts/lib/temporary.mjs";

const OURS = "IP:127.0.0.1,DNS:localhost";

/** `{ file, certificate }` of the authority, and by name what a TLS server is to show: `{ key, cert }`. */
export async function authority() {
  const folder = temporaryFolder("authority");
  const openssl = (...args) => must("openssl", args, { cwd: folder, timeout: 30_000 });
  const read = (name) => readFileSync(join(folder, name), "utf8");
  const key = (name) => ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", `${name}.key`, "-subj", `/CN=${name}`];
  const days = (count) => ["-days", String(count)];

  await openssl("req", "-x509", ...key("authority"), "-out", "authority.pem", ...days(2));
  async function certificate(name, { names = OURS, life = 2, by = "authority" } = {}) {
    await openssl("req", ...key(name), "-out", `${name}.csr`);
    writeFileSync(join(folder, `${name}.ext`), `subjectAltName=${names}\n`);
    const signer = by ? ["-CA", `${by}.pem`, "-CAkey", `${by}.key`] : ["-signkey", `${name}.key`];
    await openssl("x509", "-req", "-in", `${name}.csr`, ...signer, "-extfile", `${name}.ext`, ...days(life), "-out", `${name}.pem`);
    return { key: read(`${name}.key`), cert: read(`${name}.pem`) };
  }

  return {
    file: join(folder, "authority.pem"),
    certificate: read("authority.pem"),
    good: await certificate("good"),
    "wrong host": await certificate("wrong-host", { names: "IP:127.0.0.2,DNS:api.digitalpaye.example" }),
    expired: await certificate("expired", { life: -1 }),
    "self-signed": await certificate("self-signed", { by: null }),
  };
}
