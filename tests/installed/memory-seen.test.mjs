// What can be seen of a client, from outside: no secret in a snapshot of the heap, and none in what is printed.
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import { temporaryFolder } from "../../scripts/lib/temporary.mjs";
import { inChild } from "../lib/child.mjs";
import { api, apiPerTest } from "../lib/client.mjs";
import { importInstalled } from "../lib/install.mjs";
import { leak } from "../lib/leaks.mjs";
import { apiKey, backwards, basicOf, secrets } from "../lib/secrets.mjs";
import { heldBy } from "../lib/snapshot.mjs";

const folder = temporaryFolder("digitalpaye-auth-memory");
apiPerTest();

describe("a snapshot of the heap", () => {
  async function snapshot({ url, apiKey, reversed, file, control, how }) {
    const { writeHeapSnapshot } = await import("node:v8");
    const { DigitalpayeAuth } = await import("digitalpaye-auth");
    const secret = () => [...reversed].reverse().join("");
    (() => {
      globalThis.client = new DigitalpayeAuth({ apiKey, apiSecret: secret(), baseUrl: url, maxRetries: 0 });
    })();
    const auth = globalThis.client;
    await auth.getToken();
    await auth.getToken({ forceRefresh: true });
    await (await auth.fetch("/x")).text();
    globalThis.errors = [];
    if (how === "failing") for (let call = 0; call < 3; call += 1) await auth.getToken({ forceRefresh: true }).catch((error) => globalThis.errors.push(error));
    if (how === "disposed") auth[Symbol.dispose ?? Symbol.for("Symbol.dispose")]();
    if (control) globalThis.kept = { header: `Basic ${btoa(`${apiKey}:${secret()}`)}`, secret: secret() };
    for (let round = 0; round < 5; round += 1) {
      globalThis.gc();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    writeHeapSnapshot(file);
    return globalThis.errors.length;
  }

  async function holds(file, needles) {
    const held = await heldBy(file, Object.values(needles));
    return Object.keys(needles).filter((name) => held.includes(needles[name]));
  }

  const take = async (options) => {
    const secret = secrets.ASCII;
    const file = join(folder, "client.heapsnapshot");
    const { result, stderr } = await inChild(
      snapshot, { url: api.url, apiKey, reversed: backwards(secret), file, ...options }, { flags: ["--expose-gc"] },
    );
    assert.equal(typeof result, "number", stderr);
    return holds(file, { secret, basic: basicOf(secret), backwards: backwards(secret) });
  };

  test("shows the secret to one who keeps it: the search finds what there is", async () => {
    assert.deepEqual(await take({ control: true }), ["secret", "basic", "backwards"]);
  });

  for (const how of ["used", "failing", "disposed"]) {
    test(`of a client (${how}) holds neither the secret nor the Basic value`, async () => {
      if (how === "failing") {
        const secret = secrets.ASCII;
        let n = 0;
        api.answer = (exchange) => {
          n += 1;
          if (n <= 2) exchange.token();
          else exchange.reply(401, JSON.stringify({ statusCode: 401, reason: `no: ${secret} or ${basicOf(secret)}` }));
        };
      }
      assert.deepEqual(await take({ how }), ["backwards"]);
    });
  }
});

describe("what can be printed", () => {
  const secret = secrets.ASCII;

  test("of a client in each state of its life shows no secret, no Basic value and no token", async () => {
    const { DigitalpayeAuth } = await importInstalled();
    const auth = new DigitalpayeAuth({ apiKey, apiSecret: secret, baseUrl: api.url, maxRetries: 0 });
    const hides = (value) => assert.equal(leak(value, [secret, basicOf(secret), ...api.tokens]), undefined);
    hides(auth);
    const call = auth.getToken();
    hides(auth);
    hides(inspect(call, { depth: Infinity, showHidden: true }));
    await call;
    hides(auth);
    await (await auth.fetch("/x")).text();
    api.answer = (exchange) => exchange.fail(401);
    const error = await auth.getToken({ forceRefresh: true }).catch((error) => error);
    hides(error);
    hides({ deep: { client: [auth, error] } });
    auth[Symbol.dispose ?? Symbol.for("Symbol.dispose")]();
    hides(auth);
    hides(await auth.getToken().catch((error) => error));
    hides(DigitalpayeAuth);
  });
});
