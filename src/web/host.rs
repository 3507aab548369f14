//! What the package's JavaScript does for this module: timers, errors, promises of its own.

use crate::error::AuthError;
use alloc::rc::Rc;
use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// The runtime as one client sees it. Its methods never throw.
    #[derive(Clone, Debug)]
    pub type Host;

    /// Whether promises and timers belong to one request of many, as on workerd.
    #[wasm_bindgen(method, getter)]
    pub fn isolate(this: &Host) -> bool;

    /// The monotonic clock, in milliseconds.
    #[wasm_bindgen(method)]
    pub fn now(this: &Host) -> f64;

    /// The header fields of a token request, as an object.
    #[wasm_bindgen(method)]
    pub fn headers(this: &Host, authorization: &str, environment: &str) -> Object;

    /// Whether requests have a `cache`. workerd before its compatibility date of November 2024 refuses one that sets it.
    #[wasm_bindgen(method, getter, js_name = hasRequestCache)]
    pub fn has_request_cache(this: &Host) -> bool;

    /// Calls a foreign function with up to three arguments. Whatever it throws or returns, a thenable included, comes
    /// back as a promise of the platform's own.
    #[wasm_bindgen(method)]
    pub fn call(this: &Host, function: &JsValue, receiver: &JsValue, a: &JsValue, b: &JsValue, c: &JsValue) -> Promise;

    /// Whether a value is an instance of a platform class, of whichever realm. Proxies are not.
    #[wasm_bindgen(method, js_name = isA)]
    pub fn is_a(this: &Host, value: &JsValue, class: &str) -> bool;

    /// An instance of the error class that has this code.
    #[wasm_bindgen(method)]
    #[allow(clippy::too_many_arguments)]
    fn error(
        this: &Host,
        code: &str,
        message: &str,
        attempts: u32,
        status: Option<f64>,
        reason: &JsValue,
        retry_after: Option<f64>,
        option: Option<&str>,
        cause: &JsValue,
        has_cause: bool,
    ) -> JsValue;

    /// A frozen `{token, exp}`.
    #[wasm_bindgen(method)]
    pub fn grant(this: &Host, token: &str, exp: f64) -> JsValue;

    /// From now until `until` (monotonic), callers get this token without asking here. Past times: they ask.
    #[wasm_bindgen(method)]
    pub fn hold(this: &Host, grant: &JsValue, until: f64);

    /// Calls `Client.waiter_due(id)` or `Client.flight_due(id)` once after so many milliseconds. Undefined where there
    /// are no timers.
    #[wasm_bindgen(method)]
    pub fn arm(this: &Host, flight: bool, id: u32, ms: f64, lets_exit: bool) -> JsValue;

    /// Forgets such a timer.
    #[wasm_bindgen(method)]
    pub fn disarm(this: &Host, timer: &JsValue);

    /// Calls `Client.aborted(id)` when the signal aborts; returns what [`Host::unlisten`] takes.
    #[wasm_bindgen(method)]
    pub fn listen(this: &Host, signal: &JsValue, id: u32) -> JsValue;

    /// Stops listening.
    #[wasm_bindgen(method)]
    pub fn unlisten(this: &Host, listener: &JsValue);

    /// A flight begins. Until [`Host::settled`], the platform is to let it go on when the request that began it ends,
    /// and `wait_until`, the option of that name or undefined, gets its promise.
    #[wasm_bindgen(method)]
    pub fn began(this: &Host, flight: u32, wait_until: &JsValue);

    /// That flight has ended.
    #[wasm_bindgen(method)]
    pub fn settled(this: &Host, flight: u32);

    /// Asks a store for a lease.
    #[wasm_bindgen(method)]
    pub fn acquire(this: &Host, store: &JsValue, key: &JsValue, ttl_s: f64) -> JsValue;

    /// The answer to that.
    #[wasm_bindgen(method)]
    pub fn acquired(this: &Host, request: &JsValue) -> Promise;

    /// Nobody waits for that answer any more: if it is a grant, the lease is given back.
    #[wasm_bindgen(method)]
    pub fn abandon(this: &Host, request: &JsValue);

    /// Deletes a store's entry, unless it holds another token than this one; undefined stands for any. Never rejects.
    #[wasm_bindgen(method, js_name = deleteUnlessReplaced)]
    pub fn delete_unless_replaced(this: &Host, store: &JsValue, key: &JsValue, token: &JsValue) -> Promise;

    /// The SHA-256 of a text, in hexadecimal.
    #[wasm_bindgen(method)]
    pub fn digest(this: &Host, text: &str) -> Promise;
}

/// A failure on its way to every caller that waits for it.
pub(super) type Failure = Rc<AuthError<JsValue>>;

impl Host {
    /// The error object for a failure. Every caller gets one of its own.
    pub(super) fn failure(&self, failure: &AuthError<JsValue>) -> JsValue {
        self.error(
            failure.code.as_str(),
            failure.message,
            failure.attempts,
            failure.status,
            failure.reason.as_ref().unwrap_or(&JsValue::UNDEFINED),
            failure.retry_after,
            failure.option,
            failure.cause.as_ref().unwrap_or(&JsValue::UNDEFINED),
            failure.cause.is_some(),
        )
    }

    /// [`Host::call`] of a method by name, without exceptions: a method that is missing or cannot be read rejects.
    pub(super) fn invoke(&self, receiver: &JsValue, method: &str, a: &JsValue, b: &JsValue) -> Promise {
        let function = get(receiver, method).unwrap_or(JsValue::UNDEFINED);
        self.call(&function, receiver, a, b, &JsValue::UNDEFINED)
    }
}

/// A property; `Err` is what its getter threw.
pub(super) fn get(object: &JsValue, name: &str) -> Result<JsValue, JsValue> {
    Reflect::get(object, &JsValue::from_str(name))
}

/// Resolves or rejects a promise of our own. These functions do not throw.
pub(super) fn settle(function: &Function, value: &JsValue) {
    let _ = function.call1(&JsValue::UNDEFINED, value);
}
