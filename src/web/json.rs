//! JSON by the engine's own parser.

use crate::json::Json;
use alloc::string::String;
use js_sys::{JSON, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

impl Json for JsValue {
    fn parse(text: &str) -> Option<Self> {
        JSON::parse(text).ok()
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
