// What a case expects, in words that say what came instead. As suite.mjs, it runs in every engine.

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export function check(holds, what) {
  if (!holds) throw new Error(`expected ${what}`);
}

export function equal(actual, expected, what) {
  if (!Object.is(actual, expected)) throw new Error(`${what}: ${describe(actual)} in place of ${describe(expected)}`);
}

/** What a promise rejects with. */
export async function failure(promise) {
  let value;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`expected a rejection, got ${describe(value)}`);
}

/** The same, once it is known to be an error of that class with these fields. */
export async function rejection(promise, constructor, fields) {
  return isError(await failure(promise), constructor, fields);
}

export function isError(error, constructor, fields) {
  if (!(error instanceof Error) || !(error instanceof constructor)) {
    throw new Error(`${describe(error)} in place of a ${constructor.name}`);
  }
  for (const [name, value] of Object.entries(fields)) equal(error[name], value, `${error.name}: ${name}`);
  return error;
}

/** Waits for the stand-in to have seen something. */
export async function until(control, accept) {
  for (let wait = 0; wait < 100; wait += 1) {
    if (accept(await control.requests())) return;
    await pause(20);
  }
  const seen = (await control.requests()).map(({ outcome }) => outcome);
  throw new Error(`the stand-in did not see what was waited for, but ${seen.join(", ") || "nothing"}`);
}

export async function within(ms, promise) {
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(`no end after ${ms} ms`)), ms)));
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

export function describe(value) {
  if (value instanceof Error) {
    const cause = value.cause === undefined ? "" : `, caused by ${describe(value.cause)}`;
    return `${value.name}: ${value.message}${cause}`;
  }
  return typeof value === "string" ? JSON.stringify(value) : typeof value === "object" && value ? JSON.stringify(value) : String(value);
}
