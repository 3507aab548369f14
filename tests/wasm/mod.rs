//! What only JavaScript can show of `src/web`: one suite, launched by `tests/node.rs` and `tests/browser.rs`. The hostile
//! values are in `hostile.js`; each area of them is one test here.

use digitalpaye_auth::web::{WebClient, authenticate};
use js_sys::{Object, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen(raw_module = "../cache.js")]
extern "C" {
    type TokenCache;
    #[wasm_bindgen(constructor)]
    fn new() -> TokenCache;
}

#[wasm_bindgen(module = "/tests/wasm/hostile.js")]
extern "C" {
    /// Runs the cases of an area. Resolves to what went wrong, one line a case.
    #[wasm_bindgen(catch)]
    async fn run(area: &str, open: &JsValue, once: &JsValue) -> Result<JsValue, JsValue>;
}

/// A client as JavaScript has it, or the error.
fn open(options: &JsValue) -> JsValue {
    WebClient::new(options, TokenCache::new().unchecked_into()).map_or_else(|error| error, JsValue::from)
}

async fn check(area: &str) {
    let open = Closure::<dyn Fn(JsValue) -> JsValue>::new(|options: JsValue| open(&options));
    let once = Closure::<dyn Fn(JsValue, JsValue) -> Promise>::new(|options: JsValue, call: JsValue| {
        authenticate(&options, &call)
    });
    let faults = run(area, open.as_ref(), once.as_ref()).await;
    assert_eq!(faults.map(|faults| faults.as_string()), Ok(Some(String::new())), "{area}");
    // What is still under way may call them.
    open.forget();
    once.forget();
}

macro_rules! areas {
    ($($name:ident),* $(,)?) => {
        $(#[wasm_bindgen_test]
        async fn $name() {
            check(stringify!($name)).await;
        })*
    };
}

areas![good, options, calls, fetches, responses, bodies, stores, handlers, secrets, reentrancy, prototypes];

#[wasm_bindgen_test]
fn the_secret_is_not_among_what_a_client_shows() {
    let options = js_sys::JSON::parse(r#"{ "apiKey": "k", "apiSecret": "open sesame" }"#).unwrap_or_default();
    let client = open(&options);
    let shown = format!("{client:?} {:?}", Object::entries(client.unchecked_ref::<Object>()));
    assert!(!shown.contains("sesame"), "{shown}");
}
