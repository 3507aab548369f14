/** One seed for each execution of a run: the inputs of a run are independent of each other. */
export const mixed = (seed, index) => Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35);
