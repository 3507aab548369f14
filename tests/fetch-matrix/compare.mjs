// Runs the matrix in a runtime, and compares what server and caller saw of the platform's fetch and of auth.fetch.
import { isDeepStrictEqual } from "node:util";
import { startServer } from "./server.mjs";

/** The differences of one runtime, as `{ form, first, what }`, and how many cases there were. */
export async function compare(runtime) {
  const server = await startServer(await runtime.packageFolder());
  try {
    const { cases } = (await runtime.run(server.url)) ?? server.report();
    const found = cases.flatMap((each) => differencesOf(each, server).map((what) => ({ form: each.name, first: each.first, what })));
    return { total: cases.length, possible: cases.filter(({ plain }) => !plain.impossible).length, found };
  } finally {
    await server.stop();
  }
}

function differencesOf({ name, first, replays, gainsLength, isAborted, isLate, plain, ours }, server) {
  // A stream that turned out to be short is sent again as bytes.
  const neutral = ({ headers: { "transfer-encoding": _, "content-length": __, ...headers }, ...rest }) => ({ ...rest, headers });
  const [theirs, own] = ["plain", "ours"].map((who) => server.requests(name, String(first), who))
    .map((requests) => (first === 401 && gainsLength ? requests.map(neutral) : requests));
  const found = [];
  const differ = (what, one, other) => found.push(`${what}: fetch ${show(one)}, auth.fetch ${show(other)}`);

  // A body that cannot be sent again: the 401 is the answer.
  const expected = first === 401 && !replays && plain.status ? { ...plain, status: 401 } : plain;
  const seen = ({ atOnce, changed, atLast, ...outcome }) => (isLate ? outcome : { ...outcome, atOnce, changed, atLast });
  if (!isDeepStrictEqual(seen(ours), seen(expected))) differ("caller", expected, ours);
  // Whether a request that is aborted goes out at all is a matter of time.
  if (isAborted) return found;
  const right = first === 200 || theirs.length === 0 ? [theirs] : replays ? [[theirs[0], ...theirs]] : [theirs.slice(0, 1)];
  // What breaks the exchange may do so with the 401 already.
  if (first === 401 && plain.rejected) right.push(theirs.slice(0, 1));
  if (!right.some((each) => isDeepStrictEqual(own, each))) differ("server", right[0], own);
  return found;
}

const show = (value) => JSON.stringify(value);
