// The stand-in's control API over the engine's own fetch, so that the suite can use it wherever it runs.

export function controlOf(baseUrl) {
  async function call(method, path, body) {
    // A text, so that a page may send it without asking first.
    const response = await fetch(`${baseUrl}/_sandbox${path}`, {
      method, body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`the stand-in refused ${method} ${path}: ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  }

  return {
    reset: () => call("POST", "/reset"),
    config: (change) => call("POST", "/config", change),
    script: (...behaviours) => call("POST", "/script", behaviours),
    revoke: () => call("POST", "/revoke", {}),
    /** The requests that came to `path`, preflight requests left out. */
    async requests(path = "/v1/auth") {
      const all = await call("GET", "/requests");
      return all.filter((request) => request.path === path && request.method !== "OPTIONS");
    },
  };
}
