// The rules of a store, over Redis and Valkey by every client.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { importInstalled } from "../lib/install.mjs";
import { SERVERS, startRedis } from "../lib/redis.mjs";
import { CLIENTS, OPTIONS } from "./clients.mjs";

const { redisStore } = await importInstalled("digitalpaye-auth/stores/redis");
const { testStore } = await importInstalled("digitalpaye-auth/stores/testing");

for (const binary of SERVERS) {
  describe(binary, () => {
    let server;
    before(async () => {
      server = await startRedis({ binary, tcp: true });
    });
    after(() => server.stop());

    for (const [name, make] of Object.entries({ ...CLIENTS, ...OPTIONS })) {
      describe(name, { concurrency: 8 }, () => {
        let made;
        before(async () => {
          made = await make(server);
        });
        after(() => made.close());
        testStore(() => redisStore(made.client), { describe, test });
      });
    }

    test("stores over different clients share entries and leases", async (context) => {
      const key = "shared-by-all";
      const stores = [];
      for (const make of Object.values(CLIENTS)) {
        const { client, close } = await make(server);
        context.after(close);
        stores.push(redisStore(client));
      }
      for (const [n, writer] of stores.entries()) {
        const token = { token: `token-${n}`, exp: 2_000_000_000 + n };
        await writer.set(key, token, 600);
        for (const reader of stores) {
          const { ttlSeconds, ...got } = await reader.get(key);
          assert.deepEqual(got, token);
          assert.ok(ttlSeconds > 590 && ttlSeconds <= 600);
        }
        const granted = await Promise.all(stores.map((store) => store.acquire(key, 30)));
        assert.equal(granted.filter(Boolean).length, 1);
        await stores[granted.indexOf(true)].release(key);
      }
    });
  });
}
