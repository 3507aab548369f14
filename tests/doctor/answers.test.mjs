// `digitalpaye-auth doctor` before a server of TLS, and before one that answers anything.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { authority } from "../faults/authority.mjs";
import { jwt, failure } from "../lib/replies.mjs";
import { credentials, doctor, startApi, stopAll } from "./command.mjs";

after(stopAll);

const good = await startApi();
const at = ({ url }) => ({ DIGITALPAYE_BASE_URL: url });
const label = { post: "POST /v1/auth", key: "DIGITALPAYE_API_KEY", secret: "DIGITALPAYE_API_SECRET" };

describe("TLS", { concurrency: 2 }, async () => {
  const certificates = await authority();
  const trusted = { NODE_EXTRA_CA_CERTS: certificates.file };

  test("a certificate that is trusted", async () => {
    const api = await startApi(undefined, { tls: certificates.good });
    const { status, findings } = await doctor({ ...at(api), ...trusted });
    assert.equal(status, 0);
    assert.match(findings.DNS, /^✓ localhost: .*127\.0\.0\.1/);
    assert.match(findings.TLS, /^! TLSv1\.3, certificate by authority, 1 day left$/);
    assert.equal(findings.NODE_EXTRA_CA_CERTS, "· set: more certificate authorities are trusted");
  });

  const rows = {
    "self-signed": [/^✗ the certificate is self-signed: .*DEPTH_ZERO_SELF_SIGNED_CERT/],
    "expired": [/^✗ the certificate has expired.*CERT_HAS_EXPIRED; by authority, ended \d days? ago\)$/],
    "wrong host": [/^✗ the certificate is for another host name: .*ERR_TLS_CERT_ALTNAME_INVALID/],
  };
  for (const [name, [finding]] of Object.entries(rows)) {
    test(name, async () => {
      const api = await startApi(undefined, { tls: certificates[name] });
      const { status, stdout, findings, summary } = await doctor({ ...at(api), ...trusted });
      assert.equal(status, 1);
      assert.match(findings.TLS, finding);
      assert.doesNotMatch(stdout, / \d+\n +days? /, "no line ends between a number and its unit");
      assert.match(findings[label.post], /^✗ no answer \(/);
      assert.match(summary, /^✗ Do not go on: the connection is not safe/);
      assert.equal(api.requests.length, 0);
    });
  }

  test("an authority that is not known", async () => {
    const api = await startApi(undefined, { tls: certificates.good });
    const { status, findings } = await doctor(at(api));
    assert.equal(status, 1);
    assert.match(findings.TLS, /^✗ the issuer is unknown here/);
  });

  test("verification that was turned off", async () => {
    const api = await startApi(undefined, { tls: certificates["self-signed"] });
    const { status, stdout, findings, summary } = await doctor({ ...at(api), NODE_TLS_REJECT_UNAUTHORIZED: "0" });
    assert.equal(status, 0);
    assert.match(stdout, / {2}✗ NODE_TLS_REJECT_UNAUTHORIZED\n {29}set to 0: certificates are not checked/);
    assert.match(findings.TLS, /^✗ the certificate is self-signed/);
    assert.match(summary, /^✗ A token was obtained over a connection that is not safe/);
  });

  test("a server without TLS", async () => {
    const { status, findings } = await doctor(at({ url: `https://127.0.0.1:${good.port}` }));
    assert.equal(status, 1);
    assert.match(findings.TLS, /^✗ no TLS on this port \(/);
  });
});

describe("answers", { concurrency: 2 }, () => {
  const page = "<!doctype html><html><head><title>Wi-Fi de l’hôtel</title></head><body>Bienvenue</body></html>";
  const json = (status, headers) => (_, __, api) => api.json(status, failure(status, "raison"), headers);
  const rows = {
    "a captive portal": [(_, response) => response.writeHead(200, { "Content-Type": "text/html; charset=utf-8" }).end(page),
      /^✗ 200, text\/html; charset=utf-8, not JSON/, "HTML", "✗ a page titled “Wi-Fi de l’hôtel”, not the API: the sign-in page of a network, or a proxy?", "✗ A web page answered."],
    "a redirect": [(_, response) => response.writeHead(302, { Location: "http://u:p4ss@portal.example/login?token=t0k" }).end(),
      /^✗ 302, no content type, not JSON/, "Location", "✗ leads to http://portal.example/login; credentials do not follow redirects", "✗ Set DIGITALPAYE_BASE_URL"],
    "a redirect to nowhere": [(_, response) => response.writeHead(302).end(),
      /^✗ 302, /, "Location", "✗ leads to nowhere that can be read; credentials do not follow redirects", "✗ Set DIGITALPAYE_BASE_URL"],
    "a path that cannot be decoded": [(_, response) => response.writeHead(302, { Location: "/caf%E9" }).end(),
      /^✗ 302, /, "Location", /^✗ leads to http:\/\/127\.0\.0\.1:\d+\/caf%E9; credentials/, "✗ Set DIGITALPAYE_BASE_URL"],
    "400": [json(400), /^✗ 400, application\/json, JSON/, "Likely", /^! something on the way removes the Authorization header/, "✗ The API saw no credentials."],
    "401": [json(401), /^✗ 401, /, "Likely", /^! key and secret swapped, or of two accounts/, "✗ Compare key, secret and environment"],
    "403": [json(403), /^✗ 403, /, "Likely", /^! a firewall refuses/, "✗ Access is refused."],
    "404": [json(404), /^✗ 404, /, "Likely", "! a wrong path in DIGITALPAYE_BASE_URL", "✗ Check the path"],
    "429": [json(429, { "Retry-After": "3600" }), /^✗ 429, /, "Retry-After", "! 3600 s", "✗ Too many requests."],
    "500": [json(500), /^✗ 500, /, "reason", "· “raison”", "✗ The API has a fault of its own."],
    "a 200 that means 401": [(_, __, api) => api.json(200, failure(401, "raison")), /^✗ 200, /, "reason", "· “raison”", "✗ Compare key"],
    "a 200 of another form": [(_, __, api) => api.json(200, { access_token: "t0k", expires_in: 60 }), /^✗ 200, /, "data",
      "✗ a 200 without a token and exp; there is: access_token: string, expires_in: number", "✗ The API answers in another form"],
    "a 200 with nothing in it": [(_, __, api) => api.json(200, {}), /^✗ 200, /, "data", "✗ a 200 without a token and exp; there is: {}", "✗ The API answers in another form"],
    "a token that has ended": [(_, __, api) => api.grant({ change: () => ({ token: jwt({ iat: 5, exp: 4 }), exp: 4 }) }), /^✓ 200, /, "Token", /^✗ none: invalid_response/,
      "✗ The API gave a token that the package refuses."],
    "words that repeat the secret": [(_, __, api) => api.json(401, failure(401, `pas ${credentials.apiSecret}`)), /^✗ 401, /, "reason", "· left out: it repeats a key or secret", "✗ Compare key"],
    "words that a terminal would obey": [(_, __, api) => api.json(401, failure(401, "un\u001b[2J\r\ndeux\u202e")), /^✗ 401, /, "reason", "· “un [2J deux”", "✗ Compare key"],
  };
  for (const [name, [answer, post, variable, finding, summary]] of Object.entries(rows)) {
    test(name, async () => {
      const api = await startApi(answer);
      const report = await doctor(at(api), [], { secrets: [credentials.apiSecret, "p4ss", "t0k"] });
      assert.equal(report.status, 1);
      assert.match(report.findings[label.post], post);
      if (typeof finding === "string") assert.equal(report.findings[variable], finding);
      else assert.match(report.findings[variable], finding);
      assert.ok(report.summary.startsWith(summary), report.summary);
    });
  }

  // Cut where it stands, it would be a text that nobody recognizes.
  test("nothing that is quoted shows a secret, or the beginning of one", async () => {
    const { apiSecret } = credentials;
    const html = await startApi((_, response) => response.writeHead(200, { "Content-Type": `text/html; charset=utf-8; boundary-${credentials.apiKey}` })
      .end(`<title>${"x ".repeat(27)}${apiSecret}</title>`));
    const portal = await doctor(at(html), [], { secrets: [apiSecret.slice(0, 6), credentials.apiKey.slice(0, 6)] });
    assert.match(portal.findings.HTML, /titled “(x ){27}\[…\]”/);
    const foreign = await startApi((_, __, api) => api.json(401, failure(401, "pas sk-value-2")));
    assert.match((await doctor({ ...at(foreign), DIGITALPAYE_SECRET: "sk-value-2" }, [], { secrets: ["sk-value-2"] })).findings.reason, /^· left out/);
    const redirect = await startApi((_, response) => response.writeHead(302, { Location: `/${"x".repeat(85)}${encodeURIComponent(apiSecret)}` }).end());
    assert.match((await doctor(at(redirect), [], { secrets: [apiSecret.slice(0, 6)] })).findings.Location, /\[…\]/);
  });

  // A server or a proxy has its own way to write what it was sent.
  test("a secret is known again however it is written", async () => {
    const apiSecret = "zwei  zeichen & <é> ende";
    const env = { DIGITALPAYE_API_SECRET: apiSecret };
    const show = async (answer, name) => (await doctor({ ...at(await startApi(answer)), ...env }, [], { secrets: ["zwei", "zeichen", "ende"] })).findings[name];
    const title = (text) => (_, response) => response.writeHead(200, { "Content-Type": "text/html" }).end(`<title>[${text}]</title>`);
    assert.match(await show(title("zwei  zeichen &amp; &lt;é> ende"), "HTML"), /titled “\[\[…\]\]”/);
    // Nothing but its end tag ends a title (HTML standard, RCDATA state).
    assert.match(await show(title(apiSecret), "HTML"), /titled “\[\[…\]\]”/);
    assert.match(await show(title("zwei  zeichen &#38; &#x3C;&#xe9;&gt; ende"), "HTML"), /titled “\[\[…\]\]”/);
    assert.match(await show(title("L&#39;h&ocirc;tel &#9999999;"), "HTML"), /titled “\[L'h&ocirc;tel &#9999999;\]”/);
    const header = (name, text) => (_, response) => response.writeHead(302, { [name]: Buffer.from(text).toString("latin1") }).end();
    assert.equal(await show(header("Retry-After", apiSecret), "Retry-After"), "! […]");
    assert.match(await show(header("Location", `/${encodeURI(apiSecret)}`), "Location"), /^✗ leads to http:\/\/127\.0\.0\.1:\d+\/\[…\]; /);
    const unpadded = Buffer.from(apiSecret).toString("base64url").replace(/=+$/, "");
    assert.match((await doctor({ ...at(await startApi(title(unpadded))), ...env }, [], { secrets: [unpadded] })).findings.HTML, /\[\[…\]\]/);
  });

  test("a character of two surrogates is not cut in two", async () => {
    const api = await startApi((_, __, api) => api.json(401, failure(401, `a${"😀".repeat(200)}`)));
    const { stdout } = await doctor(at(api));
    assert.doesNotMatch(stdout, /\ufffd/);
    assert.match(stdout, /😀…\s*”/);
  });

  test("an answer that goes wrong once", async () => {
    let first = true;
    const api = await startApi((_, __, each) => {
      if (!first) return each.grant();
      first = false;
      each.json(503, "");
    });
    const { status, summary } = await doctor(at(api));
    assert.equal(status, 0);
    assert.match(summary, /^! A token was obtained, but not every answer was good/);
  });
});
