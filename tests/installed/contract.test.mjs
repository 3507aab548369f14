// Replies to tokens: the vendor's page word for word, and every rule that a 200 has to keep.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { importInstalled } from "../lib/install.mjs";
import { accepted, given, options, over, raw, refused } from "../lib/raw-calls.mjs";
import { PAGE, PAGE_TOKEN, chunked, jwt, reply, success } from "../lib/replies.mjs";

const { authenticate, BadRequestError, InternalServerError, UnauthorizedError } = await importInstalled();
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
