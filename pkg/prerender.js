// Next.js learns from the calls of fetch which pages it cannot render ahead of time: fetch throws an error of Next's own, or
// never settles. An exchange is shared and a token is kept, so a page that gets one may not call fetch at all; it would be
// written to disk with the token in it. Hence every call asks for itself, by a fetch that needs no network.

/** What fetch is asked for. Next's messages name it, so it says who asked. */
const PROBE = "data:,digitalpaye-auth";
/** Next.js from 15 on sets this, whoever has wrapped its fetch since. */
const PATCHED = Symbol.for("next-patch");

/** The global fetch that was found last not to be Next's: a held token is asked for often. Weak, for it may be somebody's mock. */
let plain;

/** Whether a page or a route of Next.js may be what calls. */
export function isInNext() {
  try {
    const { fetch } = globalThis;
    if (fetch === plain?.deref()) return false;
    if (fetch?.__nextPatched !== true && globalThis[PATCHED] !== true) {
      // Older releases of workerd have no such class; there, every call looks anew.
      plain = typeof WeakRef === "function" ? new WeakRef(fetch) : undefined;
      return false;
    }
    const storage = fetch.__nextGetStaticStore?.();
    return storage === undefined || storage.getStore() !== undefined;
  } catch {
    // Some sandboxes throw for a look at fetch.
    return false;
  }
}

/**
 * Where Next.js renders: a promise that is fulfilled if the caller may go on, and otherwise does what Next's fetch does.
 * Elsewhere undefined.
 */
export function renderingOnDemand() {
  if (!isInNext()) return undefined;
  return globalThis.fetch(PROBE, { method: "HEAD", cache: "no-store" }).then(goOn, (error) => {
    // A platform whose fetch knows no such URL. Next's errors are of other kinds.
    if (error?.name !== "TypeError") throw error;
  });
}

const goOn = () => {};
