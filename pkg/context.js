// A flight runs outside of any one caller's async context, where the platform can say so: its requests are shared. A framework
// that looks up its own state there would else take them for those of the page that happened to ask first.
import { platform } from "./platform.js";

let resource;

/** Calls a function outside of all async contexts. */
export function outsideOfContexts(callback) {
  // Where requests own their promises, they own their contexts too: nothing may be carried from one to the next.
  if (platform.isolate) return callback();
  if (resource === undefined) resource = emptyContext() ?? null;
  return resource ? resource.runInAsyncScope(callback) : callback();
}

/** An AsyncResource of Node.js in which every AsyncLocalStorage is empty, whoever calls; undefined where there is none. */
function emptyContext() {
  try {
    const { AsyncLocalStorage, AsyncResource } = globalThis.process.getBuiltinModule("node:async_hooks");
    const empty = new AsyncResource("digitalpaye-auth");
    // Node.js has no API for it: a resource carries the contexts of the one that made it, under symbols of its own.
    for (const name of Object.getOwnPropertySymbols(empty)) {
      if (/store|context/i.test(name.description)) empty[name] = undefined;
    }
    const probe = new AsyncLocalStorage();
    const isEmpty = probe.run(true, () => empty.runInAsyncScope(() => probe.getStore() === undefined));
    // Else Node.js before 24 calls hooks for every promise of the process from here on.
    probe.disable();
    return isEmpty ? empty : undefined;
  } catch {
    return undefined;
  }
}
