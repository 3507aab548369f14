// docs/events.md: each handler is told of every kind of event, and what it does with them is looked at.
import assert from "node:assert/strict";
import { drive } from "./shared.mjs";

const TYPES = ["failure", "retry", "store", "token", "unauthorized"];

/** A client's life with each kind of event. \`before\` runs first; the last line is \`result\`. */
const life = (block, { before = "", result = "null" } = {}) => `
import { DigitalpayeAuth } from "digitalpaye-auth";
${before}
const { fromEnv } = DigitalpayeAuth;
const store = { get: async () => { throw new Error("the store is down"); }, set: async () => {} };
DigitalpayeAuth.fromEnv = (options) => fromEnv.call(DigitalpayeAuth, { ...options, store });
const control = (path, body) => fetch(process.env.DOCS_STAND_IN + "/_sandbox" + path, { method: "POST", body: JSON.stringify(body) });
const { auth } = await import("./${block.name}");
await control("/script", [{ status: 503 }]);
const { token } = await auth.getToken();
await control("/revoke", {});
if ((await auth.fetch("v1/balance")).status !== 200) throw new Error("no balance");
await control("/script", [{ status: 401 }]);
await auth.getToken({ forceRefresh: true }).then(() => { throw new Error("no failure"); }, () => {});
await new Promise((resolve) => setTimeout(resolve, 100));
console.log(JSON.stringify(${result}));
`;

function harmless({ sandbox }, text) {
  for (const secret of [sandbox.apiSecret, btoa(`${sandbox.apiKey}:${sandbox.apiSecret}`), "eyJ"]) assert.ok(!text.includes(secret), text);
}

export const recipes = {
  async "js console.mjs"(reader, block) {
    const { stdout } = await drive(reader, block, life(block));
    const types = [...stdout.matchAll(/^digitalpaye: (\w+) \{/gm)].map(([, type]) => type);
    assert.deepEqual([...new Set(types)].sort(), TYPES);
    harmless(reader, stdout);
  },

  async "js alarm.mjs"(reader, block) {
    const { sandbox } = reader;
    const alarms = async (program) => {
      reader.save(block);
      reader.save({ name: "drive-alarm.mjs", code: program });
      const { code, stdout, output } = await reader.program("drive-alarm.mjs");
      assert.equal(code, 0, output);
      return output.replace(stdout, "").trim();
    };
    reader.executed.add("js alarm.mjs");
    assert.match(await alarms(life(block)), /^ALARM unauthorized \d+(\.\d+)?$/);
    await sandbox.reset();
    assert.equal(await alarms(`import { auth } from "./alarm.mjs"; await auth.getToken(); console.log("null");`), "");
  },

  async "js pino.mjs"(reader, block) {
    const { lines } = await drive(reader, block, life(block));
    const logged = lines.map((line) => JSON.parse(line));
    const levels = Object.fromEntries(logged.map(({ msg, level }) => [msg, level]));
    assert.deepEqual(levels, { failure: 50, retry: 40, store: 40, token: 30, unauthorized: 40 });
    for (const { name, msg, type } of logged) assert.deepEqual([name, msg], ["digitalpaye", type]);
    const { error, background } = logged.find(({ type }) => type === "failure");
    assert.equal(background, false);
    assert.deepEqual([error.type, error.code, error.status], ["UnauthorizedError", "unauthorized", 401]);
    assert.ok(error.message && error.stack);
    harmless(reader, lines.join("\n"));
  },

  async "js opentelemetry.mjs"(reader, block) {
    const before = `
import { metrics } from "@opentelemetry/api";
const told = [];
const instrument = (name) => {
  const note = (value, attributes) => told.push([name, value, attributes]);
  return { add: note, record: note };
};
metrics.setGlobalMeterProvider({ getMeter: () => ({ createCounter: instrument, createHistogram: instrument }) });`;
    const { told } = await drive(reader, block, life(block, { before, result: "told" }));
    const of = (name) => told.filter(([each]) => each === name).map(([, value, attributes]) => [value, attributes]);
    assert.deepEqual(of("digitalpaye.token.failures"), [[1, { code: "unauthorized", background: false }]]);
    assert.deepEqual(of("digitalpaye.token.retries"), [[1, { code: "internal_server_error" }]]);
    assert.deepEqual(of("digitalpaye.fetch.unauthorized"), [[1, { retried: true }]]);
    for (const [value, attributes] of of("digitalpaye.store.faults")) assert.deepEqual([value, attributes], [1, { operation: "get", problem: "rejected" }]);
    assert.ok(of("digitalpaye.store.faults").length > 0);
    const durations = of("digitalpaye.token.duration");
    assert.equal(durations.length, 2);
    for (const [value, attributes] of durations) {
      assert.ok(value > 0 && value < 30_000);
      assert.deepEqual(attributes, { source: "exchange", background: false });
    }
  },

  async "js diagnostics.mjs"(reader, block, all) {
    const subscriber = all.find(({ name }) => name === "subscriber.mjs");
    reader.save(subscriber);
    reader.executed.add("js subscriber.mjs");
    const { lines } = await drive(reader, block, life(block, { before: 'import "./subscriber.mjs";' }));
    assert.deepEqual([...new Set(lines)].sort(), TYPES.map((type) => `subscriber: ${type}`));
    await reader.sandbox.reset();
    assert.deepEqual((await drive(reader, block, life(block))).lines, [], "without a subscriber something was printed");
  },

  // By the one before it.
  async "js subscriber.mjs"(reader) {
    assert.ok(reader.executed.has("js subscriber.mjs"));
  },
};
