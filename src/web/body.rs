//! Reads a reply's body as a stream, no further than the cap.

use super::flight::Flight;
use super::host::{Host, get};
use crate::json::Json;
use crate::response::{Body, MAX_BODY_BYTES};
use crate::time::Instant;
use alloc::vec::Vec;
use js_sys::{Function, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use zeroize::Zeroizing;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = Uint8Array, js_name = Uint8Array)]
    type Chunk;

    /// A copy of a chunk by the engine's own reading of it: a subclass may lie about its length. Throws on a detached
    /// buffer.
    #[wasm_bindgen(constructor, catch, js_class = "Uint8Array")]
    fn new(chunk: &JsValue) -> Result<Chunk, JsValue>;

    /// Throws on all that is no ArrayBuffer.
    #[wasm_bindgen(js_name = DataView)]
    type View;
    #[wasm_bindgen(constructor, catch, js_class = "DataView")]
    fn new(buffer: &JsValue) -> Result<View, JsValue>;

    #[wasm_bindgen(js_namespace = ArrayBuffer, js_name = isView)]
    fn is_view(value: &JsValue) -> bool;
}

/// The body of a `Response`, parsed. Broken if reading it rejects.
pub(super) async fn read(host: &Host, flight: &Flight, response: &JsValue) -> Body<JsValue> {
    match read_bytes(host, flight, response).await {
        Ok(Some(bytes)) => Json::parse(&bytes).map_or(Body::NotJson, Body::Json),
        Ok(None) => Body::TooLarge,
        Err(cause) => Body::Broken(cause),
    }
}

/// The bytes, or `None` when there are too many.
async fn read_bytes(host: &Host, flight: &Flight, response: &JsValue) -> Result<Option<Zeroizing<Vec<u8>>>, JsValue> {
    let mut bytes = Zeroizing::new(Vec::new());
    let stream = get(response, "body")?;
    if stream.is_null() {
        return Ok(Some(bytes));
    }
    let Ok(get_reader) = get(&stream, "getReader").and_then(JsCast::dyn_into::<Function>) else {
        // A `fetch` of the caller's own whose bodies are no web streams.
        let buffer =
            JsFuture::from(host.invoke(response, "arrayBuffer", &JsValue::UNDEFINED, &JsValue::UNDEFINED)).await?;
        // An array, an iterable or a number would be bytes to the constructor below, as many as it says.
        View::new(&buffer)?;
        let buffer = Chunk::new(&buffer)?;
        return Ok(append(&mut bytes, &buffer).then_some(bytes));
    };
    let reader = get_reader.call0(&stream)?;
    loop {
        let result = JsFuture::from(host.invoke(&reader, "read", &JsValue::UNDEFINED, &JsValue::UNDEFINED)).await?;
        if get(&result, "done")?.is_truthy() {
            return Ok(Some(bytes));
        }
        let now = Instant(host.now());
        if now >= flight.deadline.get() {
            // A stream that never keeps us waiting keeps the timers from going off: let the flight's end it.
            flight.sleep(now).await;
        }
        let chunk = get(&result, "value")?;
        if !is_view(&chunk) {
            return Err(js_sys::TypeError::new("the body holds a chunk that is no Uint8Array").into());
        }
        let chunk = Chunk::new(&chunk)?;
        if !append(&mut bytes, &chunk) {
            // The request is ended by its guard too; this is for streams that know nothing of it.
            drop(JsFuture::from(host.invoke(&reader, "cancel", &JsValue::UNDEFINED, &JsValue::UNDEFINED)));
            return Ok(None);
        }
    }
}

/// Appends a chunk unless it goes over the cap. A buffer that gets too small is overwritten before it is let go.
fn append(bytes: &mut Zeroizing<Vec<u8>>, chunk: &Uint8Array) -> bool {
    let total = bytes.len().saturating_add(chunk.length() as usize);
    if total > MAX_BODY_BYTES {
        return false;
    }
    if total > bytes.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity(total.max(bytes.capacity() * 2)));
        larger.extend_from_slice(bytes);
        *bytes = larger;
    }
    bytes.extend_from_slice(&Zeroizing::new(chunk.to_vec()));
    true
}
