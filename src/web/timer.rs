//! The clocks and the timers.

use super::callback::Callback;
use crate::time::{Instant, Now, NumericDate};
use wasm_bindgen::prelude::*;

/// A longer wait would be none at all; the client looks at the clock and waits again.
const LONGEST_MS: f64 = 2_147_483_647.0;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn monotonic_ms() -> f64;
    #[wasm_bindgen(js_namespace = Date, js_name = now)]
    fn wall_ms() -> f64;

    #[wasm_bindgen(js_name = setTimeout, catch)]
    fn set_timeout(callback: &JsValue, ms: f64, client: u32, id: u32) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_name = clearTimeout, catch)]
    fn clear_timeout(timeout: &JsValue) -> Result<(), JsValue>;

    type Timeout;
    #[wasm_bindgen(method, catch)]
    fn unref(this: &Timeout) -> Result<(), JsValue>;
    #[wasm_bindgen(js_namespace = Deno, js_name = unrefTimer, catch)]
    fn deno_unref_timer(timeout: &JsValue) -> Result<(), JsValue>;
}

/// Both clocks.
pub(super) fn now() -> Now {
    Now { monotonic: monotonic(), wall: wall() }
}

pub(super) fn monotonic() -> Instant {
    Instant(monotonic_ms())
}

pub(super) fn wall() -> NumericDate {
    NumericDate(wall_ms() / 1_000.0)
}

/// A timer that is set; cleared on drop.
#[derive(Debug)]
#[must_use]
pub(super) struct Timer(JsValue);

impl Timer {
    /// Calls `callback` with these two numbers after so many milliseconds. `None` where there are no timers, as on workerd at
    /// module scope.
    pub(super) fn set(callback: &Callback, client: u32, id: u32, ms: f64) -> Option<Self> {
        set_timeout(callback.as_ref(), ms.ceil().clamp(0.0, LONGEST_MS), client, id).ok().map(Self)
    }

    /// Lets a process end before it fires.
    pub(super) fn unref(&self) {
        // Browsers and workerd have neither, and no process that could end.
        let _ = match self.0.is_object() {
            true => self.0.unchecked_ref::<Timeout>().unref(),
            false => deno_unref_timer(&self.0),
        };
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        let _ = clear_timeout(&self.0);
    }
}
