// The report's words in English. Whoever changes one changes its French twin.

const ms = (value) => (value < 10_000 ? `${Math.round(value)} ms` : `${Math.round(value / 1_000)} s`);
const count = (number, one, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;

function duration(seconds) {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return minutes === 60 ? "1 h" : `${minutes} min`;
  const hours = Math.round(seconds / 3_600);
  return hours < 48 ? `${hours} h` : count(Math.round(hours / 24), "day");
}

const day = (date) => `${date.toISOString().slice(0, 16).replace("T", " ")} UTC`;

const CERTIFICATES = {
  DEPTH_ZERO_SELF_SIGNED_CERT: "the certificate is self-signed: not the API's, unless you run it yourself",
  SELF_SIGNED_CERT_IN_CHAIN: "the issuer is unknown here: a proxy or antivirus that reads traffic? Its authority goes into NODE_EXTRA_CA_CERTS",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the issuer is unknown here, or a certificate between is not sent",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "the issuer is unknown here: a proxy or antivirus that reads traffic? Its authority goes into NODE_EXTRA_CA_CERTS",
  CERT_HAS_EXPIRED: "the certificate has expired, or this machine's clock is fast",
  CERT_NOT_YET_VALID: "the certificate is not valid yet: this machine's clock is slow",
  ERR_TLS_CERT_ALTNAME_INVALID: "the certificate is for another host name: wrong address, or somebody between",
};

const fallbackHost = (code) => (code === "timeout" ? "no answer in time" : code);

export const english = {
  typeset: (text) => text,
  title: (date) => `digitalpaye-auth doctor, ${day(date)}`,
  help: `Usage: digitalpaye-auth doctor [--try-sdk-path]

Prints what works on the way to a token and what does not. The report holds no
secret and may be shown to others. It sends a few requests with your credentials
to the API, and one without.

  --try-sdk-path  also ask /v1/auth/token, the path of Digitalpaye's SDK
  -h, --help      print this and exit

Exit status: 0 with a token, 1 without, 2 if the configuration is unusable.
`,
  variables: {
    heading: "Variables",
    list: (findings) => findings.join("; "),
    set: "set",
    key: (last) => (last ? `set, ends in ${last}` : "set"),
    notSet: "not set",
    empty: "empty, which counts as not set",
    fallback: (value) => `not set: ${value}`,
    foreign: (name) => `set, but not read here: this package reads ${name}`,
    other: "set, but not read here",
    more: (number) => `and ${number} more DIGITALPAYE_… that are not read`,
    unusable: (message) => `refused: ${message}`,
    mistakes: {
      spaceFirst: "begins with a space",
      spaceLast: "ends with a space",
      quoteFirst: "begins with a quote",
      quoteLast: "ends with a quote",
      invisibleFirst: "begins with an invisible character",
      invisibleLast: "ends with an invisible character",
      lineBreakFirst: "begins with a line break",
      lineBreakLast: "ends with a line break: read from a file?",
      lineBreakInside: "holds a line break: more than one line of a file?",
      invisibleInside: "holds an invisible character: copied from a page?",
      scheme: "begins with Basic or Bearer: only the value itself belongs here",
      placeholder: "looks like a placeholder that was never replaced",
      same: "is the same as the secret",
    },
  },
  machine: {
    heading: "Machine",
    proxies: "Proxy",
    noProxies: "no variable names one",
    proxy: (names, active, leadsAway) => `${names.join(", ")} set; ${active ? "requests go through it"
      : leadsAway ? "Node.js ignores it unless NODE_USE_ENV_PROXY=1 (Node.js 22.21, 24 or newer)" : "not for this address"}`,
    extraAuthorities: "set: more certificate authorities are trusted",
    noVerification: "set to 0: certificates are not checked, so anybody on the way can read the secret. Unset it.",
  },
  network: {
    heading: "Network",
    waitingDns: (host) => `Looking up ${host} …`,
    waitingTcp: (host, port) => `Connecting to ${host}, port ${port} …`,
    waitingTls: (host) => `Looking at the certificate of ${host} …`,
    isAddress: (host) => `${host} is an address: no name to look up`,
    addresses: (host, some, all) => `${host}: ${some.join(", ")}${all > some.length ? ` and ${all - some.length} more` : ""}`,
    noAddress: (host, code) => `${host} has no address (${fallbackHost(code)})`,
    open: (port, took) => `port ${port} answers (${ms(took)})`,
    closed: (port, code) => (code === "ECONNREFUSED" ? `port ${port} refuses connections (ECONNREFUSED)`
      : code === "timeout" ? `port ${port} does not answer: a firewall?` : `port ${port} cannot be reached (${code})`),
    plain: "none: http, which is for this machine only",
    secure: (protocol, issuer, days) => `${protocol}, certificate by ${issuer}, ${count(days, "day")} left`,
    untrusted: (code, issuer, days) => `${CERTIFICATES[code] ?? "the certificate is not trusted"} (${code}; by ${issuer}, ${
      days < 0 ? `ended ${count(-days, "day")} ago` : `${count(days, "day")} left`})`,
    noHandshake: (code) => (code === "timeout" ? "the handshake does not end: a proxy or firewall between?"
      : `no TLS on this port (${code}): a proxy, or not the API`),
  },
  api: {
    waiting: (host) => `Waiting for ${host} …`,
    notAsked: "not asked, since the host cannot be reached",
    noAnswer: (code) => (code === "timeout" ? "no answer within 10 s" : `no answer (${code})`),
    answer: (status, type, isJson, took) => `${status}, ${type ?? "no content type"}, ${isJson ? "JSON" : "not JSON"} (${ms(took)})`,
    quote: (text) => `“${text}”`,
    repeats: "left out: it repeats a key or secret",
    html: (title) => `a page${title ? ` titled “${title}”` : ""}, not the API: the sign-in page of a network, or a proxy?`,
    redirect: (target) => `leads to ${target ?? "nowhere that can be read"}; credentials do not follow redirects`,
    contract: (shape) => `a 200 without a token and exp; there is: ${shape}`,
    retryAfter: (value, isSeconds) => (isSeconds ? `${value} s` : value),
    likely: "Likely",
    causes: {
      400: ["something on the way removes the Authorization header, such as a proxy"],
      401: [
        "key and secret swapped, or of two accounts",
        "they belong to another DIGITALPAYE_ENVIRONMENT",
        "revoked or renewed in Digitalpaye's dashboard",
      ],
      403: ["a firewall refuses this machine's address, or the account is closed"],
      404: ["a wrong path in DIGITALPAYE_BASE_URL"],
      405: ["a wrong path in DIGITALPAYE_BASE_URL"],
      407: ["the proxy wants a user name and a password"],
    },
  },
  clock: {
    label: "Clock",
    noDate: "cannot be compared: the answer has no Date",
    cached: "cannot be compared: the answer comes from a cache (Age)",
    agrees: (seconds) => `agrees with the API's to ${seconds} s`,
    ahead: (seconds) => `${duration(seconds)} ahead of the API's`,
    behind: (seconds) => `${duration(seconds)} behind the API's`,
    remedy: (harmless) => `: set it (NTP)${harmless ? ". Tokens work all the same" : ", unless it is the API's that is wrong"}`,
  },
  cors: {
    waiting: "Asking as a browser would …",
    noAnswer: (code) => `no answer to the preflight (${fallbackHost(code)})`,
    refused: (status) => `pages in a browser cannot ask (preflight: ${status}); servers can`,
    noOrigin: "pages in a browser cannot ask (no Access-Control-Allow-Origin); servers can",
    otherOrigin: "only pages of certain origins may ask; servers can",
    missingHeaders: (names) => `pages in a browser cannot ask (${names.join(" and ")} not in Access-Control-Allow-Headers); servers can`,
    allowed: "pages of any origin may ask",
  },
  sdk: {
    waiting: "Asking /v1/auth/token …",
    noAnswer: (code) => `no answer (${fallbackHost(code)})`,
    answer: (status, isJson, names) => `${status}, ${isJson ? "JSON" : "not JSON"}${names.length > 0 ? ` with ${names.join(", ")}` : ", no token"}`,
  },
  token: {
    heading: "Token",
    waiting: "Getting a token …",
    label: "Token",
    form: "Form",
    life: "Life",
    had: (took) => `obtained in ${ms(took)}`,
    none: (code, detail, message) => `none: ${code}${detail === undefined ? "" : ` (${detail})`}${message ? `: ${message}` : ""}`,
    jwt: "a JWT with iat and exp",
    jwtWithout: (names) => `a JWT without ${names.join(" and ")}`,
    opaque: "no JWT: its life is reckoned by exp and Date",
    otherExp: (seconds) => `the JWT's and data.exp are ${duration(seconds)} apart; the earlier counts`,
    lives: (seconds) => `${seconds} s`,
    byClock: (seconds, byDate) => `${seconds} s by ${byDate ? "the API's" : "this machine's"} clock`,
    issuedBefore: (seconds) => `issued ${duration(seconds)} before Date: an older token, or a wrong clock at the API`,
    issuedAfter: (seconds) => `issued ${duration(seconds)} after Date: a wrong clock at the API or on the way`,
  },
  summary: {
    good: "A token was obtained: there is nothing to do.",
    skewed: "A token was obtained. Set this machine's clock, or tell whoever runs the API.",
    unverified: "A token was obtained over a connection that is not safe. See the line TLS.",
    unsteady: "A token was obtained, but not every answer was good. Run it again later.",
    missing: (names) => `Set ${names.join(" and ")}.`,
    foreign: (ours, theirs) => `Set ${ours} to the value of ${theirs}.`,
    unusable: (name) => `Correct ${name}.`,
    marked: (name) => `Correct ${name}: see its line above.`,
    runtime: (code) => `The package cannot run here (${code}). See the line Token.`,
    dns: "Check the host in DIGITALPAYE_BASE_URL, then DNS on this machine.",
    tcp: "Check the address in DIGITALPAYE_BASE_URL, then the firewall.",
    tls: "Do not go on: the connection is not safe. See the line TLS.",
    network: "The API gives no answer. Check the network, then try again.",
    timeout: "The API does not answer in time. Try again later, then tell Digitalpaye.",
    html: "A web page answered. Sign in to this network, or ask whoever runs its proxy.",
    redirect: "Set DIGITALPAYE_BASE_URL to the address that the API really has.",
    contract: "The API answers in another form. Update the package, or report it.",
    400: "The API saw no credentials. Try without the proxy, then ask Digitalpaye.",
    401: "Compare key, secret and environment with Digitalpaye's dashboard.",
    403: "Access is refused. Ask Digitalpaye whether this machine's address is allowed.",
    404: "Check the path in DIGITALPAYE_BASE_URL.",
    405: "Check the path in DIGITALPAYE_BASE_URL.",
    407: "Give the proxy its user name and password.",
    429: "Too many requests. Wait as long as Retry-After says, and share one token.",
    500: "The API has a fault of its own. Try again later, then tell Digitalpaye.",
    refusedByPackage: "The API gave a token that the package refuses. See the line Token.",
    other: "The API gave an answer that is not expected. Show this report to Digitalpaye.",
  },
};
