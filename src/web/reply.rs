//! What `fetch` resolved to: the head's fields that count, and the body, read as a stream and no further than the cap.
//! The loop over the stream is the package's JavaScript: here each chunk would cost a future and a dozen crossings.

use super::host::Host;
use crate::response::{Body, Headers, MAX_BODY_BYTES};
use crate::time::{Instant, NumericDate};
use alloc::string::String;
use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::RequestInit;

#[wasm_bindgen]
extern "C" {
    /// A reply. Its methods never throw.
    pub type Reply;

    /// Calls `fetch`; undefined stands for the platform's. The promise rejects if it does, and else resolves to a
    /// [`Reply`]: of a 200 with its body, read as [`Reply::body`] would.
    #[wasm_bindgen(method)]
    pub fn send(this: &Host, fetch: &JsValue, url: &str, init: &RequestInit, cap: usize, deadline: f64) -> Promise;

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

    /// What came of the body; `None` before it was read.
    #[wasm_bindgen(method, getter)]
    fn outcome(this: &Reply) -> Option<u32>;

    #[wasm_bindgen(method, getter)]
    fn value(this: &Reply) -> JsValue;
}

impl Reply {
    /// The header fields that count. `local` is the wall clock.
    pub(super) fn headers(&self, local: NumericDate) -> Headers {
        Headers::read(self.date().as_deref(), self.age().as_deref(), self.retry_after().as_deref(), local)
    }

    /// The body, parsed. Broken if reading it rejects. A stream that goes on past the deadline, or
    /// after the request was given up, keeps this waiting.
    pub(super) async fn body(&self, deadline: Instant) -> Body<JsValue> {
        if self.outcome().is_none() {
            let _ = JsFuture::from(self.read(MAX_BODY_BYTES, deadline.0)).await;
        }
        match self.outcome() {
            Some(0) => Body::Json(self.value()),
            Some(1) => Body::NotJson,
            Some(2) => Body::TooLarge,
            _ => Body::Broken(self.value()),
        }
    }
}
