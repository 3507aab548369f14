// What the recipes of several pages share.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

export const API = "https://api.digitalpaye.com";
export const BALANCE = { "POST /v1/auth": 1, "GET /v1/balance": 1 };
export const refused = [{ status: 401, times: 1 }];
export const down = [{ status: 503, times: 3 }];

export async function succeeds(running) {
  const result = await running;
  assert.equal(result.code, 0, result.output);
  return result;
}

/** Asks until something listens there. */
export async function ask(url) {
  for (const deadline = performance.now() + 15_000; ; await sleep(50)) {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
      return { status: response.status, retryAfter: response.headers.get("retry-after"), body: await response.json() };
    } catch (error) {
      if (error.cause?.code !== "ECONNREFUSED" || performance.now() > deadline) throw error;
    }
  }
}

/** Runs a program that imports a block and says what came of it, as JSON on its last line. */
export async function drive(reader, block, program, options = {}) {
  reader.executed.add(`${block.language} ${block.name}`);
  reader.save(block);
  const driver = { language: "js", name: `drive-${block.name}`, code: program };
  reader.save(driver);
  const { stdout } = await succeeds(reader.program(driver.name, options));
  const lines = stdout.trim().split("\n");
  return { lines: lines.slice(0, -1), told: JSON.parse(lines.at(-1)), stdout };
}
