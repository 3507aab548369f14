// What the form holds: the options of the package. Nothing of it is stored.

/** What the local stand-in takes when it is started by hand. */
export const STAND_IN = {
  apiKey: "sandbox_key", apiSecret: "sandbox_secret", baseUrl: "http://127.0.0.1:8787", environment: "Sandbox",
};

export const settings = {
  apiKey: "", apiSecret: "", environment: "Production", baseUrl: "", timeout: "", maxRetries: "",
  /** Whether this page came with a stand-in (`npm start`). */
  given: false,
};

/** The credentials that `npm start` gives to the page it serves; everywhere else the file is empty. */
export async function loadGiven() {
  try {
    const response = await fetch("./sandbox.json", { cache: "no-store" });
    const given = await response.json();
    if (typeof given?.baseUrl !== "string") return;
    for (const name of Object.keys(STAND_IN)) if (typeof given[name] === "string") settings[name] = given[name];
    settings.given = true;
  } catch {
    // No such file, or another one: then there is nothing to fill in.
  }
}

/** The form as the package's options: an empty optional field is one that was not given. */
export function options() {
  const { apiKey, apiSecret, environment, baseUrl, timeout, maxRetries } = settings;
  const number = (text) => (text.trim() === "" ? undefined : Number(text));
  return {
    apiKey, apiSecret, environment: environment || undefined, baseUrl: baseUrl.trim() || undefined,
    timeout: number(timeout), maxRetries: number(maxRetries),
  };
}
