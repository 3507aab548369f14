// One exchange, and what there is to see of it. It outlives the view: that is rebuilt when the language changes.
import { authenticate } from "digitalpaye-auth";
import { observe } from "../observe.js";
import { options } from "../settings.js";

/** `phase` is "none", "running", "token", "failed" or "cancelled". */
export const run = { phase: "none", attempts: [], startedAt: 0, endedAt: 0, grant: undefined, error: undefined };

let controller;
let number = 0;
let changed = () => {};

export function onChange(listener) {
  changed = listener;
}

export async function start() {
  controller?.abort();
  controller = new AbortController();
  const mine = ++number;
  const { signal } = controller;
  Object.assign(run, { phase: "running", attempts: [], startedAt: performance.now(), endedAt: 0, grant: undefined, error: undefined });
  changed();
  const fetch = observe((attempt) => {
    if (mine !== number) return;
    if (!run.attempts.includes(attempt)) run.attempts.push(attempt);
    changed();
  });
  try {
    finish(mine, { grant: await authenticate({ ...options(), fetch }, { signal }), phase: "token" });
  } catch (error) {
    finish(mine, signal.aborted ? { phase: "cancelled" } : { error, phase: "failed" });
  }
}

export function cancel() {
  controller?.abort();
}

function finish(mine, outcome) {
  if (mine !== number) return;
  Object.assign(run, outcome, { endedAt: performance.now() });
  changed();
}
