// Steps that may take long: each has an end, and says on a terminal what it waits for.
import { codeOf as codeIn } from "../output.js";

const CLEAR_LINE = "\r\u001b[K";

/** A step that was not done in time. */
export class StepTimeout extends Error {
  code = "timeout";
}

/** Runs `work(signal)`; rejects with a StepTimeout when it takes longer than `ms`. */
export async function within(ms, work) {
  const controller = new AbortController();
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => {
      reject(new StepTimeout());
      controller.abort();
    }, ms);
  });
  try {
    return await Promise.race([work(controller.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The same, with `what` shown on stderr meanwhile, if that is a terminal. */
export async function waitingFor(what, ms, work) {
  const { stderr } = process;
  // A line that wraps could not be cleared.
  if (stderr.isTTY) stderr.write(`${CLEAR_LINE}${what.slice(0, (stderr.columns || 80) - 1)}`);
  try {
    return await within(ms, work);
  } finally {
    if (stderr.isTTY) stderr.write(CLEAR_LINE);
  }
}

/** What there is to look up of an error. */
export const codeOf = (error) => codeIn(error) ?? error?.name ?? "Error";
