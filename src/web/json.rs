//! JSON by the engine's own parser.

use crate::json::Json;
use alloc::string::String;
use js_sys::{JsString, Object, Reflect};
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

#[wasm_bindgen]
extern "C" {
    type TextDecoder;
    #[wasm_bindgen(constructor)]
    fn new() -> TextDecoder;
    #[wasm_bindgen(method)]
    fn decode(this: &TextDecoder, utf8: &[u8]) -> JsString;

    #[wasm_bindgen(catch, js_namespace = JSON)]
    fn parse(text: &JsString) -> Result<JsValue, JsValue>;
}

impl Json for JsValue {
    fn parse(utf8: &[u8]) -> Option<Self> {
        parse(&TextDecoder::new().decode(utf8)).ok()
    }

    fn member(&self, name: &str) -> Option<Self> {
        let object: &Object = self.dyn_ref()?;
        let name = Self::from_str(name);
        // Own members only: nothing that a page put on Object.prototype is part of a reply.
        Object::has_own(object, &name).then(|| Reflect::get(object, &name).ok()).flatten()
    }

    fn string(&self) -> Option<String> {
        self.as_string()
    }

    fn confidential(&self) -> Option<Zeroizing<String>> {
        let text: &JsString = self.dyn_ref()?;
        Some(utf8(text).0)
    }

    fn number(&self) -> Option<f64> {
        self.as_f64()
    }
}

/// A string in a buffer that will be overwritten, and whether it was well-formed; what was not is replaced. It is read code
/// unit by code unit: a conversion by the glue grows its buffer for what is not ASCII, and what it grew out of stays in
/// memory.
pub(super) fn utf8(text: &JsString) -> (Zeroizing<String>, bool) {
    // A UTF-16 code unit takes three bytes of UTF-8 at most.
    let mut utf8 = Zeroizing::new(String::with_capacity(text.length() as usize * 3));
    let mut well_formed = true;
    for unit in char::decode_utf16(text.iter()) {
        well_formed &= unit.is_ok();
        utf8.push(unit.unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    (utf8, well_formed)
}
