// What a benchmark found, as docs/performance.md shows it: ratios first, raw figures beside, bounds, and a chart.

import { typeset } from "../lib/typography.mjs";

const ours = "digitalpaye-auth";

const KB = (bytes) => `${(bytes / 1_000).toFixed(1)} KB`;
const ms = (value) => `${value.toFixed(value < 10 ? 1 : 0)} ms`;
const us = (value) => (value < 10 ? `${value.toFixed(2)} µs` : `${value.toFixed(0)} µs`);

/** A row compares us with a peer: what is measured, how it reads, and how far above the peer it may be. */
const comparisons = [
  { figure: "bytes", unit: KB, peers: { axios: [1.85, 1.25] } },
  { figure: "cold", unit: ms, peers: { fetch: [1.25, 1.1], axios: [0.8] } },
  { figure: "exchange", unit: us, peers: { fetch: [1.5, 1.25], "fetch-timeout": [], "fetch-rules": [], axios: [1.15] } },
  { figure: "once", unit: us, peers: { fetch: [1.75, 1.25] } },
  { figure: "read", unit: us, peers: { "digitalpaye-node": [1.25, 1] } },
  { figure: "herd", unit: ms, peers: { "digitalpaye-node": [1] } },
];

const languages = {
  en: {
    figures: {
      bytes: "Bytes in a browser bundle (esbuild, minified, brotli), the whole API",
      cold: "Cold start: a Node process that imports and gets one token",
      exchange: "CPU for one exchange, keep-alive, one after the other",
      once: "The same by `authenticate()`, a client for each",
      read: "Awaited read of a held token",
      herd: "10,000 callers at once, nothing held",
    },
    heads: [["Figure", "Ratio", "Ours", "Theirs", "Bound", "Met"], ["Figure", ...["digitalpaye-auth", "fetch", "fetch + timeout", "fetch + rules", "axios", "ky", "oauth4webapi", "digitalpaye-node"]], ["Node", "Cold start, ratio to fetch", "to axios", "CPU for one exchange, ratio to fetch", "to axios"], ["Figure", "Found", "Bound", "Met"]],
    of: (peer) => `× ${peer}`, yes: "yes", no: "**no**", none: "–", named: { "fetch-timeout": "fetch with a timeout", "fetch-rules": "fetch by the same rules" },
    requests: "Requests for 10,000 callers at once (digitalpaye-node: {})", growth: "Memory after 20,000 exchanges and 1,000,000 reads", pages: "of wasm memory", workerd: "First call in a workerd isolate, above plain fetch",
    made: ({ date, node, machine, versions }) => `Made on ${date} by \`npm run bench -- --write\`: Node ${node}, ${machine}; ${versions}; a server that answers with a constant, in another process. Medians of rounds in which the peers take turns, each in a process of its own. Each peer speaks its own contract.`,
    alt: "digitalpaye-auth beside its peers: ratios of the table below, and their bounds",
  },
  fr: {
    figures: {
      bytes: "Octets dans un paquet pour navigateur (esbuild, minifié, brotli), toute l’API",
      cold: "Démarrage à froid : un processus Node qui importe et obtient un jeton",
      exchange: "CPU d’un échange, connexion gardée, l’un après l’autre",
      once: "Le même par `authenticate()`, un client pour chacun",
      read: "Lecture attendue d’un jeton détenu",
      herd: "10 000 appelants à la fois, rien de détenu",
    },
    heads: [["Mesure", "Rapport", "Nous", "Eux", "Limite", "Tenue"], ["Mesure", ...["digitalpaye-auth", "fetch", "fetch + délai", "fetch + règles", "axios", "ky", "oauth4webapi", "digitalpaye-node"]], ["Node", "Démarrage à froid, rapport à fetch", "à axios", "CPU d’un échange, rapport à fetch", "à axios"], ["Mesure", "Valeur", "Limite", "Tenue"]],
    of: (peer) => `× ${peer}`, yes: "oui", no: "**non**", none: "–", named: { "fetch-timeout": "fetch avec un délai", "fetch-rules": "fetch selon les mêmes règles" },
    requests: "Requêtes pour 10 000 appelants à la fois (digitalpaye-node : {})", growth: "Mémoire après 20 000 échanges et 1 000 000 de lectures", pages: "de mémoire wasm", workerd: "Premier appel dans un isolat workerd, au-delà de fetch seul",
    made: ({ date, node, machine, versions }) => `Établi le ${date} par \`npm run bench -- --write\` : Node ${node}, ${machine} ; ${versions} ; un serveur qui répond par une constante, dans un autre processus. Médianes de tours où chacun passe, dans un processus à lui. Chacun parle son propre contrat.`,
    alt: "digitalpaye-auth à côté des autres : les rapports du tableau ci-dessous et leurs limites",
  },
};

const row = (cells) => `| ${cells.join(" | ")} |`;
const table = (head, rows) => [row(head), row(head.map(() => "---")), ...rows.map(row)].join("\n");

/** `{ figure, peer, ratio, bound, goal }` for every comparison. */
export function ratios(figures) {
  return comparisons.flatMap(({ figure, unit, peers }) => Object.entries(peers).map(([peer, [bound, goal]]) => ({
    figure, unit, peer, bound, goal, mine: figures[figure][ours], theirs: figures[figure][peer],
    ratio: figures[figure][ours] / figures[figure][peer],
  })));
}

/** The tables, with how they were made. */
export function tables(figures, about, language) {
  const words = languages[language];
  const decimal = (text) => (language === "fr" ? text.replaceAll(/(\d)\.(\d)/g, "$1,$2").replaceAll(" KB", " ko").replaceAll(" B", " o") : text);
  const met = (holds) => (holds === undefined ? words.none : holds ? words.yes : words.no);
  const compared = ratios(figures).map(({ figure, unit, peer, bound, goal, mine, theirs, ratio }) => [
    words.figures[figure], `**${ratio.toFixed(2)}** ${words.of(words.named[peer] ?? peer)}`, unit(mine), unit(theirs),
    bound === undefined ? words.none : `≤ ${bound}${goal ? ` (${goal})` : ""}`, met(bound === undefined ? undefined : ratio <= bound),
  ]);
  const { requests, growth, workerd } = figures;
  const absolute = [
    [words.requests.replace("{}", requests["digitalpaye-node"].toLocaleString(language)), `**${requests[ours]}**`, "1", met(requests[ours] === 1)],
    [words.growth, `**${KB(growth.bytes)}**, ${growth.pages} pages ${words.pages}`, "< 2 MB, 0 pages", met(growth.bytes < 2e6 && growth.pages === 0)],
    [words.workerd, `**${ms(workerd[ours] - workerd.fetch)}** (${ms(workerd[ours])}, ${ms(workerd.fetch)})`, "6 ms (4)", met(workerd[ours] - workerd.fetch <= 6)],
  ];
  const names = [ours, "fetch", "fetch-timeout", "fetch-rules", "axios", "ky", "oauth4webapi", "digitalpaye-node"];
  const raw = comparisons.map(({ figure, unit }) => [
    words.figures[figure], ...names.map((name) => (figures[figure][name] === undefined ? words.none : unit(figures[figure][name]))),
  ]);
  const nodes = Object.entries(figures.nodes).map(([name, { cold, exchange }]) => [
    name, ...[[cold, "fetch"], [cold, "axios"], [exchange, "fetch"], [exchange, "axios"]].map(([found, peer]) => (found[ours] / found[peer]).toFixed(2)),
  ]);
  const text = decimal([
    `![${words.alt}](../tests/bench/chart.svg)`, table(words.heads[0], compared), table(words.heads[3], absolute), table(words.heads[1], raw),
    ...(nodes.length > 0 ? [table(words.heads[2], nodes)] : []),
  ].join("\n\n")) + `\n\n${words.made(about)}`;
  return language === "fr" ? typeset(text) : text;
}

const captions = { bytes: "bundle bytes", cold: "cold start", exchange: "CPU per exchange", once: "CPU of authenticate()", read: "read of a held token", herd: "10,000 callers" };

/** Bars for the ratios, a mark at each bound; readable on light and on dark. */
export function chart(figures) {
  const found = ratios(figures);
  const [left, width, line] = [290, 360, 30];
  const most = Math.max(2, ...found.map(({ ratio, bound = 0 }) => Math.max(ratio, bound)));
  const x = (ratio) => left + (width * ratio) / most;
  const height = line * found.length + 34;
  const bars = found.map(({ figure, peer, ratio, bound }, index) => {
    const y = 8 + index * line;
    const holds = bound === undefined || ratio <= bound;
    return [
      `<text x="${left - 8}" y="${y + 15}" text-anchor="end">${captions[figure]} / ${peer}</text>`,
      `<rect x="${left}" y="${y + 2}" width="${(x(ratio) - left).toFixed(1)}" height="18" rx="2" class="${holds ? "met" : "missed"}"/>`,
      ...(bound === undefined ? [] : [`<path d="M${x(bound).toFixed(1)} ${y - 1}v24" class="bound"/>`]),
      `<text x="${(x(Math.max(ratio, bound ?? 0)) + 6).toFixed(1)}" y="${y + 15}">${ratio.toFixed(2)}</text>`,
    ].join("");
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${left + width + 60} ${height}" role="img" aria-label="Ratios of digitalpaye-auth to its peers; a line marks each bound">
<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.met { fill: #1a7f64 } .missed { fill: #c4590a } .bound { stroke: #57606a; stroke-width: 2 } .one { stroke: #8c959f; stroke-dasharray: 3 3 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .met { fill: #3fb68b } .missed { fill: #f0883e } .bound { stroke: #c9d1d9 } .one { stroke: #6e7681 } }
</style>
<path d="M${x(1)} 0v${height - 24}" class="one"/>
${bars.join("\n")}
<text x="${x(1)}" y="${height - 6}" text-anchor="middle">1 = the peer</text>
</svg>
`;
}
