// Looks for texts that must not be there, everywhere that an error or an object can be looked into. Runs in any runtime.

// Only Node has it: elsewhere the rest has to do.
const { inspect } = await import("node:util").catch(() => ({ inspect: String }));

/** The forms in which credentials could come to light. */
export function credentialForms({ apiKey, apiSecret }) {
  const basic = Buffer.from(`${apiKey}:${apiSecret}`).toString("base64");
  return [apiSecret, basic, basic.replace(/=+$/, ""), encodeURIComponent(apiSecret), Buffer.from(apiSecret).toString("hex")];
}

/** Whether any of `texts` can be seen in `value`; says where, else `undefined`. */
export function leak(value, texts) {
  const found = (text, where) => {
    const hit = texts.find((secret) => text.includes(secret));
    return hit === undefined ? undefined : `${where} shows ${JSON.stringify(hit)}`;
  };
  const attempt = (make) => {
    try {
      return String(make());
    } catch {
      return "";
    }
  };
  return (
    found(attempt(() => inspect(value, { depth: Infinity, showHidden: true, maxArrayLength: null, maxStringLength: null })), "inspect") ??
    found(attempt(() => JSON.stringify(value)), "JSON") ??
    found(attempt(() => value), "String") ??
    found(attempt(() => value?.stack), "stack") ??
    walk(value, found)
  );
}

/** Every property, enumerable or not, of everything that can be reached: own, inherited, `cause` and `errors` included. */
function walk(root, found) {
  const seen = new Set();
  const queue = [[root, "value"]];
  for (let steps = 0; queue.length > 0 && steps < 200_000; steps += 1) {
    const [value, path] = queue.shift();
    if (typeof value === "string" || typeof value === "symbol") {
      const hit = found(String(value), path);
      if (hit) return hit;
      continue;
    }
    if ((typeof value !== "object" && typeof value !== "function") || value === null || seen.has(value)) continue;
    seen.add(value);
    try {
      if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
        const hit = found(new TextDecoder("latin1").decode(value), `${path} (bytes)`);
        if (hit) return hit;
        continue;
      }
      // What every program shares: nothing of ours is in there, and it leads everywhere.
      if (SHARED.has(value)) continue;
      if (value instanceof Map || value instanceof Set) {
        for (const entry of value) queue.push([entry, `${path}[entry]`]);
      }
      // What is inherited is asked of the object itself: a prototype's getter tells nothing by itself.
      for (let owner = value; owner !== null && !SHARED.has(owner); owner = Object.getPrototypeOf(owner)) {
        for (const key of Reflect.ownKeys(owner)) {
          const hit = found(String(key), `a key of ${path}`);
          if (hit) return hit;
          try {
            queue.push([value[key], `${path}.${String(key)}`]);
          } catch {
            // It tells nothing.
          }
        }
      }
    } catch {
      // A proxy that does not let itself be looked into: it tells nothing.
    }
  }
  return undefined;
}

const SHARED = new Set([
  globalThis,
  ...Object.getOwnPropertyNames(globalThis)
    .filter((name) => /^[A-Z]/.test(name))
    .map((name) => globalThis[name])
    .flatMap((value) => [value, value?.prototype]),
]);
