//! One caller of `getToken` who waits: its promise, its timer, its signal's listener.

use super::host::{Failure, Host, settle};
use super::options::aborted;
use crate::refresh::Bearer;
use crate::time::Instant;
use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::string::String;
use js_sys::Function;
use wasm_bindgen::JsValue;
use zeroize::Zeroizing;

/// The first wait of a caller who polls, in milliseconds; it doubles up to [`POLL_CAP_MS`].
const POLL_MS: f64 = 2.0;
/// The longest such wait, in milliseconds.
const POLL_CAP_MS: f64 = 50.0;

/// A token as callers get it, and as text, to compare it.
#[derive(Clone)]
pub(super) struct Grant {
    pub(super) object: JsValue,
    pub(super) token: Rc<Zeroizing<String>>,
}

impl Bearer for Grant {
    fn token(&self) -> &str {
        &self.token
    }
}

/// How a caller's wait ends.
pub(super) enum Outcome {
    Served(Grant),
    Failed(Failure),
}

/// The guard of one caller: dropped, it stops its timer and its listener.
pub(super) struct Waiter {
    host: Host,
    resolve: Function,
    reject: Function,
    signal: JsValue,
    deadline: Instant,
    poll_ms: f64,
    timer: Option<JsValue>,
    listener: Option<JsValue>,
}

impl Waiter {
    pub(super) fn new(
        host: &Host,
        resolve: Function,
        reject: Function,
        signal: JsValue,
        deadline: Instant,
    ) -> Box<Self> {
        Box::new(Self {
            host: host.clone(),
            resolve,
            reject,
            signal,
            deadline,
            poll_ms: POLL_MS,
            timer: None,
            listener: None,
        })
    }

    /// Until when it waits.
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The caller's signal, or undefined.
    pub(super) fn signal(&self) -> JsValue {
        self.signal.clone()
    }

    /// How long until the next look, in milliseconds: at the deadline, or, where a promise must not be settled out of
    /// another request, at the shared value.
    pub(super) fn next_look_ms(&mut self, now: Instant) -> f64 {
        let left_ms = self.deadline.since(now);
        if !self.host.isolate() {
            return left_ms;
        }
        let poll_ms = self.poll_ms;
        self.poll_ms = (poll_ms * 2.0).min(POLL_CAP_MS);
        left_ms.min(poll_ms)
    }

    /// Whether it has looked a few times already.
    pub(super) fn has_polled(&self) -> bool {
        self.poll_ms > POLL_MS * 4.0
    }

    /// Whether it will look again: at module scope on workerd there are no timers.
    pub(super) fn has_timer(&self) -> bool {
        self.timer.as_ref().is_some_and(|timer| !timer.is_undefined())
    }

    /// Takes charge of the timer for that.
    pub(super) fn guard_timer(&mut self, timer: JsValue) {
        self.timer = Some(timer);
    }

    /// Takes charge of the listener on the caller's signal.
    pub(super) fn guard_listener(&mut self, listener: JsValue) {
        self.listener = Some(listener);
    }

    /// Settles the caller's promise.
    pub(super) fn settle(&self, outcome: &Outcome) {
        match outcome {
            Outcome::Served(grant) => settle(&self.resolve, &grant.object),
            Outcome::Failed(failure) => settle(&self.reject, &self.host.failure(failure)),
        }
    }

    /// Rejects with the signal's own reason, as the Fetch standard does.
    pub(super) fn abort(&self) {
        settle(&self.reject, &aborted(&self.signal).unwrap_or(JsValue::UNDEFINED));
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if let Some(timer) = &self.timer {
            self.host.disarm(timer);
        }
        if let Some(listener) = &self.listener {
            self.host.unlisten(listener);
        }
    }
}
