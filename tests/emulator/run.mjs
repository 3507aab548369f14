// Runs the cases against one player of the API, in whatever runtime this is loaded: no import, so that it can be bundled.
//
// `make(config)` gives (a promise of) `{ fetch, script, advance, revoke, url }`. A step is one of
//   { script }, { advance }, { revoke: NAME or "*" }, { different: NAMES }
//   { ask: { method, path, headers, body }, … } where "{NAME}" in a header stands for a token, and
//     status, body (to the byte), headers (null: there is none), token (kept by that name), life, company, dated (Date is the
//     token's iat), least (ms), rejects ("TypeError", or "aborted": by a signal, after a while).

/** Resolves to `[{ name, error? }]`. `anyHeader`: whether a request can have any header here, unlike in a page. */
export async function runCases(cases, make, { anyHeader = true } = {}) {
  const results = [];
  for (const { name, config, steps, headers } of cases) {
    if (headers === "any" && !anyHeader) continue;
    try {
      const api = await make(config);
      const tokens = new Map();
      for (const [index, step] of steps.entries()) {
        try {
          await take(api, step, tokens);
        } catch (error) {
          throw new Error(`step ${index}: ${error?.message ?? error}`, { cause: error });
        }
      }
      results.push({ name });
    } catch (error) {
      results.push({ name, error: error.message });
    }
  }
  return results;
}

async function take(api, step, tokens) {
  if (step.script) return api.script(step.script);
  if (step.advance) return api.advance(step.advance);
  if (step.revoke) return api.revoke(step.revoke === "*" ? undefined : known(tokens, step.revoke));
  if (step.different) {
    const values = step.different.map((name) => known(tokens, name));
    return equal(new Set(values).size, values.length, "different tokens");
  }
  return ask(api, step, tokens);
}

async function ask(api, step, tokens) {
  const { method, path, body } = step.ask;
  const headers = Object.entries(step.ask.headers).map(([name, value]) => [name, value.replace(/\{(\w+)\}/g, (_, each) => known(tokens, each))]);
  const begun = performance.now();
  const aborting = new AbortController();
  const reason = new Error("the test aborts");
  if (step.rejects === "aborted") setTimeout(() => aborting.abort(reason), 100);
  const answer = api.fetch(`${api.url}${path}`, { method, headers, body, signal: aborting.signal });
  if (step.rejects) {
    const error = await answer.then(() => undefined, (thrown) => thrown);
    if (step.rejects === "aborted") return equal(error, reason, "the signal's reason");
    return equal(error?.name, step.rejects, "what fetch rejects with");
  }
  const response = await answer;
  const text = await response.text();
  equal(response.status, step.status, "status");
  if (step.body !== undefined) equal(text, step.body, "body");
  for (const [name, value] of Object.entries(step.headers ?? {})) equal(response.headers.get(name), value, name);
  if (step.least) equal(performance.now() - begun >= step.least, true, `${step.least} ms or more`);
  if (step.token) tokens.set(step.token, minted(step, response, text));
}

/** Checks the 200 to the byte, and the JWT in it; gives the token. */
function minted(step, response, text) {
  const { token, exp } = JSON.parse(text).data;
  equal(text, `{"statusCode":200,"message":"Successful","data":{"token":"${token}","exp":${exp}}}`, "body");
  const [header, payload, signature] = token.split(".").map((part) => part.replaceAll("-", "+").replaceAll("_", "/"));
  equal(atob(header), '{"alg":"HS256","typ":"JWT"}', "the JWT's header");
  equal(atob(signature).length, 32, "bytes of the signature");
  const claims = JSON.parse(atob(payload));
  equal(Object.keys(claims).slice(0, 3).join(), "companyId,iat,exp", "claims");
  equal(claims.exp, exp, "exp");
  if (step.life) equal(exp - claims.iat, step.life, "life");
  if (step.company) equal(claims.companyId, step.company, "companyId");
  // Two readings of one clock, which may go on between them.
  if (step.dated) equal(Math.abs(Date.parse(response.headers.get("date")) / 1000 - claims.iat) <= 1, true, "Date is the time of iat");
  return token;
}

function known(tokens, name) {
  if (!tokens.has(name)) throw new Error(`there is no token ${name}`);
  return tokens.get(name);
}

function equal(actual, expected, what) {
  if (!Object.is(actual, expected)) throw new Error(`${what}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`);
}
