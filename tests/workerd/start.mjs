// A worker and its API, for one test: both end with it.

import { fileURLToPath } from "node:url";
import { startWorker } from "../lib/workerd.mjs";
import { API_KEY, API_SECRET, startApi } from "./api.mjs";

/** A path in `workers/`. */
export const worker = (name) => fileURLToPath(new URL(`workers/${name}.js`, import.meta.url));

/**
 * Starts the worker `name` against an API of its own; `options` are those of its client, `api` those of the API, all else
 * is for `startWorker`. Returns `{ api, ask, early, abandon, output, worker }`: `ask(path)` is the parsed answer and `ms`.
 */
export async function start(t, name, { options = {}, api: apiOptions, bindings, ...rest } = {}) {
  const api = await startApi(apiOptions);
  t.after(() => api.stop());
  const running = await startWorker({
    entry: worker(name),
    bindings: { API_KEY, API_SECRET, BASE_URL: api.url, OPTIONS: JSON.stringify(options), ...bindings },
    ...rest,
  });
  t.after(() => running.stop());

  return {
    api,
    output: running.output,
    abandon: running.abandon,
    async ask(path, init) {
      const { status, text, ms } = await running.get(path, init);
      if (status !== 200) throw new Error(`${path}: ${status} ${text}\n${running.output()}`);
      return { ...JSON.parse(text), ms };
    },
  };
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Resolves when `condition()` holds, and rejects when it does not within `ms`. */
export async function until(condition, what, ms = 5_000) {
  for (const deadline = performance.now() + ms; !(await condition()); await pause(10)) {
    if (performance.now() > deadline) throw new Error(`not within ${ms} ms: ${what}`);
  }
}
