// The page's wall clock, which can be set wrong on purpose. What the package promises holds all the same.
const real = Date.now;
let offsetMs = 0;

export const offset = () => offsetMs;

/** Sets `Date.now()` off by so much, for everything on this page. */
export function shift(ms) {
  offsetMs = ms;
  Date.now = ms === 0 ? real : () => real() + ms;
}
