// The machine: versions, and the variables that lead requests elsewhere. Their values are not shown: a proxy's address may
// hold a password.

const PROXIES = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"];

/** Which runtime this is, and its version. */
export function runtime() {
  const { Bun, Deno } = globalThis;
  if (Bun) return ["Bun", Bun.version];
  if (Deno) return ["Deno", Deno.version.deno];
  return ["Node.js", process.versions.node];
}

export async function checkMachine({ env, report, words, version, plain }) {
  const say = words.machine;
  await report.heading(say.heading);
  await report.line("info", "digitalpaye-auth", version);
  const [name, number] = runtime();
  await report.line("info", name, `${number}, ${process.platform} ${process.arch}`);
  const proxies = PROXIES.filter((each, index) => env[each] && !PROXIES.slice(0, index).some((other) => other.toLowerCase() === each && env[other] === env[each]));
  const active = usesProxy(env, plain);
  if (proxies.length > 0) await report.line(active || !leadsAway(env, plain) ? "info" : "hint", say.proxies, say.proxy(proxies, active, leadsAway(env, plain)));
  else await report.line("info", say.proxies, say.noProxies);
  if (env.NODE_EXTRA_CA_CERTS) await report.line("info", "NODE_EXTRA_CA_CERTS", say.extraAuthorities);
  if (env.NODE_TLS_REJECT_UNAUTHORIZED === "0") await report.line("fault", "NODE_TLS_REJECT_UNAUTHORIZED", say.noVerification);
}

/** Whether the runtime's `fetch` goes through a proxy. NO_PROXY may make an exception that is not looked at here. */
export function usesProxy(env, plain) {
  if (!leadsAway(env, plain)) return false;
  if (runtime()[0] !== "Node.js") return true;
  const flags = [...process.execArgv, ...(env.NODE_OPTIONS ?? "").split(/\s+/)];
  return env.NODE_USE_ENV_PROXY === "1" || flags.includes("--use-env-proxy");
}

/** Whether there is a proxy for the scheme. */
const leadsAway = (env, plain) => Boolean(plain ? env.http_proxy || env.HTTP_PROXY : env.https_proxy || env.HTTPS_PROXY);
