// Options of a wrong type or value: an InvalidOptionsError that names the field, and nothing sent.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { inspect } from "node:util";
import { runInNewContext } from "node:vm";
import { importInstalled } from "../lib/install.mjs";
import { leak } from "../lib/leaks.mjs";
import { startRaw } from "../lib/raw.mjs";
import { PAGE, PAGE_TOKEN, reply } from "../lib/replies.mjs";

const { authenticate, DigitalpayeAuth, InvalidOptionsError, AuthError } = await importInstalled();
const raw = await startRaw(reply(200, PAGE[200]));
after(() => raw.stop());

const SECRET = "xK9-tr0mbone";
let calls = 0;
const good = {
  apiKey: "key",
  apiSecret: SECRET,
  fetch: async () => {
    calls += 1;
    return new Response(PAGE[200]);
  },
};

const TYPES = [null, 0, 1, NaN, true, false, 5n, Symbol("s"), {}, [], () => {}, new Date(), new Error("x"), /x/, new Map(), new Uint8Array(2), Promise.resolve("x")];
const without = (...unwanted) => TYPES.filter((value) => !unwanted.some((other) => Object.is(other, value) || other === typeof value));

function checkError(error, option) {
  assert.ok(error instanceof InvalidOptionsError && error instanceof AuthError, inspect(error));
  assert.equal(error.code, "invalid_options");
  assert.equal(error.option, option, error.message);
  assert.equal(error.retryable, false);
  assert.equal(error.attempts, 0);
  assert.ok(!("status" in error) && !("reason" in error) && !("retryAfter" in error));
  assert.ok(error.message.includes(option), error.message);
  assert.equal(leak(error, [SECRET]), undefined);
}

/** Both ways of configuring refuse these options, naming `option`, and nothing is sent. */
async function refuses(options, option, what = inspect(options, { depth: 1 })) {
  const before = calls;
  let call;
  assert.doesNotThrow(() => (call = authenticate(options)), "authenticate never throws");
  assert.ok(call instanceof Promise);
  const error = await call.then(() => undefined, (error) => error);
  assert.ok(error, `taken: ${what}`);
  checkError(error, option);
  let thrown;
  try {
    new DigitalpayeAuth(options);
  } catch (error) {
    thrown = error;
  }
  assert.ok(thrown, `the constructor took: ${what}`);
  checkError(thrown, option);
  assert.equal(calls, before, "nothing is sent");
}

async function takes(options, what) {
  assert.deepEqual(await authenticate({ ...good, ...options }), PAGE_TOKEN, what);
  assert.ok(new DigitalpayeAuth({ ...good, ...options }) instanceof DigitalpayeAuth);
}

describe("options", () => {
  test("has to be an object", async () => {
    for (const options of [undefined, null, 5, "key", true, 5n, Symbol("s")]) await refuses(options, "options", String(options));
    let error;
    await authenticate().catch((each) => (error = each));
    checkError(error, "options");
  });

  test("an empty one names the first field that is missing", async () => {
    for (const options of [{}, [], new Map(), () => {}, Object.create(null)]) await refuses(options, "apiKey");
    await refuses({ apiKey: "key" }, "apiSecret");
  });

  test("fields may be inherited, from a class or a prototype", async () => {
    class Config {
      get apiKey() { return "key"; }
      get apiSecret() { return SECRET; }
      get fetch() { return good.fetch; }
    }
    assert.deepEqual(await authenticate(new Config()), PAGE_TOKEN);
    assert.deepEqual(await authenticate(Object.create(good)), PAGE_TOKEN);
    assert.deepEqual(await authenticate(Object.freeze({ ...good })), PAGE_TOKEN);
    assert.deepEqual(await authenticate(Object.assign(Object.create(null), good)), PAGE_TOKEN);
    assert.deepEqual(await authenticate(new Proxy(good, {})), PAGE_TOKEN);
    assert.deepEqual(await authenticate(runInNewContext("Object.assign({}, good)", { good })), PAGE_TOKEN);
  });

  test("what is not an option is not looked at", async () => {
    let looked = false;
    const options = { ...good, other: 5, Timeout: -1, api_key: null, get unknown() { looked = true; return 1; } };
    assert.deepEqual(await authenticate(options), PAGE_TOKEN);
    assert.equal(looked, false);
  });

  test("they are left as they were", async () => {
    const options = { ...good, baseUrl: "https://h.example", environment: "Sandbox", timeout: 5_000, maxRetries: 1 };
    const before = { ...options };
    await authenticate(options);
    assert.deepEqual(options, before);
  });
});

for (const name of ["apiKey", "apiSecret"]) {
  describe(name, () => {
    test("has to be a string", async () => {
      // A function may be an apiSecret.
      const types = TYPES.filter((value) => name !== "apiSecret" || typeof value !== "function");
      for (const value of [undefined, ...types, new String("key"), ["key"], { toString: () => "key" }]) await refuses({ ...good, [name]: value }, name, typeof value);
    });
    test("has not to be empty", () => refuses({ ...good, [name]: "" }, name));
    test("has no control characters, of ASCII or of Latin-1", async () => {
      for (let code = 0; code < 0xa0; code += 1) {
        if (code >= 0x20 && code < 0x7f) continue;
        const character = String.fromCharCode(code);
        for (const value of [character, `${character}x`, `x${character}`, `x${character}x`]) await refuses({ ...good, [name]: value }, name, `U+${code.toString(16)}`);
      }
    });
    test("has no lone surrogate", async () => {
      for (const value of ["\ud800", "\udfff", "x\ud83d", "\ude00x", "\ude00\ud83d", "😀\ud83d", "\ud83d😀", "\ud800\ud800\udc00"]) {
        await refuses({ ...good, [name]: value }, name, JSON.stringify(value));
      }
    });
    test("takes all else", async () => {
      for (const value of [" ", "a", "é", "😀", "\u{10ffff}", "\u00a0", "\ufeff", "\u2028", "\u200b", "\ufffd", "\uffff", "x".repeat(100_000), "'\"\\`$"]) await takes({ [name]: value }, JSON.stringify(value).slice(0, 20));
    });
  });
}

test("apiKey has no colon, apiSecret may", async () => {
  for (const apiKey of [":", "a:", ":a", "a:b"]) await refuses({ ...good, apiKey }, "apiKey");
  await takes({ apiSecret: ":a:b:" });
  await takes({ apiKey: "a：b" }); // the full-width one is no colon
});

describe("environment", () => {
  test("has to be a string", async () => {
    for (const environment of [...TYPES, new String("Sandbox"), ["Sandbox"]]) await refuses({ ...good, environment }, "environment", typeof environment);
  });
  test("is one or more of 0x21–0x7E", async () => {
    for (let code = 0; code < 0x180; code += 1) {
      const character = String.fromCharCode(code);
      if (code >= 0x21 && code <= 0x7e) await takes({ environment: character }, character);
      else await refuses({ ...good, environment: `Sand${character}box` }, "environment", `U+${code.toString(16)}`);
    }
    for (const environment of ["", " ", " Sandbox", "Sandbox ", "Sandbox\n", "Sandbox\r\nX-Injected: 1", "Sandbo\ud800", "😀", "Ｓandbox"]) {
      await refuses({ ...good, environment }, "environment");
    }
  });
});

describe("baseUrl", () => {
  test("has to be a string or a URL", async () => {
    for (const baseUrl of [...TYPES, new String("https://h.example"), ["https://h.example"], { href: "https://h.example" }, { toString: () => "https://h.example" }, new URLSearchParams("https://h.example")]) {
      await refuses({ ...good, baseUrl }, "baseUrl", inspect(baseUrl));
    }
  });

  test("has to be absolute and parseable", async () => {
    for (const baseUrl of ["", " ", "/", "/v1", "h.example", "//h.example", "https", "https:", "https://", "https:///", "https://h h", "https://[::1", "https://h:99999", "https://h:x", "https://1.2.3.4.5", "https://%00", "\ud800"]) {
      await refuses({ ...good, baseUrl }, "baseUrl", baseUrl);
    }
  });

  test("is https, or http to this machine", async () => {
    for (const baseUrl of [
      "http://api.digitalpaye.com", "http://h.example", "http://127.0.0.1.h.example", "http://localhost.h.example", "http://notlocalhost", "http://localhost.com",
      "http://0.0.0.0", "http://10.0.0.1", "http://192.168.0.1", "http://128.0.0.1", "http://126.255.255.255", "http://1270.0.1.h", "http://[::]", "http://[::2]",
      "http://[fe80::1]", "http://[2001:db8::1]", "http://[::ffff:10.0.0.1]", "http://127-0-0-1.h.example", "http://xn--lclhost-bza",
      "ws://localhost", "wss://h.example", "ftp://localhost", "file:///tmp/x", "data:text/plain,x", "javascript:alert(1)", "blob:https://h.example/x", "about:blank", "custom://localhost", "htp://localhost",
    ]) {
      await refuses({ ...good, baseUrl }, "baseUrl", baseUrl);
      if (URL.canParse(baseUrl)) await refuses({ ...good, baseUrl: new URL(baseUrl) }, "baseUrl", `URL ${baseUrl}`);
    }
    for (const baseUrl of [
      "https://h.example", "HTTPS://H.EXAMPLE", "https://h.example:8443/p", "https://10.0.0.1", "https://[2001:db8::1]", "https://localhost", "https://é.example", "https:h.example",
      "http://localhost", "http://LOCALHOST:8080/p", "http://api.localhost", "http://a.b.localhost:1", "http://127.0.0.1", "http://127.1", "http://127.255.255.254", "http://0x7f.1",
      "http://2130706433", "http://[::1]", "http://[0:0:0:0:0:0:0:1]:8080/p/", " \thttps://h.example\n",
    ]) {
      await takes({ baseUrl }, baseUrl);
      await takes({ baseUrl: new URL(baseUrl) }, baseUrl);
    }
  });

  test("has no user info, query or fragment, not even empty ones", async () => {
    for (const part of ["user@h", "user:pass@h", ":pass@h"]) await refuses({ ...good, baseUrl: `https://${part}` }, "baseUrl", part);
    for (const rest of ["?", "/?", "?a=b", "/p?a", "#", "/#", "#f", "/p#f", "/p?#", "?#"]) {
      await refuses({ ...good, baseUrl: `https://h.example${rest}` }, "baseUrl", rest);
      await refuses({ ...good, baseUrl: new URL(`https://h.example${rest}`) }, "baseUrl", rest);
    }
    // Credentials in there are as secret as any.
    const error = await authenticate({ ...good, baseUrl: `https://user:${SECRET}@h.example` }).catch((error) => error);
    assert.equal(leak(error, [SECRET]), undefined);
  });

  test("is judged by its parts as the platform's parser has them", () => {
    const isLoopback = (host) => /^(localhost|.*\.localhost|\[::1\]|127\.[\d.]*)$/.test(host);
    const isUsable = ({ protocol, hostname, username, password, href }) => username + password === "" && !/[?#]/.test(href)
      && (protocol === "https:" || (protocol === "http:" && isLoopback(hostname)));
    const schemes = ["https://", "http://", "HTTP:\\\\", "https:", "http:/", "ws://", "ftp://", "blob:https://", "foo://", "foo:"];
    const users = ["", "@", ":@", "u@", ":p@", "u:p@", "127.0.0.1:80@", "localhost@", "a@b@", "%40@"];
    const hosts = ["h.example", "LOCALHOST", "api.localhost", "localhost.", "localhost.evil.example", "notlocalhost", "127.1", "2130706433", "0x7f.1", "127.evil.example",
      "128.0.0.1", "0.0.0.0", "[::1]", "[0:0:0:0:0:0:0:1]", "[::2]", "[1::1]", "[::ffff:127.0.0.1]", "１２７.0.0.1", "ⓛocalhost"];
    const rests = ["", "/", ":80", ":443/", ":8787/p", "/p/", "/@localhost", "/:127.0.0.1", "\\@localhost", "/p:80@q", "//localhost", "/?", "/#", ":8787#@h", "/p?u@h"];
    let [usable, refused] = [0, 0];
    for (const scheme of schemes) for (const user of users) for (const host of hosts) for (const rest of rests) {
      const baseUrl = scheme + user + host + rest;
      let thrown;
      try {
        new DigitalpayeAuth({ ...good, baseUrl });
      } catch (error) {
        thrown = error;
      }
      assert.equal(thrown === undefined, URL.canParse(baseUrl) && isUsable(new URL(baseUrl)), baseUrl);
      if (thrown) checkError(thrown, "baseUrl");
      if (thrown) refused += 1;
      else usable += 1;
    }
    assert.ok(usable > 1_000 && refused > 10_000, `${usable} usable, ${refused} refused`);
  });

  test("may be a URL of another realm", async () => {
    const baseUrl = new URL("https://h.example/p");
    await takes({ baseUrl: runInNewContext("url", { url: baseUrl }) });
    class Mine extends URL {}
    await takes({ baseUrl: new Mine("https://h.example/p") });
  });

  test("http to this machine goes there", async () => {
    for (const host of ["127.0.0.1", "localhost"]) {
      raw.reset(reply(200, PAGE[200]));
      // The name may stand for ::1 too, where nobody listens; that is the platform's to choose from.
      const token = await authenticate({ ...good, fetch: undefined, baseUrl: `http://${host}:${raw.port}` });
      assert.deepEqual(token, PAGE_TOKEN);
      assert.equal(raw.requests.length, 1);
    }
  });
});

test("timeout is a positive, finite number", async () => {
  for (const timeout of [...without("number"), 0, -0, -1, NaN, Infinity, -Infinity, -Number.MIN_VALUE, "1000", new Number(1_000), [1_000], { valueOf: () => 1_000 }, 1_000n]) {
    await refuses({ ...good, timeout }, "timeout", inspect(timeout));
  }
  for (const timeout of [undefined, 1_000, 1_000.5, 2 ** 31, 1e12, Number.MAX_VALUE]) await takes({ timeout });
});

test("maxRetries is a whole number from 0 to 10", async () => {
  for (const maxRetries of [...without("number"), NaN, Infinity, -Infinity, -1, 11, 0.5, 1.0000001, 9.999, 2 ** 32, 2 ** 32 + 1, 1e300, "2", new Number(2), [2], 2n]) {
    await refuses({ ...good, maxRetries }, "maxRetries", inspect(maxRetries));
  }
  for (const maxRetries of [undefined, 0, -0, 1, 2, 10]) await takes({ maxRetries });
});

test("fetch is a function", async () => {
  for (const fetch of [...without("function"), "fetch", { call() {}, apply() {} }, Object.create(Function.prototype)]) await refuses({ ...good, fetch }, "fetch", inspect(fetch));
  for (const fetch of [async () => new Response(PAGE[200]), function () { return new Response(PAGE[200]); }, new Proxy(good.fetch, {}), good.fetch.bind(null)]) await takes({ fetch });
});

describe("the call's options", () => {
  test("have to be an object", async () => {
    for (const call of [null, 5, "x", true, 5n, Symbol("s")]) {
      const before = calls;
      checkError(await authenticate(good, call).catch((error) => error), "call");
      assert.equal(calls, before);
    }
    for (const call of [undefined, {}, [], Object.create(null), () => {}, { signal: undefined }, { other: 5 }]) assert.deepEqual(await authenticate(good, call), PAGE_TOKEN);
  });

  test("signal is an AbortSignal", async () => {
    for (const signal of [
      ...TYPES, "abort", new AbortController(), new EventTarget(), { aborted: false }, { aborted: false, reason: 1, addEventListener() {}, removeEventListener() {} },
      Object.create(AbortSignal.prototype), AbortSignal, AbortSignal.prototype,
    ]) {
      const before = calls;
      checkError(await authenticate(good, { signal }).catch((error) => error), "signal");
      assert.equal(calls, before, "nothing is sent");
    }
    assert.deepEqual(await authenticate(good, { signal: new AbortController().signal }), PAGE_TOKEN);
    // One of another realm, by its brand; and one that a subclass of the controller made.
    assert.deepEqual(await authenticate(good, { signal: runInNewContext("signal", { signal: new AbortController().signal }) }), PAGE_TOKEN);
  });

  test("forceRefresh and store are nothing to authenticate", async () => {
    assert.deepEqual(await authenticate(good, { forceRefresh: 5 }), PAGE_TOKEN);
    const never = () => assert.fail("used");
    const before = calls;
    for (const store of [5, null, { get: never, set: never, delete: never, acquire: never, release: never }]) {
      assert.deepEqual(await authenticate({ ...good, store, waitUntil: 5 }), PAGE_TOKEN);
    }
    assert.equal(calls, before + 3);
  });
});

test("the constructor checks store and waitUntil", () => {
  const methods = { get: async () => null, set: async () => {} };
  const refused = (options, option) => {
    let thrown;
    try {
      new DigitalpayeAuth({ ...good, ...options });
    } catch (error) {
      thrown = error;
    }
    checkError(thrown, option);
  };
  for (const store of [null, 5, "x", true, {}, { get: methods.get }, { set: methods.set }, { ...methods, get: 5 }, { ...methods, set: null }]) refused({ store }, "store");
  for (const name of ["delete", "acquire", "release"]) {
    for (const value of [null, 5, "x", {}]) refused({ store: { ...methods, [name]: value } }, "store");
    assert.throws(() => new DigitalpayeAuth({ ...good, store: { ...methods, [name]: 5 } }), { message: `store has ${name === "acquire" ? "an" : "a"} ${name} that is not a function` });
  }
  for (const waitUntil of [null, 5, "x", {}, Promise.resolve()]) refused({ waitUntil }, "waitUntil");
  new DigitalpayeAuth({ ...good, store: methods, waitUntil: () => {} });
  new DigitalpayeAuth({ ...good, store: { ...methods, delete: undefined, acquire: undefined, release: undefined }, waitUntil: undefined });
});

test("what is left out is told from what is of the wrong type, and an address without its scheme from a wrong one", () => {
  const message = (options) => {
    try {
      return void new DigitalpayeAuth(options);
    } catch (error) {
      return error.message;
    }
  };
  assert.equal(message({ apikey: "key", apiSecret: SECRET }), "apiKey is missing");
  assert.equal(message({ ...good, apiSecret: undefined }), "apiSecret is missing");
  assert.equal(message({ ...good, apiKey: 5 }), "apiKey is not a string");
  assert.match(message({ ...good, baseUrl: "localhost:8787" }), /^baseUrl is neither https nor http: .*http:\/\//);
});

test("invalid options come before an aborted signal, and leave no trace for the next call", async () => {
  const signal = AbortSignal.abort("reason");
  checkError(await authenticate({ ...good, timeout: -1 }, { signal }).catch((error) => error), "timeout");
  assert.equal(await authenticate(good, { signal }).catch((error) => error), "reason");
  assert.deepEqual(await authenticate(good), PAGE_TOKEN);
});

test("undefined means the default everywhere, null nowhere", async () => {
  const names = ["environment", "baseUrl", "timeout", "maxRetries", "fetch"];
  for (const name of names) await refuses({ ...good, [name]: null }, name);
  await takes(Object.fromEntries(names.filter((name) => name !== "fetch").map((name) => [name, undefined])));
  let url;
  await authenticate({ ...good, fetch: async (each) => { url = each; return new Response(PAGE[200]); } });
  assert.equal(url, "https://api.digitalpaye.com/v1/auth");
});

test("over the wire too: nothing connects", async () => {
  raw.reset(reply(200, PAGE[200]));
  const before = raw.connections;
  const bad = [{ apiKey: "" }, { apiSecret: null }, { environment: "" }, { timeout: 0 }, { maxRetries: -1 }, { fetch: 5 }, { baseUrl: `${raw.url}/?q` }];
  for (const each of bad) {
    const options = { ...good, baseUrl: raw.url, fetch: undefined, ...each };
    checkError(await authenticate(options).catch((error) => error), Object.keys(each)[0]);
  }
  checkError(await authenticate({ ...good, baseUrl: raw.url, fetch: undefined }, { signal: {} }).catch((error) => error), "signal");
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(raw.connections, before);
});
