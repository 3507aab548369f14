// What is asked for before there is a request, where workerd has neither clock, timers nor I/O.

import { env } from "cloudflare:workers";
import { DigitalpayeAuth, authenticate } from "digitalpaye-auth";
import { describe } from "./describe.js";

const options = { apiKey: env.API_KEY, apiSecret: env.API_SECRET, baseUrl: env.BASE_URL, ...JSON.parse(env.OPTIONS ?? "{}") };
const outcome = async (work) => {
  try {
    return { token: (await work()).token };
  } catch (error) {
    return describe(error);
  }
};

const results = {};
const watch = (name, work) => void outcome(work).then((result) => (results[name] = result));

const fresh = new DigitalpayeAuth(options);
const asked = new DigitalpayeAuth(options);
watch("getToken", () => asked.getToken());
watch("getToken again", () => asked.getToken({ forceRefresh: true }));
watch("authenticate", () => authenticate(options));

results.invalid = (() => {
  try {
    return new DigitalpayeAuth({ ...options, apiKey: "" });
  } catch (error) {
    return describe(error);
  }
})();
fresh.invalidate();

const routes = {
  results: () => results,
  fresh: () => outcome(() => fresh.getToken()),
  asked: () => outcome(() => asked.getToken()),
  "in-request": () => outcome(() => new DigitalpayeAuth(options).getToken()),
};

export default {
  async fetch(request) {
    return Response.json(await routes[new URL(request.url).pathname.slice(1)]());
  },
};
