// Next.js as a page meets it: its fetch, and the renders that it tells apart by async context.
import { AsyncLocalStorage } from "node:async_hooks";

/** What Next's fetch does with a request that no cache may answer, by the kind of render that it is made in. */
const RENDERS = {
  // Ahead of time: Next 14 and 15, and 16 without cacheComponents.
  ahead: () => {
    throw Object.assign(new Error("couldn't be rendered statically"), { digest: "DYNAMIC_SERVER_USAGE" });
  },
  // Ahead of time, with cacheComponents.
  partial: () => new Promise(() => {}),
  // `dynamic = "error"`: a page that has to be static.
  strict: () => {
    throw Object.assign(new Error("couldn't be rendered statically"), { code: "NEXT_STATIC_GEN_BAILOUT" });
  },
  // For a request, or for a cache of the page's own ("use cache", force-static).
  live: () => {},
};

/**
 * Puts Next's fetch in place of the global one, on top of `platform`. `render(kind, page)` runs a page; its promise has, as
 * `told`, how often the page has told Next that it is not static, and as `clock`, how often it asked for the time before that.
 */
export function installNext(platform) {
  const storage = new AsyncLocalStorage();
  const patched = async (input, init) => {
    const render = storage.getStore();
    if (render && init?.cache === "no-store") {
      render.told += 1;
      await RENDERS[render.kind]();
    }
    return platform(input, init);
  };
  patched.__nextPatched = true;
  patched.__nextGetStaticStore = () => storage;
  globalThis.fetch = patched;

  const { now } = Date;
  Date.now = () => {
    const render = storage.getStore();
    if (render?.told === 0) render.clock += 1;
    return now();
  };
  return (kind, page) => {
    const render = { kind, told: 0, clock: 0 };
    return Object.assign(storage.run(render, async () => page()), { render });
  };
}
