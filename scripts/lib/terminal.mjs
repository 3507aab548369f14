// Progress goes to stderr and results to stdout, so `npm start -- --once` can be piped.
import { performance } from "node:perf_hooks";

const live = Boolean(process.stderr.isTTY) && !process.env.CI;
const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const heartbeat = 15_000;
const announced = new Set();

export function say(text = "") {
  process.stderr.write(`${text}\n`);
}

/** Says a thing once however many steps would like to. */
export function sayOnce(text) {
  if (announced.has(text)) return;
  announced.add(text);
  say(text);
}

export function duration(milliseconds) {
  const seconds = milliseconds / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 100) return `${Math.round(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

// Terminal escapes and control characters out, so that a status line stays one line.
export function plain(text) {
  return text.replace(/\u001b\[[0-9;?]*[ -/]*[@-~]/g, "").replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, "");
}

/**
 * Shows that `work` is going on: a line with the time that has passed on a terminal, else a line now and then.
 * `work` gets a function that takes the output of what it runs; its last line is shown as the state.
 */
export async function step(title, work) {
  const begun = performance.now();
  const passed = () => duration(performance.now() - begun);
  let state = "";
  let drawn = 0;
  const report = (text) => {
    const line = plain(text).split("\n").map((part) => part.trim()).filter(Boolean).at(-1);
    if (line) state = line;
  };
  const draw = () => {
    const width = Math.max(20, (process.stderr.columns || 80) - 1);
    const line = `${frames[drawn++ % frames.length]} ${title} (${passed()}) ${state}`.slice(0, width);
    process.stderr.write(`\r\u001b[2K${line}`);
  };
  const clear = () => live && process.stderr.write("\r\u001b[2K");
  if (!live) say(`${title} …`);
  const timer = live
    ? setInterval(draw, 120)
    : setInterval(() => say(`  … ${passed()}${state && `, ${state.slice(0, 100)}`}`), heartbeat);
  try {
    const result = await work(report);
    clear();
    say(live ? `✓ ${title} (${passed()})` : `  done in ${passed()}`);
    return result;
  } catch (error) {
    clear();
    say(live ? `✗ ${title} (${passed()})` : `  failed after ${passed()}`);
    throw error;
  } finally {
    clearInterval(timer);
  }
}
