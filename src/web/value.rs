//! Values that come in from strangers and go out to callers.

use js_sys::{Function, Map, Object, Promise, Uint8Array};
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

#[wasm_bindgen]
extern "C" {
    type TextEncoder;
    #[wasm_bindgen(constructor)]
    fn new() -> TextEncoder;
    #[wasm_bindgen(method)]
    fn encode(this: &TextEncoder, text: &JsValue) -> Uint8Array;

    /// The tag of a value, as `[object Name]`, that instances of another realm have too.
    #[wasm_bindgen(js_namespace = ["Object", "prototype", "toString"], js_name = call, catch)]
    fn tag_of(value: &JsValue) -> Result<JsValue, JsValue>;
}

/// Text in UTF-8, or `None` for what is no text. Nothing of it stays behind in this memory or in a buffer of JavaScript's.
pub(super) fn utf8(value: &JsValue) -> Option<Zeroizing<Vec<u8>>> {
    if !value.is_string() {
        return None;
    }
    let bytes = TextEncoder::new().encode(value);
    let utf8 = Zeroizing::new(bytes.to_vec());
    bytes.fill(0, 0, bytes.length());
    Some(utf8)
}

/// The same as a string.
pub(super) fn text(value: &JsValue) -> Option<Zeroizing<String>> {
    let mut bytes = utf8(value)?;
    String::from_utf8(std::mem::take(&mut *bytes)).ok().map(Zeroizing::new)
}

/// Whether a text is what was encoded: UTF-8 has no lone surrogates, JavaScript's strings may.
pub(super) fn is_same_text(utf8: &[u8], value: &JsValue) -> bool {
    std::str::from_utf8(utf8).is_ok_and(|text| JsValue::from_str(text) == *value)
}

/// Whether a value is an object or a function.
pub(super) fn is_object(value: &JsValue) -> bool {
    value.is_object() || value.is_function()
}

/// Whether a value is an instance of a platform class; by its tag if it is of another realm.
pub(super) fn has_tag(value: &JsValue, tag: &str) -> bool {
    tag_of(value).is_ok_and(|found| found.as_string().as_deref() == Some(tag))
}

/// A plain object with these members.
///
/// By way of a `Map`: to set members of an object one after the other would call the setters that a page has put on
/// `Object.prototype`.
pub(super) fn object(members: &impl Serialize) -> JsValue {
    let map = members.serialize(&Serializer::new()).unwrap_or_default();
    match map.dyn_ref::<Map>() {
        Some(map) => Object::from_entries(map).map_or(JsValue::UNDEFINED, JsValue::from),
        None => JsValue::UNDEFINED,
    }
}

/// The same, frozen.
pub(super) fn frozen(members: &impl Serialize) -> JsValue {
    let object = object(members);
    Object::freeze(object.unchecked_ref::<Object>());
    object
}

/// An object without a prototype, whose members can be set whatever a page has put on `Object.prototype`.
pub(super) fn bare_object() -> Object {
    Object::create(JsValue::NULL.unchecked_ref())
}

/// A promise and the function that resolves it.
pub(super) fn deferred() -> (Promise, Function) {
    let mut resolver = JsValue::UNDEFINED;
    let promise = Promise::new(&mut |resolve: Function, _| resolver = resolve.into());
    (promise, resolver.unchecked_into())
}

/// What a value resolves to, whatever it is: a promise, a thenable of a stranger, or no promise at all. `or` resolves to
/// undefined when nobody waits any more; without it, what waits for a promise that never settles would be kept for good.
pub(super) async fn settled(value: JsValue, or: &Promise) -> Result<JsValue, JsValue> {
    Promise::race(&js_sys::Array::of2(&value, or)).await
}

thread_local! {
    static IGNORE: Closure<dyn FnMut(JsValue)> = Closure::new(|_| {});
}

/// Sees to it that the rejection of what may be a promise is no unhandled one.
pub(super) fn contain(value: &JsValue) {
    if is_object(value) {
        let promise = Promise::race(&js_sys::Array::of1(value));
        IGNORE.with(|ignore| drop(promise.catch(ignore)));
    }
}
