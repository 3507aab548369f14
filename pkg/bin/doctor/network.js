// The way to the host, as far as it can be seen without the API: its name, its port, its certificate. Never by a proxy.
import { lookup } from "node:dns/promises";
import { connect, isIP } from "node:net";
import { connect as connectTls } from "node:tls";
import { codeOf, waitingFor } from "./wait.js";

const DNS_MS = 5_000;
const TCP_MS = 5_000;
const TLS_MS = 5_000;
const DAY_MS = 86_400_000;
const FEW_DAYS = 14;

/** Resolves to `{ dns, tcp, tls }`, each undefined when it is in order, else the code of its fault. */
export async function checkNetwork({ url, report, words }) {
  const say = words.network;
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = Number(url.port) || (url.protocol === "https:" ? 443 : 80);
  await report.heading(say.heading);
  const dns = await checkDns(host, report, say);
  if (dns) return { dns };
  const tcp = await checkTcp(host, port, report, say);
  if (tcp) return { tcp };
  if (url.protocol === "http:") {
    await report.line("info", "TLS", say.plain);
    return {};
  }
  return { tls: await checkTls(host, port, report, say) };
}

async function checkDns(host, report, say) {
  if (isIP(host)) {
    await report.line("info", "DNS", say.isAddress(host));
    return undefined;
  }
  try {
    const addresses = await waitingFor(say.waitingDns(host), DNS_MS, () => lookup(host, { all: true }));
    const unique = [...new Set(addresses.map(({ address }) => address))];
    await report.line("good", "DNS", say.addresses(host, unique.slice(0, 4), unique.length));
    return undefined;
  } catch (error) {
    const code = codeOf(error);
    await report.line("fault", "DNS", say.noAddress(host, code));
    return code;
  }
}

async function checkTcp(host, port, report, say) {
  const started = performance.now();
  try {
    await waitingFor(say.waitingTcp(host, port), TCP_MS, (signal) => connected(connect({ host, port }), "connect", signal, () => {}));
    await report.line("good", "TCP", say.open(port, performance.now() - started));
    return undefined;
  } catch (error) {
    const code = codeOf(error);
    await report.line("fault", "TCP", say.closed(port, code));
    return code;
  }
}

async function checkTls(host, port, report, say) {
  // What is wrong with a certificate is told here, so it must not end the handshake. Nothing is sent.
  const servername = isIP(host) ? undefined : host;
  try {
    const { protocol, certificate, fault } = await waitingFor(say.waitingTls(host), TLS_MS, (signal) =>
      connected(connectTls({ host, port, servername, rejectUnauthorized: false }), "secureConnect", signal, (socket) => ({
        protocol: socket.getProtocol(),
        certificate: socket.getPeerCertificate(),
        fault: socket.authorized ? undefined : String(socket.authorizationError?.code ?? socket.authorizationError ?? "unknown"),
      })));
    const days = Math.floor((Date.parse(certificate.valid_to) - Date.now()) / DAY_MS);
    const issuer = certificate.issuer?.O ?? certificate.issuer?.CN ?? "?";
    if (fault) await report.line("fault", "TLS", say.untrusted(fault, String(issuer), days));
    else await report.line(days < FEW_DAYS ? "hint" : "good", "TLS", say.secure(protocol, String(issuer), days));
    return fault;
  } catch (error) {
    const code = codeOf(error);
    await report.line("fault", "TLS", say.noHandshake(code));
    return code;
  }
}

/** What `look` sees of a socket when `event` comes; the socket is gone then. */
function connected(socket, event, signal, look) {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => socket.destroy());
    socket.once("error", reject);
    socket.once("close", () => reject(Object.assign(new Error("closed"), { code: "ECONNRESET" })));
    socket.once(event, () => {
      resolve(look(socket));
      socket.destroy();
    });
  });
}
