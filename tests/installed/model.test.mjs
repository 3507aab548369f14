// A client does what the model says (tests/lib/model.mjs), whatever happens to it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { importInstalled } from "../lib/install.mjs";
import { sequence } from "../lib/model.mjs";
import { watchRejections } from "../lib/tokens.mjs";
import { virtualTime } from "../lib/virtual.mjs";

const SEQUENCES = 500;

const time = virtualTime();
const { random } = Math;
let DigitalpayeAuth;
let rejections;
before(async () => {
  ({ DigitalpayeAuth } = await importInstalled());
  rejections = watchRejections();
  // No spread.
  Math.random = () => 0;
});
after(async () => {
  Math.random = random;
  await rejections.check(assert);
});

test(`${SEQUENCES} random sequences do what the model says`, async (context) => {
  const sum = { exchanges: 0, calls: 0 };
  for (let seed = 1; seed <= SEQUENCES; seed += 1) {
    const { exchanges, calls } = await sequence(DigitalpayeAuth, time, seed);
    sum.exchanges += exchanges;
    sum.calls += calls;
  }
  context.diagnostic(`${sum.calls} calls, ${sum.exchanges} exchanges`);
  assert.ok(sum.exchanges > SEQUENCES * 5 && sum.calls > SEQUENCES * 20);
});
