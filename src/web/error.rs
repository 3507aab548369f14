//! Errors as JavaScript sees them: instances of the package's own classes.

use super::value::object;
use crate::error::{AuthError, Foreign};
use serde::ser::{Serialize, SerializeMap, Serializer};
use wasm_bindgen::prelude::*;

#[wasm_bindgen(raw_module = "../errors.js")]
extern "C" {
    /// A new instance of the class that has this code. `fields` become its members.
    #[wasm_bindgen(js_name = errorOf, catch)]
    fn error_of(code: &str, message: &str, fields: &JsValue) -> Result<JsValue, JsValue>;
}

#[wasm_bindgen]
extern "C" {
    type Thrown;
    #[wasm_bindgen(method, getter, catch)]
    fn digest(this: &Thrown) -> Result<JsValue, JsValue>;
}

/// A new error of JavaScript's: every caller gets one of its own.
pub(super) fn value_of(error: &AuthError) -> JsValue {
    error_of(error.code.as_str(), &error.message, &object(&Fields(error))).unwrap_or_else(|thrown| thrown)
}

/// The value of JavaScript's that the core passed on.
pub(super) fn value_in(foreign: &Foreign) -> JsValue {
    foreign.get::<JsValue>().cloned().unwrap_or_default()
}

/// Whether what `fetch` threw is a framework's own way to steer what runs it, and nobody's failure: Next.js marks such an
/// error by a string called `digest`.
pub(super) fn is_of_framework(thrown: &JsValue) -> bool {
    thrown.is_object() && thrown.unchecked_ref::<Thrown>().digest().is_ok_and(|digest| digest.is_string())
}

struct Fields<'a>(&'a AuthError);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let AuthError { status, reason, cause, retry_after, option, attempts, .. } = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("attempts", attempts)?;
        if let Some(option) = option {
            map.serialize_entry("option", option)?;
        }
        if let Some(status) = status {
            map.serialize_entry("status", status)?;
        }
        if let Some(retry_after) = retry_after {
            map.serialize_entry("retryAfter", retry_after)?;
        }
        if let Some(reason) = reason {
            map.serialize_entry("reason", &AsItIs(value_in(reason)))?;
        }
        if let Some(cause) = cause {
            map.serialize_entry("cause", &AsItIs(value_in(cause)))?;
        }
        map.end()
    }
}

/// A value of JavaScript's among serialized ones.
pub(super) struct AsItIs(pub(super) JsValue);

impl Serialize for AsItIs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_wasm_bindgen::preserve::serialize(&self.0, serializer)
    }
}
