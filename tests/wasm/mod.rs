//! What only JavaScript can show of `src/web`: one suite, launched by `tests/node.rs` and `tests/browser.rs`. It drives
//! the wasm client as the package's own JavaScript does, with a `fetch` that answers from here.
// A test may panic: that is how it fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use digitalpaye_auth::web::Client;
use js_sys::{Array, Function, Object, Promise, Reflect};
use serde::Deserialize;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;

#[derive(Debug, Deserialize, PartialEq)]
struct AccessToken {
    token: String,
    exp: f64,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Failure {
    code: String,
    attempts: u32,
    status: Option<f64>,
    reason: Option<String>,
    option: Option<String>,
}

/// The package's own JavaScript, in the order of its imports.
const PACKAGE: [&str; 4] = [
    include_str!("../../pkg/errors.js"),
    include_str!("../../pkg/reply.js"),
    include_str!("../../pkg/options.js"),
    include_str!("../../pkg/host.js"),
];

/// Its class `Host`, over the client of this very module: one script, whose `host` is the global that the glue of the tests
/// looks for.
fn host_class() -> Function {
    let mut script = String::new();
    for line in PACKAGE.iter().flat_map(|file| file.lines()) {
        match line.strip_prefix("export ") {
            Some("let host;") => {}
            Some(declaration) => script.push_str(declaration),
            None if line.starts_with("import ") => {}
            None => script.push_str(line),
        }
        script.push('\n');
    }
    run("globalThis.host = { configured() {} };");
    let open = || {
        Client::open(
            b"k".into(),
            b"s".into(),
            None,
            "https://h/",
            "https:",
            "h",
            false,
            None,
            None,
            false,
            false,
            false,
        )
    };
    let class = get(&JsValue::from(open().unwrap()), "constructor");
    Function::new_with_args("Client", &format!("{script}\nreturn Host;"))
        .call1(&JsValue::UNDEFINED, &class)
        .unwrap()
        .unchecked_into()
}

fn run(body: &str) -> JsValue {
    Function::new_no_args(body).call0(&JsValue::UNDEFINED).unwrap()
}

fn set(object: &JsValue, name: &str, value: &JsValue) {
    Reflect::set(object, &name.into(), value).unwrap();
}

fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap()
}

/// Options whose `fetch` has this body, with `url`, `init` and `sent` (an array of both) in reach.
fn options(fetch: &str) -> JsValue {
    let options = run(&format!(
        "const sent = []; return {{ apiKey: 'Aladdin', apiSecret: 'open sesame', sent,
           fetch: async (url, init) => {{ sent.push({{ url, init }}); {fetch} }} }};"
    ));
    set(&options, "maxRetries", &0.into());
    options
}

/// A reply with a token of 600 s.
const TOKEN: &str = "return Response.json({ statusCode: 200, message: 'Successful',
   data: { token: 'token-' + sent.length, exp: Math.floor(Date.now() / 1000) + 600 } });";

struct Fixture {
    host: JsValue,
}

impl Fixture {
    fn new(options: &JsValue) -> Result<Self, JsValue> {
        let arguments = Array::of2(options, &JsValue::FALSE);
        Ok(Self { host: Reflect::construct(&host_class(), &arguments)? })
    }

    fn ask(&self, call: &JsValue) -> Promise {
        let ask: Function = get(&self.host, "ask").unchecked_into();
        Promise::new(&mut |resolve, reject| {
            if let Err(thrown) = ask.call3(&self.host, call, &resolve, &reject) {
                reject.call1(&JsValue::UNDEFINED, &thrown).unwrap();
            }
        })
    }

    async fn token(&self) -> Result<AccessToken, Failure> {
        match JsFuture::from(self.ask(&JsValue::UNDEFINED)).await {
            Ok(token) => Ok(serde_wasm_bindgen::from_value(token).unwrap()),
            Err(error) => Err(serde_wasm_bindgen::from_value(error).unwrap()),
        }
    }
}

fn sent(options: &JsValue) -> Array {
    get(options, "sent").unchecked_into()
}

#[wasm_bindgen_test]
async fn a_token_by_the_one_request_of_the_contract() {
    let options = options(TOKEN);
    let fixture = Fixture::new(&options).unwrap();
    assert!(sent(&options).length() == 0, "a client sends nothing by itself");
    assert_eq!(fixture.token().await.unwrap().token, "token-1");
    let request = sent(&options).get(0);
    assert_eq!(get(&request, "url"), "https://api.digitalpaye.com/v1/auth");
    let init = get(&request, "init");
    for (name, value) in [("method", "POST"), ("redirect", "manual"), ("credentials", "omit"), ("cache", "no-store")] {
        assert_eq!(get(&init, name), value, "{name}");
    }
    let headers = get(&init, "headers");
    assert_eq!(get(&headers, "Authorization"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    assert_eq!(get(&headers, "X-Environment"), "Production");
    assert_eq!(Object::keys(headers.unchecked_ref::<Object>()).length(), 2);
    assert!(!Object::has_own(init.unchecked_ref::<Object>(), &"body".into()));
}

#[wasm_bindgen_test]
async fn many_ask_and_one_request_is_sent() {
    let options = options(TOKEN);
    let fixture = Fixture::new(&options).unwrap();
    let all: Array = (0..1_000).map(|_| fixture.ask(&JsValue::UNDEFINED)).collect();
    let tokens: Array = JsFuture::from(Promise::all(&all)).await.unwrap().unchecked_into();
    assert!(tokens.every(&mut |token, _, _| get(&token, "token") == "token-1"));
    assert_eq!(get(&get(&fixture.host, "held"), "token"), "token-1");
    assert_eq!(sent(&options).length(), 1);
}

#[wasm_bindgen_test]
async fn failures_are_typed() {
    for (fetch, code, status, reason) in [
        ("return new Response('{\"reason\":\"non\"}', { status: 401 });", "unauthorized", Some(401.0), Some("non")),
        ("return new Response('<html>', { status: 502 });", "internal_server_error", Some(502.0), None),
        ("return new Response('x'.repeat(65537), { status: 200 });", "invalid_response", Some(200.0), None),
        ("return new Response(null, { status: 204 });", "unexpected_status", Some(204.0), None),
        ("throw new TypeError('refused');", "network", None, None),
        ("return undefined;", "invalid_response", None, None),
        ("return { status: 200, get body() { throw 1; } };", "network", Some(200.0), None),
        ("return { get then() { throw 1; } };", "network", None, None),
        ("return new Proxy({}, { get() { throw 1; }, has() { throw 1; } });", "network", None, None),
        (
            "return { status: 200, body: { getReader: () => ({ read: () => ({ value: 'text' }) }) } };",
            "network",
            Some(200.0),
            None,
        ),
    ] {
        let fixture = Fixture::new(&options(fetch)).unwrap();
        let failure = fixture.token().await.unwrap_err();
        let expected = Failure { code: code.into(), attempts: 1, status, reason: reason.map(Into::into), option: None };
        assert_eq!(failure, expected, "{fetch}");
    }
}

#[wasm_bindgen_test]
async fn the_body_is_read_in_chunks_of_any_size() {
    let options = options(
        "const text = JSON.stringify({ data: { token: 'é'.length + 'abc', exp: Math.floor(Date.now() / 1000) + 60 } });
         const bytes = new TextEncoder().encode('\\ufeff' + text);
         let at = 0;
         return new Response(new ReadableStream({ pull(c) { at < bytes.length ? c.enqueue(bytes.subarray(at, ++at)) : c.close(); } }));",
    );
    assert_eq!(Fixture::new(&options).unwrap().token().await.unwrap().token, "1abc");
}

#[wasm_bindgen_test]
fn unusable_options_are_named_and_nothing_is_sent() {
    for (change, option) in [
        ("o.apiKey = null", "apiKey"),
        ("o.apiKey = 'a:b'", "apiKey"),
        ("o.apiSecret = '\\ud800'", "apiSecret"),
        ("o.apiSecret = new String('s')", "apiSecret"),
        ("o.environment = null", "environment"),
        ("o.baseUrl = 'http://example.com'", "baseUrl"),
        ("o.baseUrl = { href: 'https://example.com', toString() { return 'https://example.com' } }", "baseUrl"),
        ("o.timeout = '5'", "timeout"),
        ("o.maxRetries = 11", "maxRetries"),
        ("o.fetch = {}", "fetch"),
        ("o.store = {}", "store"),
        ("o.waitUntil = 1", "waitUntil"),
        ("Object.defineProperty(o, 'timeout', { get() { throw Symbol('x'); } })", "timeout"),
    ] {
        let options = options(TOKEN);
        Function::new_with_args("o", change).call1(&JsValue::UNDEFINED, &options).unwrap();
        let error = Fixture::new(&options).err().expect(change);
        let failure: Failure = serde_wasm_bindgen::from_value(error).unwrap();
        assert_eq!((failure.code.as_str(), failure.option.as_deref()), ("invalid_options", Some(option)), "{change}");
        assert_eq!(sent(&options).length(), 0);
    }
}

#[wasm_bindgen_test]
async fn an_abort_rejects_with_the_signals_reason_and_ends_the_request() {
    let options = options("await new Promise((_, reject) => init.signal.addEventListener('abort', () => reject(1)));");
    let fixture = Fixture::new(&options).unwrap();
    let call = run("const c = new AbortController(); return { signal: c.signal, abort: (why) => c.abort(why) };");
    let promise = fixture.ask(&call);
    // A turn later the request is out.
    JsFuture::from(Promise::resolve(&JsValue::UNDEFINED)).await.unwrap();
    let reason = JsValue::from_str("enough");
    get(&call, "abort").unchecked_into::<Function>().call1(&JsValue::UNDEFINED, &reason).unwrap();
    assert_eq!(JsFuture::from(promise).await.unwrap_err(), reason);
    let signal = get(&get(&sent(&options).get(0), "init"), "signal");
    assert_eq!(get(&signal, "aborted"), JsValue::TRUE);
    assert_eq!(JsFuture::from(fixture.ask(&call)).await.unwrap_err(), reason, "and is refused from then on");
}

#[wasm_bindgen_test]
async fn a_fetch_that_calls_back_finds_the_client_in_order() {
    let options = options(
        "sent.again ??= sent.ask(); await 0; return Response.json({ data: { token: 't', exp: Math.floor(Date.now() / 1000) + 60 } });",
    );
    let fixture = Fixture::new(&options).unwrap();
    let ask = Function::new_with_args(
        "host",
        "return () => new Promise((resolve, reject) => { host.invalidate(undefined); host.ask(undefined, resolve, reject); });",
    );
    let ask = ask.call1(&JsValue::UNDEFINED, &fixture.host).unwrap();
    set(&get(&options, "sent"), "ask", &ask);
    assert_eq!(fixture.token().await.unwrap().token, "t");
    let again = JsFuture::from(get(&sent(&options), "again").unchecked_into::<Promise>()).await.unwrap();
    assert_eq!(get(&again, "token"), "t");
}

#[wasm_bindgen_test]
async fn a_closed_client_says_so() {
    let fixture = Fixture::new(&options(TOKEN)).unwrap();
    fixture.token().await.unwrap();
    get(&fixture.host, "close").unchecked_into::<Function>().call0(&fixture.host).unwrap();
    assert_eq!(fixture.token().await.unwrap_err().option.as_deref(), Some("apiSecret"));
}
