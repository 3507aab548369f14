//! JSON by the engine's own parser.

use crate::json::Json;
use alloc::string::String;
use js_sys::{JsString, Object, Reflect};
use wasm_bindgen::prelude::*;

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

    fn number(&self) -> Option<f64> {
        self.as_f64()
    }
}
