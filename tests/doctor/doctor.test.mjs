// `digitalpaye-auth doctor`: every line of the report, made by a server or a machine that has that very fault.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { after, describe, test } from "node:test";
import { engine } from "../conformance/lib/engines.mjs";
import { startRaw } from "../lib/raw.mjs";
import { jwt, failure } from "../lib/replies.mjs";
import { freePort } from "../lib/server.mjs";
import { configured, credentials, doctor, startApi, stopAll } from "./command.mjs";

after(stopAll);

const good = await startApi();
const at = ({ url }) => ({ DIGITALPAYE_BASE_URL: url });
const label = { post: "POST /v1/auth", key: "DIGITALPAYE_API_KEY", secret: "DIGITALPAYE_API_SECRET" };

describe("with a token", { concurrency: 2 }, () => {
  test("every line is there, and the status is 0", async () => {
    const { status, summary, findings, stderr, stdout } = await doctor(at(good));
    assert.equal(status, 0);
    assert.equal(stderr, "");
    assert.match(stdout, /^digitalpaye-auth doctor, \d{4}-\d\d-\d\d \d\d:\d\d UTC\n\nVariables\n/);
    assert.equal(findings[label.key], "✓ set, ends in 4711");
    assert.equal(findings[label.secret], "✓ set");
    assert.equal(findings.DIGITALPAYE_ENVIRONMENT, "· not set: Production");
    assert.equal(findings.DIGITALPAYE_BASE_URL, "✓ set");
    assert.match(findings["digitalpaye-auth"], /^· \d+\.\d+\.\d+/);
    assert.equal(findings["Node.js"], `· ${process.versions.node}, ${process.platform} ${process.arch}`);
    assert.equal(findings.Proxy, "· no variable names one");
    assert.equal(findings.DNS, "· 127.0.0.1 is an address: no name to look up");
    assert.match(findings.TCP, new RegExp(`^✓ port ${good.port} answers \\(\\d+ ms\\)$`));
    assert.equal(findings.TLS, "· none: http, which is for this machine only");
    assert.match(findings[label.post], /^✓ 200, application\/json, JSON \(\d+ ms\)$/);
    assert.match(findings.Clock, /^✓ agrees with the API's to \d s$/);
    assert.equal(findings.CORS, "· pages in a browser cannot ask (preflight: 404); servers can");
    assert.match(findings.Token, /^✓ obtained in \d+ ms$/);
    assert.equal(findings.Form, "✓ a JWT with iat and exp");
    assert.equal(findings.Life, "✓ 600 s");
    assert.equal(summary, "✓ A token was obtained: there is nothing to do.");
    assert.equal(findings["POST /v1/auth/token"], undefined);
  });

  test("in French", async () => {
    for (const locale of [{ LC_ALL: "fr_CI.UTF-8" }, { LC_ALL: "", LANG: "fr" }]) {
      const { status, summary, findings } = await doctor({ ...at(good), ...locale });
      assert.equal(status, 0);
      assert.equal(findings.DIGITALPAYE_ENVIRONMENT, "· non définie\u00a0: Production");
      assert.equal(findings.Durée, "✓ 600 s");
      assert.equal(summary, "✓ Un jeton a été obtenu\u00a0: il n’y a rien à faire.");
    }
  });

  test("the exchange is the contract's: path, headers, no body", async () => {
    const api = await startApi();
    await doctor({ DIGITALPAYE_BASE_URL: `${api.url}/p/`, DIGITALPAYE_ENVIRONMENT: "Sandbox" });
    const posts = api.requests.filter(({ method }) => method === "POST");
    assert.equal(posts.length, 2);
    for (const { url, headers } of posts) {
      assert.equal(url, "/p/v1/auth");
      assert.equal(headers["x-environment"], "Sandbox");
      assert.equal(headers.authorization, `Basic ${Buffer.from(`${credentials.apiKey}:${credentials.apiSecret}`).toString("base64")}`);
      assert.equal(headers["content-type"], undefined);
    }
  });

  test("a token that is no JWT, and one without iat", async () => {
    const opaque = await startApi((_, __, api) => api.grant({ change: ({ exp }) => ({ token: "opaque-token-0123456789", exp }) }));
    const { status, findings } = await doctor(at(opaque));
    assert.equal(status, 0);
    assert.equal(findings.Form, "· no JWT: its life is reckoned by exp and Date");
    assert.match(findings.Life, /^✓ (600|599|601) s by the API's clock$/);

    const without = await startApi((_, __, api) => api.grant({ change: ({ exp }) => ({ token: jwt({ exp, companyId: "acme-merchant-77" }), exp }) }));
    const report = await doctor(at(without), [], { secrets: ["acme-merchant-77"] });
    assert.equal(report.findings.Form, "! a JWT without iat");
  });

  test("an exp that differs from the JWT's", async () => {
    const api = await startApi((_, __, each) => each.grant({ change: ({ token, exp }) => ({ token, exp: exp + 300 }) }));
    const { findings } = await doctor(at(api));
    assert.equal(findings.exp, "! the JWT's and data.exp are 5 min apart; the earlier counts");
    assert.equal(findings.Life, "✓ 600 s");
  });

  for (const [hours, words] of [[-1, "1 h ahead of the API's"], [1, "1 h behind the API's"]]) {
    test(`a clock that is ${words}`, async () => {
      const api = await startApi((_, __, each) => each.grant({ date: Date.now() + hours * 3_600_000 }));
      const { status, findings, summary } = await doctor(at(api));
      assert.equal(status, 0);
      assert.equal(findings.Clock, `! ${words}: set it (NTP). Tokens work all the same`);
      assert.equal(findings.Life, "✓ 600 s");
      assert.match(summary, /^! A token was obtained\. Set this machine's clock/);
    });
  }

  test("a clock that is days off: by one of the two no token would do", async () => {
    const api = await startApi((_, __, each) => each.grant({ headers: { Date: new Date(Date.now() + 3 * 86_400_000).toUTCString() } }));
    const { status, findings } = await doctor(at(api));
    assert.equal(status, 1);
    assert.equal(findings.Clock, "! 3 days behind the API's: set it (NTP), unless it is the API's that is wrong");
  });

  test("a Date that contradicts the token, none at all, and one out of a cache", async () => {
    const gateway = await startApi((_, __, api) => api.grant({ headers: { Date: new Date(Date.now() - 900_000).toUTCString() } }));
    assert.match((await doctor(at(gateway))).findings.iat, /^! issued 15 min after Date: /);
    const none = await startApi((_, response, api) => {
      response.sendDate = false;
      api.grant({ headers: { Date: [] } });
    });
    assert.equal((await doctor(at(none))).findings.Clock, "· cannot be compared: the answer has no Date");
    const cached = await startApi((_, __, api) => api.grant({ headers: { Age: "7" } }));
    assert.equal((await doctor(at(cached))).findings.Clock, "! cannot be compared: the answer comes from a cache (Age)");
  });

  test("--try-sdk-path", async () => {
    const api = await startApi((request, _, each) => (request.url.endsWith("/token") ? each.json(200, { access_token: "t0ken-of-the-sdk", expires_in: 60 }) : each.grant()));
    const { findings } = await doctor(at(api), ["--try-sdk-path"], { secrets: ["t0ken-of-the-sdk"] });
    assert.equal(findings["POST /v1/auth/token"], "· 200, JSON with access_token, expires_in");
    const without = await startApi((request, _, each) => (request.url.endsWith("/token") ? each.json(404, "no") : each.grant()));
    assert.equal((await doctor(at(without), ["--try-sdk-path"])).findings["POST /v1/auth/token"], "· 404, not JSON, no token");
  });
});

describe("CORS", { concurrency: 2 }, () => {
  const rows = {
    "· pages of any origin may ask": { "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "Authorization, X-Environment" },
    "· pages in a browser cannot ask (no Access-Control-Allow-Origin); servers can": {},
    "· only pages of certain origins may ask; servers can": { "Access-Control-Allow-Origin": "https://shop.example" },
    "· pages in a browser cannot ask (Authorization not in Access-Control-Allow-Headers); servers can": { "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*" },
    "· pages in a browser cannot ask (Authorization and X-Environment not in Access-Control-Allow-Headers); servers can": { "Access-Control-Allow-Origin": "*" },
  };
  for (const [finding, headers] of Object.entries(rows)) {
    test(finding, async () => {
      const answer = (request, response, api) => (request.method === "OPTIONS" ? response.writeHead(204, headers).end() : api.grant());
      const api = await startApi(Object.assign(answer, { preflight: true }));
      assert.equal((await doctor(at(api))).findings.CORS, finding);
      const preflight = api.requests.find(({ method }) => method === "OPTIONS");
      assert.equal(preflight.headers.authorization, undefined);
      assert.equal(preflight.headers["access-control-request-method"], "POST");
      assert.equal(preflight.headers["access-control-request-headers"], "authorization,x-environment");
      assert.ok(preflight.headers.origin);
    });
  }
});

describe("variables that are unusable: status 2, and nothing is sent", { concurrency: 2 }, () => {
  const rows = {
    "none": [{ [label.key]: undefined, [label.secret]: undefined }, label.key, "✗ not set", `✗ Set ${label.key} and ${label.secret}.`],
    "an empty secret": [{ [label.secret]: "" }, label.secret, "✗ empty, which counts as not set", `✗ Set ${label.secret}.`],
    "the vendor's names": [{ [label.key]: undefined, [label.secret]: undefined, DIGITALPAYE_PUBLIC_KEY: "pk-value-1", DIGITALPAYE_SECRET: "sk-value-2" },
      "DIGITALPAYE_PUBLIC_KEY", `! set, but not read here: this package reads ${label.key}`, `✗ Set ${label.key} to the value of DIGITALPAYE_PUBLIC_KEY.`],
    "a line break of a file": [{ [label.secret]: `${credentials.apiSecret}\n` }, label.secret,
      /^✗ set; ends with a line break: read from a file\? refused: apiSecret /, `✗ Correct ${label.secret}.`],
    "a colon in the key": [{ [label.key]: "a:b" }, label.key, /^✗ set refused: apiKey /, `✗ Correct ${label.key}.`],
    "no URL": [{ DIGITALPAYE_BASE_URL: "nonsense" }, "DIGITALPAYE_BASE_URL", /^✗ set refused: baseUrl /, "✗ Correct DIGITALPAYE_BASE_URL."],
    "a URL with a password": [{ DIGITALPAYE_BASE_URL: "https://user:p4ssw0rd@h.example" }, "DIGITALPAYE_BASE_URL", /^✗ set refused: baseUrl /, "✗ Correct DIGITALPAYE_BASE_URL."],
  };
  for (const [name, [env, variable, finding, summary]] of Object.entries(rows)) {
    test(name, async () => {
      const api = await startApi();
      const report = await doctor({ ...at(api), ...env }, [], { secrets: [credentials.apiSecret, "p4ssw0rd", "pk-value-1", "sk-value-2"] });
      assert.equal(report.status, 2);
      if (typeof finding === "string") assert.equal(report.findings[variable], finding);
      else assert.match(report.findings[variable], finding);
      assert.equal(report.summary, summary);
      assert.equal(api.requests.length, 0);
    });
  }

  test("arguments that it does not know", async () => {
    for (const args of [["--nonsense"], ["extra-s3cret"], ["--try-sdk-path", "--token"], ["--try-sdk-path=s3cret"]]) {
      const { status, stdout, stderr } = await doctor(at(good), args, { secrets: ["s3cret"] });
      assert.deepEqual([status, stdout], [2, ""]);
      assert.match(stderr, /^invalid_options: [^\n]+ \(see doctor --help\)\n$/);
    }
  });
});

describe("variables that look wrong", { concurrency: 2 }, () => {
  const rows = [
    [{ [label.secret]: "'quoted-secret'" }, label.secret, "! set; begins with a quote; ends with a quote"],
    [{ [label.secret]: " spaced-secret " }, label.secret, "! set; begins with a space; ends with a space"],
    [{ [label.secret]: "\ufeffmarked-secret" }, label.secret, "! set; begins with an invisible character"],
    [{ [label.secret]: "secret-copied\u00a0" }, label.secret, "! set; ends with an invisible character"],
    [{ [label.secret]: "secret\u200bsplit" }, label.secret, "! set; holds an invisible character: copied from a page?"],
    [{ [label.secret]: "Basic c2VjcmV0LW9m" }, label.secret, "! set; begins with Basic or Bearer: only the value itself belongs here"],
    [{ [label.secret]: "your_api_secret" }, label.secret, "! set; looks like a placeholder that was never replaced"],
    [{ [label.secret]: configured[label.key] }, label.key, "! set, ends in 4711; is the same as the secret"],
    [{ [label.key]: "short-key-1" }, label.key, "✓ set"],
    [{ DIGITALPAYE_COLOUR: "purple-value" }, "DIGITALPAYE_COLOUR", "! set, but not read here"],
    [{ DIGITALPAYE_ENVIRONMENT: "Hidden-value" }, "DIGITALPAYE_ENVIRONMENT", "✓ set"],
  ];
  for (const [env, variable, finding] of rows) {
    test(finding, async () => {
      const report = await doctor({ ...at(good), ...env }, [], { secrets: Object.values(env) });
      assert.equal(report.findings[variable], finding);
    });
  }

  test("after a 401, the summary leads to them", async () => {
    const api = await startApi((_, __, each) => each.json(401, failure(401, "non")));
    const { summary } = await doctor({ ...at(api), [label.secret]: "'quoted-secret'" });
    assert.equal(summary, `✗ Correct ${label.secret}: see its line above.`);
  });
});

describe("the machine", { concurrency: 2 }, () => {
  test("Deno without permission says so", async () => {
    const { status, stdout, stderr } = await doctor({}, [], { program: await engine("Deno"), flags: ["run", "--no-prompt", "--allow-read"] });
    assert.deepEqual([status, stdout], [2, ""]);
    assert.match(stderr, /^invalid_options: [^\n]*--allow-env\n$/);
  });

  for (const [name, runtime, flags] of [["Node 22", "Node.js"], ["Node 26", "Node.js"], ["Bun", "Bun"], ["Deno", "Deno", ["run", "--allow-all"]]]) {
    test(`${name}: the whole report`, async () => {
      const { status, findings, summary } = await doctor(at(good), [], { program: await engine(name), flags });
      assert.equal(status, 0);
      assert.match(findings[runtime], /^· \d+\.\d+\.\d+, /);
      assert.equal(findings.Life, "✓ 600 s");
      assert.match(summary, /^✓/);
    });
  }

  test("a proxy that Node.js ignores, one that it uses, one for other addresses; no value is shown", async () => {
    const proxy = "http://user:pr0xy-pass@127.0.0.1:9";
    const options = { secrets: ["pr0xy-pass"] };
    const ignored = await doctor({ ...at({ url: "https://127.0.0.1:9" }), HTTPS_PROXY: proxy }, [], options);
    assert.match(ignored.findings.Proxy, /^! HTTPS_PROXY set; Node\.js ignores it unless NODE_USE_ENV_PROXY=1/);
    for (const enabled of [{}, { NODE_USE_ENV_PROXY: "1" }]) {
      const other = await doctor({ ...at(good), HTTPS_PROXY: proxy, ...enabled }, [], options);
      assert.equal(other.findings.Proxy, "· HTTPS_PROXY set; not for this address");
    }
    const used = await doctor({ ...at(good), http_proxy: proxy, NO_PROXY: "127.0.0.1", NODE_USE_ENV_PROXY: "1" }, [], options);
    assert.equal(used.findings.Proxy, "· http_proxy, NO_PROXY set; requests go through it");
  });

  test("a name that has no address", async () => {
    const { status, findings, summary } = await doctor(at({ url: "https://api.digitalpaye.invalid" }));
    assert.equal(status, 1);
    assert.match(findings.DNS, /^✗ api\.digitalpaye\.invalid has no address \((ENOTFOUND|EAI_AGAIN)\)$/);
    assert.equal(findings[label.post], "· not asked, since the host cannot be reached");
    assert.match(findings.Token, /^✗ none: network \((ENOTFOUND|EAI_AGAIN)\)$/);
    assert.equal(summary, "✗ Check the host in DIGITALPAYE_BASE_URL, then DNS on this machine.");
  });

  test("a resolver that does not answer, with what is waited for on a terminal", async () => {
    // In place of the platform's, so that no other machine is asked.
    const preload = `import dns from "node:dns"; import { syncBuiltinESMExports } from "node:module";
      dns.lookup = () => {}; dns.promises.lookup = () => new Promise(() => {}); syncBuiltinESMExports();
      Object.defineProperty(process.stderr, "isTTY", { value: true });`;
    const { status, findings, stderr } = await doctor(at({ url: "https://api.example" }), [], { flags: ["--import", `data:text/javascript,${encodeURIComponent(preload)}`] });
    assert.equal(status, 1);
    assert.equal(findings.DNS, "✗ api.example has no address (no answer in time)");
    assert.ok(stderr.startsWith("\r\u001b[KLooking up api.example …\r\u001b[K"), JSON.stringify(stderr));
    assert.ok(stderr.endsWith("\r\u001b[K"));
  });

  test("what is waited for fits into the terminal, or it could not be cleared", async () => {
    const preload = `import dns from "node:dns"; import { syncBuiltinESMExports } from "node:module";
      dns.lookup = (...all) => all.at(-1)(Object.assign(new Error(), { code: "ENOTFOUND" }));
      dns.promises.lookup = async () => { throw Object.assign(new Error(), { code: "ENOTFOUND" }); }; syncBuiltinESMExports();
      Object.defineProperties(process.stderr, { isTTY: { value: true }, columns: { value: Number(process.env.COLUMNS_OF_IT) || undefined } });`;
    const host = `api.${"digitalpaye-".repeat(4)}x.${"example".repeat(5)}.invalid`;
    for (const [columns, width] of [["40", 39], ["", 79]]) {
      const { stderr } = await doctor({ ...at({ url: `https://${host}` }), COLUMNS_OF_IT: columns }, [], { flags: ["--import", `data:text/javascript,${encodeURIComponent(preload)}`] });
      const shown = stderr.split("\r\u001b[K").filter(Boolean);
      assert.equal(shown[0], `Looking up ${host}`.slice(0, width));
      for (const line of shown) assert.ok(line.length <= width, line);
    }
  });

  test("one without WebAssembly: which, why, and nothing is sent", async () => {
    const api = await startApi();
    for (const [locale, label_, words, summary] of [
      ["C", "Token", "none: ", "✗ The package cannot run here (unsupported_runtime). See the line Token."],
      ["fr", "Jeton", "aucun\u00a0: ", "✗ Le paquet ne marche pas ici (unsupported_runtime). Voyez la ligne Jeton."],
    ]) {
      const { status, findings, summary: last } = await doctor({ ...at(api), LC_ALL: locale }, [], { flags: ["--jitless"] });
      assert.equal(status, 1);
      assert.match(findings["Node.js"], /^· \d+\.\d+/);
      assert.ok(findings[label_].startsWith(`✗ ${words}unsupported_runtime`), findings[label_]);
      assert.match(findings[label_], /this runtime has no WebAssembly, .*node --jitless/);
      assert.equal(last, summary);
    }
    assert.equal(api.requests.length, 0);
  });

  test("a port that refuses", async () => {
    const port = await freePort();
    const { status, findings, summary } = await doctor(at({ url: `http://127.0.0.1:${port}` }));
    assert.equal(status, 1);
    assert.equal(findings.TCP, `✗ port ${port} refuses connections (ECONNREFUSED)`);
    assert.equal(summary, "✗ Check the address in DIGITALPAYE_BASE_URL, then the firewall.");
  });

  test("a port that answers, where fetch does not ask", async () => {
    const silent = createServer((socket) => socket.on("error", () => {}));
    const port = await firstFree(silent, [6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697]);
    const { status, findings } = await doctor(at({ url: `http://127.0.0.1:${port}` }));
    silent.close();
    assert.equal(status, 1);
    assert.match(findings.TCP, /^✓ /);
    assert.equal(findings[label.post], "✗ no answer (bad port)");
    assert.equal(findings.Token, "✗ none: network (bad port)");
  });

  test("a server that takes connections and says nothing", async () => {
    const silent = await startRaw(() => {});
    const { status, findings, summary } = await doctor(at(silent));
    await silent.stop();
    assert.equal(status, 1);
    assert.equal(findings[label.post], "✗ no answer within 10 s");
    assert.equal(findings.CORS, undefined);
    assert.match(findings.Token, /^✗ none: timeout/);
    assert.match(summary, /^✗ The API does not answer in time\./);
  });
});

/** Listens on the first of the ports that is not taken, and resolves to it. */
async function firstFree(server, ports) {
  for (const port of ports) {
    const error = await new Promise((resolve) => server.once("error", resolve).listen(port, "127.0.0.1", () => resolve(undefined)));
    server.removeAllListeners("error");
    if (error === undefined) return port;
  }
  throw new Error(`all taken: ${ports}`);
}
