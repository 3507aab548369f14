// One token for all isolates of a Worker, wherever they run, in a Durable Object per key.

import { DurableObject } from "cloudflare:workers";
import { parse, remoteStore } from "./remote.js";

// Other names than get, put and delete, which a stub has of its own before the compatibility date 2024-03-26.
const METHODS = {
  time: "readTime", get: "readToken", set: "writeToken", delete: "deleteToken", acquire: "acquireLease", release: "releaseLease",
};

export function durableObjectStore(namespace) {
  if (
    namespace === null || typeof namespace !== "object" ||
    !["idFromName", "get"].every((method) => typeof namespace[method] === "function")
  ) {
    throw new TypeError("durableObjectStore(namespace): namespace must be a Durable Object namespace, such as `env.TOKENS`");
  }

  return remoteStore(async (operation, key, ...args) => {
    // A stub belongs to the request that made it, so each call gets its own.
    const object = namespace.get(namespace.idFromName(key));
    const method = METHODS[operation];
    if (typeof object[method] !== "function") {
      throw new Error("durableObjectStore needs the compatibility date 2024-04-03 or later, or the flag `rpc`");
    }
    return object[method](...args);
  });
}

/**
 * Holds one entry and one lease, each as `{ value, expiresAt }`, by the object's clock. Nothing but the storage is
 * awaited between reading and writing, so that no other call comes in between.
 */
export class TokenObject extends DurableObject {
  async readTime() {
    return [Date.now()];
  }

  async readToken() {
    const entry = await this.#live("token");
    const now = Date.now();
    return entry === undefined ? [now, null, 0] : [now, entry.value, entry.expiresAt - now];
  }

  async writeToken(value, ms, ending) {
    const now = Date.now();
    const expiresAt = typeof ending === "number" ? Math.min(now + ms, ending) : now + ms;
    if (expiresAt > now) await this.#put("token", value, expiresAt);
    return [now];
  }

  async deleteToken(token) {
    if (token === undefined || parse((await this.#live("token"))?.value)?.token === token) await this.ctx.storage.delete("token");
    return [Date.now()];
  }

  async acquireLease(owner, ms) {
    const lease = await this.#live("lease");
    const now = Date.now();
    if (lease !== undefined && lease.value !== owner) return [now, 0];
    await this.#put("lease", owner, now + ms);
    return [now, 1];
  }

  async releaseLease(owner) {
    if ((await this.#live("lease"))?.value === owner) await this.ctx.storage.delete("lease");
    return [Date.now()];
  }

  /** Clears what has ended. An object that holds nothing costs nothing. */
  async alarm() {
    const ends = [];
    for (const name of ["token", "lease"]) {
      const item = await this.#live(name);
      if (item === undefined) await this.ctx.storage.delete(name);
      else ends.push(item.expiresAt);
    }
    if (ends.length > 0) await this.ctx.storage.setAlarm(Math.min(...ends));
    else await this.ctx.storage.deleteAll();
  }

  async #live(name) {
    const item = await this.ctx.storage.get(name);
    return item !== undefined && item.expiresAt > Date.now() ? item : undefined;
  }

  async #put(name, value, expiresAt) {
    await this.ctx.storage.put(name, { value, expiresAt });
    const alarm = await this.ctx.storage.getAlarm();
    if (alarm === null || alarm > expiresAt) await this.ctx.storage.setAlarm(expiresAt);
  }
}
