// What a snapshot of the heap holds.
import { createReadStream, rmSync } from "node:fs";

/** The longest text that is looked for. */
const LONGEST = 500;

/** Which of `texts` are in a file, in pieces as it is large; the file is removed. */
export async function heldBy(file, texts) {
  const found = new Set();
  let rest = "";
  for await (const chunk of createReadStream(file, { encoding: "utf8" })) {
    const text = rest + chunk;
    for (const each of texts) if (text.includes(each)) found.add(each);
    rest = text.slice(-LONGEST);
  }
  rmSync(file);
  return texts.filter((text) => found.has(text));
}
