// A token's life on arrival: by the JWT, by the server's clock, by ours, and which of them counts.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { accepted, given, over, refused } from "../lib/raw-calls.mjs";
import { PAGE, jwt, reply, success } from "../lib/replies.mjs";

const seconds = () => Math.floor(Date.now() / 1_000);
const HOUR = 3_600;

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
