// Where auth.fetch is not as the runtime's fetch is, and why. Each line is checked: one that no longer holds fails the test, unless `mayBe` says
// that it is a matter of time.
const chromium = ["Chromium"];
const bun = ["Bun"];
const workerd = ["workerd"];

export const known = [
  {
    runtimes: [...workerd, ...chromium, ...bun], forms: /^aborted before, body: a stream/,
    why: "the source of the body is told of the abort, once and with the reason or a list of it; the runtime's fetch forgets it, or names the reason alone",
  },
  { runtimes: workerd, forms: /^aborted in the same turn/, why: "the caller's own reason comes back, not a copy of it" },
  { runtimes: workerd, forms: /^aborted later/, mayBe: true, why: "a copy of the reason comes back where the abort was quicker than the request, and else the reason" },
  { runtimes: chromium, forms: /^aborted later, body: a stream/, mayBe: true, why: "a stream needs HTTP/2 in Chromium; whether that or the abort comes first is a matter of time" },
  { runtimes: [...bun, ...workerd], forms: /^init: what is read/, why: "the runtime's fetch reads fewer members than its Request; each is still read once" },
  { runtimes: workerd, forms: /body.*: an array/, why: "an array is an async iterable to workerd, though not by its looks: it counts as a stream and is not sent again" },
  { runtimes: [...workerd, ...chromium], forms: /^refused: init a (number|string)/, why: "the words are those of the Request" },
  { runtimes: [...bun, ...chromium], forms: /^refused: signal/, why: "the words are those of the Request" },
  { runtimes: chromium, forms: /^refused: a symbol/, why: "the words are the engine's" },
  { runtimes: bun, forms: /^refused: (mode|cache)/, why: "Bun's Request refuses what its fetch ignores" },
  { runtimes: bun, forms: /^refused: GET with a body, and aborted/, why: "Bun's Request does not look at this; its fetch does, later" },
  { runtimes: bun, forms: /^Request with a stream/, why: "the Request is marked as used at once, by Bun's fetch after a while" },
  { runtimes: bun, forms: /^stream without chunks/, why: "Bun sends a Request with an empty stream with Content-Length: 0" },
];

/** Splits what was found in a runtime into what is not known, and the known lines that were not seen. */
export function sift(runtime, found) {
  const lines = known.filter(({ runtimes }) => runtimes.includes(runtime));
  const line = ({ form }) => lines.find(({ forms }) => forms.test(form));
  return {
    unknown: found.filter((difference) => !line(difference)),
    unseen: lines.filter((each) => !each.mayBe && !found.some((difference) => line(difference) === each)).map(({ forms }) => String(forms)),
  };
}
