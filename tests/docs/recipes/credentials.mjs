// docs/credentials.md: each secret is rotated while the program runs.
import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startServer, textOf } from "../../lib/server.mjs";
import { drive } from "./shared.mjs";

const helpers = `
const control = (path, body) => fetch(process.env.DOCS_STAND_IN + "/_sandbox" + path, { method: "POST", body: JSON.stringify(body) });
const accept = (apiSecret) => control("/config", { apiSecret, distinctTokens: true });
const ask = (auth) => auth.getToken({ forceRefresh: true }).then(() => "token", (error) => error.code);
`;
const withoutVariable = { DIGITALPAYE_API_SECRET: "" };

/** The statuses of the exchanges, in order. */
const statuses = async ({ sandbox }) => (await sandbox.requests()).filter(({ path }) => path === "/v1/auth").map(({ status }) => status);

/** A Vault on this machine: GET as the page's program sends it; PUT sets what it answers. */
async function startVault() {
  let answer = { status: 200, apiSecret: "" };
  const reads = [];
  const { url, stop } = await startServer(async (request, response) => {
    if (request.method === "PUT") {
      answer = JSON.parse(await textOf(request));
      return response.end();
    }
    reads.push([request.url, request.headers["x-vault-token"]]);
    if (answer.hang) return undefined;
    response.writeHead(answer.status ?? 200, { "Content-Type": "application/json" });
    return response.end(JSON.stringify({ data: { data: { apiSecret: answer.apiSecret } } }));
  });
  return { reads, url, stop };
}

export const recipes = {
  async "js vault.mjs"(reader, block) {
    const vault = await startVault();
    try {
      const { told } = await drive(reader, block, `${helpers}
        const say = (answer) => fetch(process.env.VAULT_ADDR, { method: "PUT", body: JSON.stringify(answer) });
        const told = [];
        await say({ status: 503 });
        const { auth } = await import("./vault.mjs");
        const first = auth.getToken().catch((error) => error.code);
        told.push(await first);
        await accept("one");
        await say({ apiSecret: "one" });
        told.push(await ask(auth));
        // Rotated at both ends: the first attempt of the next exchange has the new one already.
        await accept("two");
        await say({ apiSecret: "two" });
        told.push(await ask(auth));
        // Down: the last one does.
        await say({ status: 503 });
        told.push(await ask(auth));
        // Hanging: after three seconds, the last one.
        await say({ hang: true });
        const begun = performance.now();
        told.push(await ask(auth), performance.now() - begun);
        console.log(JSON.stringify(told));
      `, { env: { ...withoutVariable, VAULT_ADDR: vault.url, VAULT_TOKEN: "of-the-test" } });
      assert.deepEqual(told.slice(0, -1), ["credentials", "token", "token", "token", "token"]);
      assert.ok(told.at(-1) > 2_900 && told.at(-1) < 15_000, `it waited for ${told.at(-1)} ms`);
      assert.deepEqual(await statuses(reader), [200, 200, 200, 200]);
      for (const read of vault.reads) assert.deepEqual(read, ["/v1/secret/data/digitalpaye", "of-the-test"]);
    } finally {
      await vault.stop();
    }
  },

  async "js cached.mjs"(reader, block) {
    reader.save({ name: "read-secret.mjs", code: `
      export const manager = { secret: "one", reads: 0 };
      export async function readSecret(signal) {
        if (!(signal instanceof AbortSignal)) throw new Error("no signal");
        manager.reads += 1;
        return manager.secret;
      }
    ` });
    const { told } = await drive(reader, block, `${helpers}
      import { manager } from "./read-secret.mjs";
      // The clock of the cache, so that minutes pass at once.
      const { now } = Date;
      let ahead = 0;
      Date.now = () => now() + ahead;
      const { auth } = await import("./cached.mjs");
      const told = [];
      const tell = async () => told.push([await ask(auth), manager.reads]);
      await accept("one");
      await tell();
      ahead += 600_000;
      await tell();
      // Rotated: the held one is refused, and read again at once.
      manager.secret = "two";
      await accept("two");
      ahead += 600_000;
      await tell();
      ahead += 3_600_000;
      await tell();
      console.log(JSON.stringify(told));
    `, { env: withoutVariable });
    assert.deepEqual(told, [["token", 1], ["token", 1], ["token", 2], ["token", 3]]);
    assert.deepEqual(await statuses(reader), [200, 200, 401, 200, 200]);
  },

  async "js file.mjs"(reader, block) {
    // As Kubernetes does it: the file is a link by way of a folder that is replaced.
    const folder = join(reader.folder, `secrets-${reader.executed.size}`);
    for (const [version, text] of [["1", "one\n"], ["2", "two"]]) {
      mkdirSync(join(folder, version), { recursive: true });
      writeFileSync(join(folder, version, "api-secret"), text);
    }
    symlinkSync("1", join(folder, "..data"));
    symlinkSync(join("..data", "api-secret"), join(folder, "api-secret"));
    const { told } = await drive(reader, block, `${helpers}
      import { renameSync, rmSync, symlinkSync } from "node:fs";
      process.chdir(process.env.FOLDER);
      const { auth } = await import(process.env.BLOCK);
      const told = [];
      await accept("one");
      told.push(await ask(auth));
      // The API has the new secret, the file gets it while the exchange is under way: the 401 asks again.
      await accept("two");
      const { fetch: send } = globalThis;
      globalThis.fetch = (...call) => {
        globalThis.fetch = send;
        symlinkSync("2", "..new");
        renameSync("..new", "..data");
        return send(...call);
      };
      told.push(await ask(auth));
      // No file: the first attempt fails, and it is back for the next, 225 ms later.
      Math.random = () => 0.9;
      rmSync("..data");
      setTimeout(() => symlinkSync("2", "..data"), 50);
      told.push(await ask(auth));
      rmSync("..data");
      told.push(await ask(auth));
      console.log(JSON.stringify(told));
    `, { env: { ...withoutVariable, DIGITALPAYE_API_SECRET_FILE: join(folder, "api-secret"), FOLDER: folder, BLOCK: join(reader.folder, block.name) } });
    assert.deepEqual(told, ["token", "token", "token", "credentials"]);
    assert.deepEqual(await statuses(reader), [200, 401, 200, 200]);
  },
};
