// Node and Bun, as a CommonJS script.
const api = require("digitalpaye-auth");
const { createEmulator } = require("digitalpaye-auth/emulator");
const { redisStore } = require("digitalpaye-auth/stores/redis");
const { workersKvStore } = require("digitalpaye-auth/stores/workers-kv");
const { controlOf } = require("./control.cjs");
const { conformance } = require("./suite.cjs");

const baseUrl = process.env.BASE_URL;
const run = conformance({ api, subpaths: { createEmulator, redisStore, workersKvStore }, baseUrl, control: controlOf(baseUrl) });
run().then((report) => console.log(JSON.stringify({ ...report, versions: process.versions })));
