//! Errors as JavaScript sees them: instances of the package's own classes.

use super::value::{Member, Members, member};
use crate::error::{AuthError, Foreign};
use std::rc::Rc;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(raw_module = "../rejection.js")]
extern "C" {
    /// A new instance of the class that has this code. `fields` become its members.
    #[wasm_bindgen(js_name = errorOf, catch)]
    fn error_of(code: &str, message: &str, fields: &JsValue) -> Result<JsValue, JsValue>;
}

/// A new error of JavaScript's: every caller gets one of its own.
pub(super) fn value_of(error: &AuthError) -> JsValue {
    error_of(error.code.as_str(), &error.message, &fields_of(error)).unwrap_or_else(|thrown| thrown)
}

/// A value of JavaScript's, for the core to pass on.
///
/// In a box of its own: were the type in the core's vtable, each of the module's values would have to be in memory to be
/// dropped, for `drop` would have no caller that it knows.
pub(super) fn foreign(value: JsValue) -> Foreign {
    Foreign::new(Rc::new(value))
}

/// The value of JavaScript's that the core passed on.
pub(super) fn value_in(foreign: &Foreign) -> JsValue {
    foreign.get::<Rc<JsValue>>().map(|value| JsValue::clone(value)).unwrap_or_default()
}

/// Whether what `fetch` threw is a framework's own way to steer what runs it, and nobody's failure: Next.js marks such an
/// error by a string called `digest`.
pub(super) fn is_of_framework(thrown: &JsValue) -> bool {
    thrown.is_object() && member(thrown, "digest").is_string()
}

fn fields_of(error: &AuthError) -> JsValue {
    Members::default()
        .with("attempts", Member::Number(error.attempts.into()))
        .with_some("option", error.option.map(Member::Text))
        .with_some("status", error.status.map(Member::Number))
        .with_some("retryAfter", error.retry_after.map(Member::Number))
        .with_some("reason", error.reason.as_ref().map(|reason| Member::Value(value_in(reason))))
        .with_some("cause", error.cause.as_ref().map(|cause| Member::Value(value_in(cause))))
        .object()
}
