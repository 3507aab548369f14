// Replies to tokens: the vendor's page word for word, and every rule that a 200 has to keep.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { importInstalled } from "../lib/install.mjs";
import { startRaw } from "../lib/raw.mjs";
import { PAGE, PAGE_TOKEN, chunked, jwt, reply, success } from "../lib/replies.mjs";

const { authenticate, BadRequestError, InternalServerError, InvalidResponseError, UnauthorizedError } = await importInstalled();
const raw = await startRaw();
after(() => raw.stop());

const options = { apiKey: "key", apiSecret: "a secret of no importance", maxRetries: 0 };

/** One call against these bytes. */
function over(...script) {
  raw.reset(...script);
  return authenticate({ ...options, baseUrl: raw.url });
}

/** One call against this body, without a socket: for rules that are the same however the body came. */
const given = (body, headers = {}) => authenticate({ ...options, fetch: async () => new Response(body, { headers }) });

/** What is wrong with a 200: an InvalidResponseError. */
const refused = (promise, message) =>
  assert.rejects(promise, (error) => {
    assert.ok(error instanceof InvalidResponseError, `${error?.name} for ${message}`);
    assert.equal(error.code, "invalid_response");
    assert.equal(error.status, 200);
    assert.equal(error.retryable, false);
    assert.equal(error.attempts, 1);
    return true;
  }, message);

const accepted = async (promise, token, exp, message) => assert.deepEqual(await promise, { token, exp }, message);

const seconds = () => Math.floor(Date.now() / 1_000);
const HOUR = 3_600;

describe("the page's four replies, verbatim", () => {
  test("200, without a Date header", async () => {
    const token = await over(reply(200, PAGE[200], { "Content-Type": "application/json; charset=utf-8" }));
    assert.deepStrictEqual(token, { ...PAGE_TOKEN });
    assert.deepEqual(Reflect.ownKeys(token), ["token", "exp"]);
    assert.equal(Object.getPrototypeOf(token), Object.prototype);
    assert.ok(Object.isFrozen(token));
    assert.throws(() => {
      token.token = "another";
    }, TypeError);
    assert.deepEqual(JSON.parse(JSON.stringify(token)), PAGE_TOKEN);
    assert.deepEqual(structuredClone(token), PAGE_TOKEN);
  });

  const failures = [
    [400, BadRequestError, "bad_request", false, "Les identifiants API (apikey et apisecret) sont requis."],
    [401, UnauthorizedError, "unauthorized", false, "Identifiants API incorrects. Veuillez vérifier votre clé API et votre secret."],
    [500, InternalServerError, "internal_server_error", true, "Une erreur est survenue. Veuillez réessayer"],
  ];
  for (const [status, type, code, retryable, reason] of failures) {
    test(String(status), async () => {
      await assert.rejects(over(reply(status, PAGE[status], { "Content-Type": "application/json; charset=utf-8" })), (error) => {
        assert.ok(error instanceof type);
        assert.equal(error.constructor, type);
        const { name, attempts, message } = error;
        assert.deepEqual(
          { name, code: error.code, status: error.status, reason: error.reason, retryable: error.retryable, attempts },
          { name: type.name, code, status, reason, retryable, attempts: 1 },
        );
        assert.ok(message.includes(reason), "a message that is logged says what the API said");
        assert.ok(!("retryAfter" in error) && !("cause" in error) && !("option" in error));
        return true;
      });
      assert.equal(raw.requests.length, 1);
    });
  }
});

describe("however the body comes", () => {
  const bytes = Buffer.from(PAGE[200]);
  const cases = {
    "in one chunk": reply(200, chunked([bytes]), { "Transfer-Encoding": "chunked" }),
    "in chunks of one byte": reply(200, chunked([...bytes].map((byte) => Buffer.from([byte]))), { "Transfer-Encoding": "chunked" }),
    "until the connection closes": Buffer.from(`HTTP/1.1 200 OK\r\n\r\n${PAGE[200]}`),
    "by HTTP/1.0": Buffer.from(`HTTP/1.0 200 OK\r\n\r\n${PAGE[200]}`),
    "gzipped": reply(200, gzipSync(bytes), { "Content-Encoding": "gzip" }),
    "deflated": reply(200, deflateSync(bytes), { "Content-Encoding": "deflate" }),
    "by brotli": reply(200, brotliCompressSync(bytes), { "Content-Encoding": "br" }),
    "without a Content-Type": reply(200, bytes),
    "as text/html": reply(200, bytes, { "Content-Type": "text/html" }),
    "with a charset that does not apply to JSON": reply(200, bytes, { "Content-Type": "application/json; charset=iso-8859-1" }),
    "without a reason phrase": Buffer.from(`HTTP/1.1 200 \r\nContent-Length: ${bytes.length}\r\n\r\n${PAGE[200]}`),
    "after a 103 Early Hints": Buffer.concat([Buffer.from("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"), reply(200, bytes)]),
  };
  for (const [name, script] of Object.entries(cases)) {
    test(name, async () => assert.deepEqual(await over(script), PAGE_TOKEN));
  }

  test("byte by byte over the socket, head and body", async () => {
    const whole = reply(200, PAGE[200]);
    const token = await over(async (exchange) => {
      for (let at = 0; at < whole.length; at += 7) {
        exchange.write(whole.subarray(at, at + 7));
        await new Promise((resolve) => setImmediate(resolve));
      }
      exchange.end();
    });
    assert.deepEqual(token, PAGE_TOKEN);
  });
});

describe("JSON", () => {
  const token = jwt({ iat: 1_000, exp: 1_600 });
  const data = `{"token":"${token}","exp":1600}`;
  const escaped = (text) => text.replace(/[.eA-Z]/g, (one) => `\\u00${one.charCodeAt(0).toString(16)}`);
  const good = {
    "only data": `{"data":${data}}`,
    "other members, at every level": `{"a":[1,{"token":"x"}],"data":{"exp":1600,"x":null,"token":"${token}","refresh":"y"},"statusCode":200}`,
    "white space around": `\r\n\t {"data":${data}} \n`,
    "a byte order mark": `\ufeff{"data":${data}}`,
    "escapes in names and values": `{"d\\u0061ta":{"token":"${escaped(token)}","exp":1600}}`,
    "duplicate members: the last one counts, as in JSON.parse": `{"data":5,"data":{"token":"x","exp":1,"token":"${token}","exp":1600}}`,
    "exp as 1.6e3": `{"data":{"token":"${token}","exp":1.6e3}}`,
    "exp as 1600.0": `{"data":{"token":"${token}","exp":1600.0}}`,
    "__proto__ as a member like any other": `{"__proto__":{"statusCode":500,"data":null},"data":${data}}`,
    "bytes that are not UTF-8 in a member that does not count": Buffer.concat([
      Buffer.from('{"message":"'), Buffer.from([0xff, 0xfe, 0xc3]), Buffer.from(`","data":${data}}`),
    ]),
    "2,000 levels beside it": `{"deep":${"[".repeat(2_000)}${"]".repeat(2_000)},"data":${data}}`,
  };
  for (const [name, body] of Object.entries(good)) {
    test(`taken: ${name}`, async () => accepted(given(body), token, 1_600));
  }

  const bad = {
    "nothing": "",
    "null": "null",
    "a number": "1600",
    "a string": JSON.stringify(token),
    "a list": `[${data}]`,
    "an empty object": "{}",
    "data null": '{"data":null}',
    "data a string": `{"data":${JSON.stringify(data)}}`,
    "data a list": `{"data":[${data}]}`,
    "token and exp at the top": data,
    "the token of another contract": `{"access_token":"${token}","expires_in":600}`,
    "data only as inherited": `{"__proto__":{"data":${data}}}`,
    "token only as inherited": `{"data":{"__proto__":${data}}}`,
    "data under constructor.prototype": `{"constructor":{"prototype":{"data":${data}}}}`,
    "two values": `{"data":${data}}{"data":${data}}`,
    "a comma too many": `{"data":${data},}`,
    "a comment": `{"data":${data}}//`,
    "single quotes": `{'data':${data.replaceAll('"', "'")}}`,
    "cut off": `{"data":${data}`,
    "NUL after it": `{"data":${data}}\0`,
    "two byte order marks": `\ufeff\ufeff{"data":${data}}`,
    "UTF-16": Buffer.from(`\ufeff{"data":${data}}`, "utf16le"),
    "HTML": "<!doctype html><title>Sign in to the café's Wi-Fi</title>",
    "30,000 levels": "[".repeat(30_000),
    "30,000 objects": '{"data":'.repeat(6_000),
    "not UTF-8 within the token": Buffer.concat([Buffer.from('{"data":{"token":"ab'), Buffer.from([0xff]), Buffer.from('cd","exp":1600}}')]),
    "all bytes": Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
  };
  for (const [name, body] of Object.entries(bad)) {
    test(`refused: ${name}`, () => refused(given(body), name));
  }

  test("what a page put on Object.prototype is no part of a reply", async () => {
    const names = { data: { token, exp: 1_600 }, statusCode: 500, token, exp: 1_600, reason: "polluted", iat: 1_000 };
    for (const [name, value] of Object.entries(names)) {
      Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true });
    }
    try {
      await refused(given("{}"), "no data");
      await refused(given('{"data":{}}'), "no token");
      await accepted(given(`{"data":${data}}`), token, 1_600);
      // Without a claim of its own, this one's life goes by the local clock, and is over.
      const claimless = jwt({});
      await refused(given(success(claimless, 1_600)), "iat of the prototype");
      const error = await authenticate({ ...options, fetch: async () => new Response("{}", { status: 400 }) }).catch((error) => error);
      assert.ok(!Object.hasOwn(error, "reason"));
    } finally {
      for (const name of Object.keys(names)) delete Object.prototype[name];
    }
  });
});

describe("statusCode in the body of a 200", () => {
  const token = jwt({ iat: 1_000, exp: 1_600 });
  const body = (statusCode) => `{"statusCode":${statusCode},"reason":"raison","data":{"token":"${token}","exp":1600}}`;

  for (const statusCode of ["200", "200.0", "2e2", '"401"', "401.5", "null", "true", "[401]", "{}", "1e400", "-1e400", "1e300", '""', "9007199254740993"]) {
    test(`${statusCode} does not count`, async () => accepted(given(body(statusCode)), token, 1_600));
  }
  const counting = [
    ["400", 400, "bad_request"], ["401", 401, "unauthorized"], ["401.0", 401, "unauthorized"], ["4.01e2", 401, "unauthorized"],
    ["429", 429, "rate_limited"], ["500", 500, "internal_server_error"], ["503", 503, "internal_server_error"],
    ["599", 599, "internal_server_error"], ["600", 600, "unexpected_status"], ["201", 201, "unexpected_status"],
    ["204", 204, "unexpected_status"], ["302", 302, "unexpected_status"], ["408", 408, "unexpected_status"],
    ["0", 0, "unexpected_status"], ["-1", -1, "unexpected_status"], ["499", 499, "unexpected_status"], ["1000000", 1_000_000, "unexpected_status"],
  ];
  for (const [text, status, code] of counting) {
    test(`${text} counts, for status too`, async () => {
      await assert.rejects(given(body(text)), (error) => {
        assert.deepEqual([error.code, error.status, error.reason], [code, status, "raison"]);
        assert.equal(error.retryable, ["rate_limited", "internal_server_error"].includes(code) || status === 408);
        return true;
      });
    });
  }

  test("it is retried or not as the status that it says", async () => {
    raw.reset(reply(200, body(503)), reply(200, body(200)));
    await accepted(authenticate({ ...options, maxRetries: 1, baseUrl: raw.url }), token, 1_600);
    assert.equal(raw.requests.length, 2);
    raw.reset(reply(200, body(401)), reply(200, body(200)));
    await assert.rejects(authenticate({ ...options, maxRetries: 2, baseUrl: raw.url }), { code: "unauthorized", status: 401, attempts: 1 });
    assert.equal(raw.requests.length, 1);
  });

  test("it does not count when HTTP does not say 200", async () => {
    for (const status of [201, 400, 401, 500]) {
      await assert.rejects(over(reply(status, body(200))), { status });
      await assert.rejects(over(reply(status, body(418))), { status });
    }
  });
});

describe("the token is a b64token (RFC 6750 §2.1)", () => {
  const now = seconds();
  const body = (token) => success(token, now + HOUR);
  const good = ["a", "0", "-", ".", "_", "~", "+", "/", "a=", "a==", "a====", "AZaz09-._~+/==", "..", "x".repeat(60_000), "a.b", "a.b.c.d", "mF_9.B5f-4.1JqM"];
  for (const token of good) {
    test(`taken: ${token.slice(0, 40)}`, async () => accepted(given(body(token)), token, now + HOUR));
  }
  const bad = [
    "", "=", "==", "=a", "a=b", "a b", " a", "a ", "a\n", "a\r\nX-Injected: 1", "a\t", "\0", "a\0", "é", "a\u00e9", "ａ", "a,b", "a;b", 'a"b',
    "a\\b", "a:b", "a@b", "a%20", "a#b", "a?b", "a&b", "a*b", "a(b)", "a{b}", "a[b]", "a<b>", "a|b", "a^b", "a`b", "a!b", "a$b", "a'b",
    "a\ud800", "\ufeffa", "a\u200b", "Bearer a", "\u0131", "\u212a",
  ];
  for (const token of bad) {
    test(`refused: ${JSON.stringify(token)}`, () => refused(given(body(token)), JSON.stringify(token)));
  }
  for (const token of [undefined, null, 5, true, {}, [], ["a"], { toString: "a" }]) {
    test(`refused: ${JSON.stringify(token) ?? "none"} in place of a string`, () => refused(given(body(token)), JSON.stringify(token)));
  }
});

describe("exp is a whole number of seconds", () => {
  const token = jwt({ iat: 1_000 });
  const body = (exp) => `{"data":{"token":"${token}","exp":${exp}}}`;
  const bad = [
    "1600.5", "1600.0000001", '"1600"', "null", "true", "[1600]", '{"exp":1600}', '""', "1e400", "-1e400", "1e300", "-1600", "0", "1000",
    "9007199254740993", "1600000", "1728634803000",
  ];
  for (const exp of bad) test(`refused: ${exp}`, () => refused(given(body(exp)), exp));
  test("refused: none", () => refused(given(`{"data":{"token":"${token}"}}`), "none"));
  test("refused: NaN and Infinity are no JSON", async () => {
    await refused(given(body("NaN")), "NaN");
    await refused(given(body("Infinity")), "Infinity");
  });
  for (const exp of ["1001", "1600", "87400", "1.6e3"]) {
    test(`taken: ${exp}`, async () => accepted(given(body(exp)), token, Number(exp)));
  }
  test("seconds, not milliseconds: what would be a token of 50,000 years is refused", () =>
    refused(given(success("opaque", Date.now() + 600_000)), "milliseconds"));
});

describe("life on arrival", () => {
  const EXP = 2_000_000_000;
  const LIVES = [-1, 0, 1, 600, 86_400, 86_401];
  const dateHeader = (at) => new Date(at * 1_000).toUTCString();

  /** With the local clock (seconds) set to `local`. */
  async function withClock(local, work) {
    const { now } = Date;
    Date.now = () => local * 1_000;
    try {
      return await work();
    } finally {
      Date.now = now;
    }
  }

  /** Waits for the outcome: the token, or the error's code. */
  const outcome = (promise) => promise.then(() => "token", (error) => error.code);

  test("every combination of iat, exp, Date, Age and local clock", async () => {
    let combinations = 0;
    const wrong = [];
    for (const iat of [undefined, ...LIVES]) {
      for (const jwtExp of [undefined, ...LIVES]) {
        for (const date of [undefined, ...LIVES]) {
          for (const age of [undefined, "0"]) {
            for (const local of [-HOUR, 0, 1, 600, 86_400, 100_000]) {
              combinations += 1;
              // Each number is the life that this source alone would give.
              const claims = {};
              if (iat !== undefined) claims.iat = EXP - iat;
              if (jwtExp !== undefined) claims.exp = (claims.iat ?? EXP) + jwtExp;
              const headers = {};
              if (date !== undefined) headers.Date = dateHeader(EXP - date);
              if (age !== undefined) headers.Age = age;

              const readable = [];
              if (iat !== undefined) readable.push(iat);
              if (iat !== undefined && jwtExp !== undefined) readable.push(jwtExp);
              // A Date that would leave no life, and contradicts the token's own iat by less than a day, is a wrong clock's.
              const dateIsWrong = iat !== undefined && date <= 0 && Math.abs(iat - date) < 86_400;
              if (date !== undefined && age === undefined && !dateIsWrong) readable.push(date);
              const life = readable.length > 0 ? Math.min(...readable) : local;
              const expected = life > 0 && life <= 86_400 ? "token" : "invalid_response";

              const got = await withClock(EXP - local, () => outcome(given(success(jwt(claims), EXP), headers)));
              if (got !== expected) wrong.push(JSON.stringify({ iat, jwtExp, date, age, local, expected, got }));
            }
          }
        }
      }
    }
    assert.equal(combinations, 7 * 7 * 7 * 2 * 6);
    assert.deepEqual(wrong.slice(0, 5), []);
  });

  test("an opaque token goes by Date, else by the local clock", async () => {
    for (const life of LIVES) {
      const expected = life > 0 && life <= 86_400 ? "token" : "invalid_response";
      assert.equal(await outcome(given(success("opaque", EXP), { Date: dateHeader(EXP - life) })), expected);
      assert.equal(await withClock(EXP - life, () => outcome(given(success("opaque", EXP)))), expected);
    }
  });

  test("the bounds are exact by the local clock's milliseconds too", async () => {
    const at = (local) => withClock(local, () => outcome(given(success("opaque", EXP))));
    assert.equal(await at(EXP - 0.001), "token");
    assert.equal(await at(EXP + 0.001), "invalid_response");
    assert.equal(await at(EXP - 86_400.001), "invalid_response");
    assert.equal(await at(EXP - 86_399.999), "token");
  });

  test("a clock of our own that is wrong changes nothing where the server's can be read", async () => {
    for (const local of [0, -1e6, EXP + 10 * HOUR, 8.64e12, NaN]) {
      assert.equal(await withClock(local, () => outcome(given(success(jwt({ iat: EXP - 600 }), EXP)))), "token", `JWT, ${local}`);
      assert.equal(await withClock(local, () => outcome(given(success("opaque", EXP), { Date: dateHeader(EXP - 600) }))), "token", `Date, ${local}`);
    }
    assert.equal(await withClock(NaN, () => outcome(given(success("opaque", EXP)))), "invalid_response");
  });

  test("Age by any value, even an empty one, makes Date unusable", async () => {
    for (const age of ["0", "5", "", "nonsense", "-1"]) {
      const headers = { Date: dateHeader(EXP - 600), Age: age };
      assert.equal(await withClock(EXP - 600, () => outcome(given(success("opaque", EXP), headers))), "token");
      assert.equal(await withClock(EXP + 1, () => outcome(given(success("opaque", EXP), headers))), "invalid_response", `Age: ${age}`);
    }
  });

  test("Date in each form of RFC 9110 §5.6.7, and not in others", async () => {
    const date = (text) => withClock(EXP + HOUR, () => outcome(given(success("opaque", EXP), { Date: text })));
    // EXP is 2033-05-18T03:33:20Z.
    for (const text of ["Wed, 18 May 2033 03:23:20 GMT", "Wednesday, 18-May-33 03:23:20 GMT", "Wed May 18 03:23:20 2033", "Wed, 18 May 2033 03:32:60 GMT"]) {
      assert.equal(await date(text), "token", text);
    }
    for (const text of [
      "", "nonsense", "2033-05-18T03:23:20Z", "1999999400", "Wed, 18 May 2033 03:23:20", "Wed, 18 May 2033 03:23:20 +0000", "Wed, 18 May 2033 03:23 GMT",
      "Wed, 18 Mai 2033 03:23:20 GMT", "Wed, 18 May 2033 24:23:20 GMT", "Wed, 32 May 2033 03:23:20 GMT", "Wed, 18 May 20330 03:23:20 GMT",
      "Wed, 18 May 2033 03:23:20 GMT, Wed, 18 May 2033 03:23:20 GMT", "Wed, 18 May 2033 03:60:20 GMT",
    ]) {
      assert.equal(await date(text), "invalid_response", `the local clock decides: ${text}`);
    }
  });

  test("the same over the wire, where Date and Age are real header fields", async () => {
    const exp = seconds() + 10 * HOUR;
    const opaque = success("opaque", exp);
    await accepted(over(reply(200, opaque)), "opaque", exp);
    await accepted(over(reply(200, opaque, { Date: dateHeader(exp - 1) })), "opaque", exp);
    await refused(over(reply(200, opaque, { Date: dateHeader(exp) })), "Date at exp");
    await refused(over(reply(200, opaque, { date: dateHeader(exp + HOUR) })), "Date after exp");
    await accepted(over(reply(200, opaque, { DATE: dateHeader(exp + HOUR), age: "1" })), "opaque", exp);
    await refused(over(reply(200, success("opaque", seconds() + 86_400 + 60))), "more than 24 h by the local clock");
    await refused(over(reply(200, PAGE[200], { Date: new Date().toUTCString() })), "the page's sample, of 2024, by today's Date");
    // Two Dates are none.
    await accepted(over(reply(200, opaque, [["Date", dateHeader(exp + HOUR)], ["Date", dateHeader(exp + HOUR)]])), "opaque", exp);
  });

  describe("a JWT is read as far as it can be", () => {
    const life = (token) => withClock(EXP - 600, () => outcome(given(success(token, EXP))));
    const part = (text) => Buffer.from(text).toString("base64url");
    // By its claims each of these would be dead; by the local clock it lives.
    const unreadable = {
      "two parts": `h.${part(`{"iat":${EXP + 1}}`)}`,
      "four parts": `h.${part(`{"iat":${EXP + 1}}`)}.s.x`,
      "five parts, as of a JWE": `h.${part(`{"iat":${EXP + 1}}`)}.s.x.y`,
      "the payload in another place": `${part(`{"iat":${EXP + 1}}`)}.h.s`,
      "a payload that is not base64url": `h.+${part(`{"iat":${EXP + 1}}`)}.s`,
      "a payload of a length that base64 does not have": "h.abcde.s",
      "a payload that is not UTF-8": `h.${Buffer.from([0x7b, 0xff, 0x7d]).toString("base64url")}.s`,
      "a payload that is not JSON": `h.${part(`{"iat":${EXP + 1}`)}.s`,
      "an empty payload": "h..s",
      "a payload null": `h.${part("null")}.s`,
      "a payload that is a list": `h.${part(`[{"iat":${EXP + 1}}]`)}.s`,
      "a payload that is a string": `h.${part('"iat"')}.s`,
      "iat a string": jwt({ iat: String(EXP + 1) }),
      "iat null": jwt({ iat: null }),
      "iat a list": jwt({ iat: [EXP + 1] }),
      "iat beyond all numbers": jwt(`{"iat":1e400}`),
      "iat below all numbers": jwt(`{"iat":-1e400}`),
      "iat of the prototype": jwt(`{"__proto__":{"iat":${EXP + 1}}}`),
      "exp alone": jwt({ exp: EXP + 1_000_000 }),
      "20,000 levels": jwt("[".repeat(20_000)),
    };
    for (const [name, token] of Object.entries(unreadable)) {
      test(`not read: ${name}`, async () => assert.equal(await life(token), "token"));
    }
    const readable = {
      "iat": jwt({ iat: EXP + 1 }),
      "iat with a fraction": jwt({ iat: EXP + 0.5 }),
      "without a signature": jwt({ iat: EXP + 1 }, { signature: "" }),
      "by any header": jwt({ iat: EXP + 1 }, { header: "not even an object" }),
      "alg none": jwt({ iat: EXP + 1 }, { header: { alg: "none" } }),
      // 19 bytes: the last character carries two bits that count, and four that mean nothing and are not zero here.
      "a payload with bits left over": `h.${part(`{"iat":${EXP + 1}} `).replace(/A$/, "P")}.s`,
      "duplicate iat: the last one counts": jwt(`{"iat":${EXP - 600},"iat":${EXP + 1}}`),
      "its own exp before iat": jwt({ iat: EXP - 600, exp: EXP - 601 }),
      "its own exp at iat": jwt({ iat: EXP - 600, exp: EXP - 600 }),
      "iat of long ago": jwt({ iat: 0 }),
      "iat in the far future": jwt({ iat: 1e300 }),
    };
    for (const [name, token] of Object.entries(readable)) {
      test(`read, and dead: ${name}`, async () => assert.equal(await life(token), "invalid_response"));
    }
    test("exp as 1e400 is not read, iat is", async () => {
      assert.equal(await life(jwt(`{"iat":${EXP - 600},"exp":1e400}`)), "token");
      assert.equal(await life(jwt(`{"iat":${EXP},"exp":1e400}`)), "invalid_response");
    });
  });
});
