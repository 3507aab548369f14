//! The functions that JavaScript calls back. Each is made once and lives as long as the module: not every timer that is
//! cleared keeps still, and a promise keeps nothing of a client.
//!
//! What a call is about comes with it, as two numbers. All have one signature, so that what a closure takes is in the module
//! once.

use super::shell::{Shell, ShellNumber};
use super::waiter;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    type Callable;
    #[wasm_bindgen(method)]
    fn bind(this: &Callable, this_argument: &JsValue, first: u32, second: u32) -> JsValue;
}

/// Called with the number of a client, that of a caller, a flight or a question of it, and the answer, if there is one.
pub(super) type Callback = Closure<dyn Fn(ShellNumber, u32, JsValue)>;

pub(super) struct Callbacks {
    /// The timer of a caller fired.
    pub(super) caller_timer: Callback,
    /// The timer of a flight fired.
    pub(super) flight_timer: Callback,
    /// A deletion was not answered in time.
    pub(super) unanswered: Callback,
    /// The promise of an answer was fulfilled.
    pub(super) fulfilled: Callback,
    /// It was rejected.
    pub(super) rejected: Callback,
    /// An event of a signal, which comes as the first number. A signal of a stranger's making may call it late.
    pub(super) aborted: Callback,
}

thread_local! {
    pub(super) static CALLBACKS: Callbacks = Callbacks {
        caller_timer: on(|shell, id, _| shell.caller_timer(id)),
        flight_timer: on(|shell, id, _| shell.flight_timer(id)),
        unanswered: on(|shell, id, _| shell.deletion_unanswered(id)),
        fulfilled: on(|shell, id, value| shell.answered(id, Ok(value))),
        rejected: on(|shell, id, reason| shell.answered(id, Err(reason))),
        aborted: Closure::new(|signal, _, _| waiter::aborted(signal)),
    };
}

/// Does this to the client of the number that comes, if there still is one.
fn on(act: fn(&Shell, u32, JsValue)) -> Callback {
    Closure::new(move |number, id, value| {
        if let Some(shell) = Shell::find(number) {
            act(&shell, id, value);
        }
    })
}

/// Such a function that is called with these two numbers, whatever else it is called with.
pub(super) fn bound(callback: &Callback, first: u32, second: u32) -> JsValue {
    callback.as_ref().unchecked_ref::<Callable>().bind(&JsValue::UNDEFINED, first, second)
}

/// A reaction that does nothing: no client has the number 0.
pub(super) fn ignored() -> JsValue {
    CALLBACKS.with(|callbacks| bound(&callbacks.rejected, 0, 0))
}
