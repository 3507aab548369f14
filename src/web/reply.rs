//! What `fetch` resolved to: the head's fields that count, and the body, read as a stream and no further than the cap.
//! The loop over the stream is the package's JavaScript: here each chunk would cost a future and a dozen crossings.

use super::host::Host;
use crate::response::{Body, Headers, MAX_BODY_BYTES};
use crate::time::{Instant, NumericDate};
use alloc::string::String;
use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    /// A reply. Its methods never throw.
    pub type Reply;

    /// Reads the head of whatever `fetch` resolved to.
    #[wasm_bindgen(method)]
    pub fn reply(this: &Host, response: &JsValue) -> Reply;

    /// HTTP's status, if there is one.
    #[wasm_bindgen(method, getter)]
    pub fn status(this: &Reply) -> Option<f64>;

    #[wasm_bindgen(method, getter)]
    fn date(this: &Reply) -> Option<String>;

    #[wasm_bindgen(method, getter)]
    fn age(this: &Reply) -> Option<String>;

    #[wasm_bindgen(method, getter, js_name = retryAfter)]
    fn retry_after(this: &Reply) -> Option<String>;

    #[wasm_bindgen(method)]
    fn read(this: &Reply, cap: usize, deadline: f64) -> Promise;

    type Parsed;
    #[wasm_bindgen(method, getter)]
    fn outcome(this: &Parsed) -> u32;
    #[wasm_bindgen(method, getter)]
    fn json(this: &Parsed) -> JsValue;
}

impl Reply {
    /// The header fields that count. `local` is the wall clock.
    pub(super) fn headers(&self, local: NumericDate) -> Headers {
        Headers::read(self.date().as_deref(), self.age().as_deref(), self.retry_after().as_deref(), local)
    }

    /// The body, parsed. Broken if reading it rejects. A stream that goes on past the deadline keeps this waiting.
    pub(super) async fn body(&self, deadline: Instant) -> Body<JsValue> {
        let parsed: Parsed = match JsFuture::from(self.read(MAX_BODY_BYTES, deadline.0)).await {
            Ok(parsed) => parsed.unchecked_into(),
            Err(cause) => return Body::Broken(cause),
        };
        match parsed.outcome() {
            0 => Body::Json(parsed.json()),
            1 => Body::NotJson,
            _ => Body::TooLarge,
        }
    }
}
