// The report's words in French. Whoever changes one changes its English twin.

const ms = (value) => (value < 10_000 ? `${Math.round(value)} ms` : `${Math.round(value / 1_000)} s`);
const count = (number, one, many = `${one}s`) => `${number} ${Math.abs(number) < 2 ? one : many}`;

function duration(seconds) {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return minutes === 60 ? "1 h" : `${minutes} min`;
  const hours = Math.round(seconds / 3_600);
  return hours < 48 ? `${hours} h` : count(Math.round(hours / 24), "jour");
}

const day = (date) => `${date.toISOString().slice(0, 16).replace("T", " ")} UTC`;

const CERTIFICATES = {
  DEPTH_ZERO_SELF_SIGNED_CERT: "le certificat est auto-signé : ce n’est pas celui de l’API, sauf si vous la servez vous-même",
  SELF_SIGNED_CERT_IN_CHAIN: "l’émetteur est inconnu ici : un proxy ou un antivirus qui lit le trafic ? Son autorité se met dans NODE_EXTRA_CA_CERTS",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "l’émetteur est inconnu ici, ou un certificat intermédiaire manque",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "l’émetteur est inconnu ici : un proxy ou un antivirus qui lit le trafic ? Son autorité se met dans NODE_EXTRA_CA_CERTS",
  CERT_HAS_EXPIRED: "le certificat a expiré, ou l’horloge de cette machine avance",
  CERT_NOT_YET_VALID: "le certificat n’est pas encore valable : l’horloge de cette machine retarde",
  ERR_TLS_CERT_ALTNAME_INVALID: "le certificat est celui d’un autre hôte : mauvaise adresse, ou quelqu’un entre les deux",
};

const fallbackHost = (code) => (code === "timeout" ? "pas de réponse à temps" : code);

export const french = {
  // Some spaces do not break.
  typeset: (text) => text.replace(/ (?=[:;?!»](?:\s|$))/g, "\u00a0").replace(/« /g, "«\u00a0"),
  title: (date) => `digitalpaye-auth doctor, ${day(date)}`,
  help: `Usage : digitalpaye-auth doctor [--try-sdk-path]

Affiche ce qui marche et ce qui ne marche pas, jusqu’au jeton. Le rapport ne
contient aucun secret et peut être montré. La commande envoie à l’API quelques
requêtes avec vos identifiants, et une sans eux.

  --try-sdk-path  demander aussi /v1/auth/token, le chemin du SDK de Digitalpaye
  -h, --help      afficher ce texte et terminer

Statut : 0 avec un jeton, 1 sans jeton, 2 si la configuration est inutilisable.
`,
  variables: {
    heading: "Variables",
    list: (findings) => findings.join(" ; "),
    set: "définie",
    key: (last) => (last ? `définie, se termine par ${last}` : "définie"),
    notSet: "non définie",
    empty: "vide, donc comme non définie",
    fallback: (value) => `non définie : ${value}`,
    foreign: (name) => `définie, mais pas lue ici : ce paquet lit ${name}`,
    other: "définie, mais pas lue ici",
    more: (number) => `et ${number} autres DIGITALPAYE_… qui ne sont pas lues`,
    unusable: (message) => `refusée : ${message}`,
    mistakes: {
      spaceFirst: "commence par une espace",
      spaceLast: "se termine par une espace",
      quoteFirst: "commence par un guillemet",
      quoteLast: "se termine par un guillemet",
      invisibleFirst: "commence par un caractère invisible",
      invisibleLast: "se termine par un caractère invisible",
      lineBreakFirst: "commence par un saut de ligne",
      lineBreakLast: "se termine par un saut de ligne : lue dans un fichier ?",
      lineBreakInside: "contient un saut de ligne : plusieurs lignes d’un fichier ?",
      invisibleInside: "contient un caractère invisible : copiée d’une page ?",
      scheme: "commence par Basic ou Bearer : seule la valeur a sa place ici",
      placeholder: "ressemble à un exemple qui n’a pas été remplacé",
      same: "est identique au secret",
    },
  },
  machine: {
    heading: "Machine",
    proxies: "Proxy",
    noProxies: "aucune variable n’en nomme",
    proxy: (names, active, leadsAway) => `${names.join(", ")} : ${active ? "les requêtes passent par lui"
      : leadsAway ? "Node.js l’ignore sans NODE_USE_ENV_PROXY=1 (Node.js 22.21, 24 ou plus récent)" : "pas pour cette adresse"}`,
    extraAuthorities: "définie : d’autres autorités de certification sont acceptées",
    noVerification: "vaut 0 : les certificats ne sont pas vérifiés, et n’importe qui sur le chemin peut lire le secret. Supprimez-la.",
  },
  network: {
    heading: "Réseau",
    waitingDns: (host) => `Recherche de ${host} …`,
    waitingTcp: (host, port) => `Connexion à ${host}, port ${port} …`,
    waitingTls: (host) => `Examen du certificat de ${host} …`,
    isAddress: (host) => `${host} est une adresse : aucun nom à chercher`,
    addresses: (host, some, all) => `${host} : ${some.join(", ")}${all > some.length ? ` et ${all - some.length} de plus` : ""}`,
    noAddress: (host, code) => `${host} n’a pas d’adresse (${fallbackHost(code)})`,
    open: (port, took) => `le port ${port} répond (${ms(took)})`,
    closed: (port, code) => (code === "ECONNREFUSED" ? `le port ${port} refuse les connexions (ECONNREFUSED)`
      : code === "timeout" ? `le port ${port} ne répond pas : un pare-feu ?` : `le port ${port} est inaccessible (${code})`),
    plain: "aucun : http, réservé à cette machine",
    secure: (protocol, issuer, days) => `${protocol}, certificat de ${issuer}, encore ${count(days, "jour")}`,
    untrusted: (code, issuer, days) => `${CERTIFICATES[code] ?? "le certificat n’est pas reconnu"} (${code} ; de ${issuer}, ${
      days < 0 ? `expiré depuis ${count(-days, "jour")}` : `encore ${count(days, "jour")}`})`,
    noHandshake: (code) => (code === "timeout" ? "la négociation n’aboutit pas : un proxy ou un pare-feu sur le chemin ?"
      : `pas de TLS sur ce port (${code}) : un proxy, ou autre chose que l’API`),
  },
  api: {
    waiting: (host) => `En attente de ${host} …`,
    notAsked: "pas demandé, puisque l’hôte est inaccessible",
    noAnswer: (code) => (code === "timeout" ? "pas de réponse en 10 s" : `pas de réponse (${code})`),
    answer: (status, type, isJson, took) => `${status}, ${type ?? "sans type de contenu"}, ${isJson ? "JSON" : "pas du JSON"} (${ms(took)})`,
    quote: (text) => `« ${text} »`,
    repeats: "omis : le texte répète une clé ou un secret",
    html: (title) => `une page${title ? ` intitulée « ${title} »` : ""}, pas l’API : la page de connexion d’un réseau, ou un proxy ?`,
    redirect: (target) => `mène à ${target ?? "une adresse illisible"} ; les identifiants ne suivent pas les redirections`,
    contract: (shape) => `un 200 sans jeton ni exp ; il y a : ${shape}`,
    retryAfter: (value, isSeconds) => (isSeconds ? `${value} s` : value),
    likely: "Probable",
    causes: {
      400: ["l’en-tête Authorization est retiré en chemin, par un proxy par exemple"],
      401: [
        "clé et secret inversés, ou de deux comptes",
        "ils sont d’un autre DIGITALPAYE_ENVIRONMENT",
        "révoqués ou renouvelés dans l’espace Digitalpaye",
      ],
      403: ["un pare-feu refuse l’adresse de cette machine, ou le compte est fermé"],
      404: ["mauvais chemin dans DIGITALPAYE_BASE_URL"],
      405: ["mauvais chemin dans DIGITALPAYE_BASE_URL"],
      407: ["le proxy exige un nom et un mot de passe"],
    },
  },
  clock: {
    label: "Horloge",
    noDate: "comparaison impossible : la réponse n’a pas de Date",
    cached: "comparaison impossible : la réponse vient d’un cache (Age)",
    agrees: (seconds) => `d’accord avec celle de l’API à ${seconds} s près`,
    ahead: (seconds) => `avance de ${duration(seconds)} sur celle de l’API`,
    behind: (seconds) => `retarde de ${duration(seconds)} sur celle de l’API`,
    remedy: (harmless) => ` : réglez-la (NTP)${harmless ? ". Les jetons marchent quand même" : ", sauf si c’est celle de l’API qui a tort"}`,
  },
  cors: {
    waiting: "Question posée comme par un navigateur …",
    noAnswer: (code) => `pas de réponse à la requête préalable (${fallbackHost(code)})`,
    refused: (status) => `impossible depuis un navigateur (requête préalable : ${status}) ; possible depuis un serveur`,
    noOrigin: "impossible depuis un navigateur (sans Access-Control-Allow-Origin) ; possible depuis un serveur",
    otherOrigin: "réservé aux pages de certaines origines ; possible depuis un serveur",
    missingHeaders: (names) => `impossible depuis un navigateur (${names.join(" et ")} hors de Access-Control-Allow-Headers) ; possible depuis un serveur`,
    allowed: "possible depuis les pages de toute origine",
  },
  sdk: {
    waiting: "Question à /v1/auth/token …",
    noAnswer: (code) => `pas de réponse (${fallbackHost(code)})`,
    answer: (status, isJson, names) => `${status}, ${isJson ? "JSON" : "pas du JSON"}${names.length > 0 ? ` avec ${names.join(", ")}` : ", sans jeton"}`,
  },
  token: {
    heading: "Jeton",
    waiting: "Demande d’un jeton …",
    label: "Jeton",
    form: "Forme",
    life: "Durée",
    had: (took) => `obtenu en ${ms(took)}`,
    none: (code, detail, message) => `aucun : ${code}${detail === undefined ? "" : ` (${detail})`}${message ? ` : ${message}` : ""}`,
    jwt: "un JWT avec iat et exp",
    jwtWithout: (names) => `un JWT sans ${names.join(" ni ")}`,
    opaque: "pas un JWT : sa durée se calcule d’après exp et Date",
    otherExp: (seconds) => `celui du JWT et data.exp diffèrent de ${duration(seconds)} ; le plus proche compte`,
    lives: (seconds) => `${seconds} s`,
    byClock: (seconds, byDate) => `${seconds} s d’après l’horloge de ${byDate ? "l’API" : "cette machine"}`,
    issuedBefore: (seconds) => `émis ${duration(seconds)} avant Date : un jeton plus ancien, ou une horloge fausse à l’API`,
    issuedAfter: (seconds) => `émis ${duration(seconds)} après Date : une horloge fausse à l’API ou sur le chemin`,
  },
  summary: {
    good: "Un jeton a été obtenu : il n’y a rien à faire.",
    skewed: "Jeton obtenu. Réglez l’horloge de cette machine, ou prévenez Digitalpaye.",
    unverified: "Jeton obtenu par une connexion qui n’est pas sûre. Voyez la ligne TLS.",
    unsteady: "Jeton obtenu, mais une réponse était mauvaise. Recommencez plus tard.",
    missing: (names) => `Définissez ${names.join(" et ")}.`,
    foreign: (ours, theirs) => `Donnez à ${ours} la valeur de ${theirs}.`,
    unusable: (name) => `Corrigez ${name}.`,
    marked: (name) => `Corrigez ${name} : voyez sa ligne ci-dessus.`,
    runtime: (code) => `Le paquet ne marche pas ici (${code}). Voyez la ligne Jeton.`,
    dns: "Vérifiez l’hôte dans DIGITALPAYE_BASE_URL, puis le DNS de cette machine.",
    tcp: "Vérifiez l’adresse dans DIGITALPAYE_BASE_URL, puis le pare-feu.",
    tls: "N’allez pas plus loin : la connexion n’est pas sûre. Voyez la ligne TLS.",
    network: "L’API ne répond pas. Vérifiez le réseau, puis recommencez.",
    timeout: "L’API ne répond pas à temps. Recommencez, puis prévenez Digitalpaye.",
    html: "Une page web a répondu. Connectez-vous au réseau, ou voyez avec son proxy.",
    redirect: "Mettez dans DIGITALPAYE_BASE_URL la véritable adresse de l’API.",
    contract: "La réponse a une forme inattendue. Mettez le paquet à jour ou signalez-la.",
    400: "L’API n’a vu aucun identifiant. Essayez sans proxy, ou voyez Digitalpaye.",
    401: "Comparez clé, secret et environnement avec l’espace Digitalpaye.",
    403: "Accès refusé. Demandez à Digitalpaye si l’adresse de la machine est admise.",
    404: "Vérifiez le chemin dans DIGITALPAYE_BASE_URL.",
    405: "Vérifiez le chemin dans DIGITALPAYE_BASE_URL.",
    407: "Donnez au proxy son nom d’utilisateur et son mot de passe.",
    429: "Trop de requêtes. Attendez le temps de Retry-After et partagez un jeton.",
    500: "L’API est en panne. Recommencez plus tard, puis prévenez Digitalpaye.",
    refusedByPackage: "L’API a donné un jeton que le paquet refuse. Voyez la ligne Jeton.",
    other: "La réponse de l’API est inattendue. Montrez ce rapport à Digitalpaye.",
  },
};
