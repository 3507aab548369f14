//! Those who wait for a token: from the call to the promise that is settled.

use super::callback::CALLBACKS;
use super::error::value_of;
use super::options::{CallRequest, Signal, read_call};
use super::shell::{Shell, closed};
use super::timer::{Timer, now};
use super::waiter::{Listener, Waiter};
use crate::effect::Caller;
use crate::refresh::CallerId;
use crate::time::{Instant, Now};
use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;

pub(super) use super::waiter::Settlement;

impl Shell {
    /// A promise of a token.
    pub(super) fn get_token(&self, call: &JsValue) -> Promise {
        let call = match read_call(call, self.once) {
            Ok(call) => call,
            Err(error) => return Promise::reject(&value_of(&error)),
        };
        if let Some(signal) = call.signal.as_ref().filter(|signal| signal.is_aborted()) {
            return Promise::reject(&signal.reason());
        }
        // A getter may have closed it.
        if self.core.borrow().is_closed() {
            return Promise::reject(&value_of(&closed()));
        }
        let CallRequest { signal, force } = call;
        Promise::new(&mut |resolve, reject| self.call(resolve, reject, signal.as_ref(), force))
    }

    fn call(&self, resolve: Function, reject: Function, signal: Option<&Signal>, force: bool) {
        let id = self.last_caller.get().wrapping_add(1);
        self.last_caller.set(id);
        let now = now();
        let deadline = now.monotonic.plus(self.timeout_ms);
        self.waiters.borrow_mut().add(id, Waiter::new(resolve, reject, deadline));
        self.update_at(now, |client, now| client.call(id, force, now));
        self.stay_while_busy();
        if let Some(signal) = signal
            && self.is_waiting(id)
        {
            self.listen(signal, id);
        }
        self.watch(id, now.monotonic);
    }

    fn is_waiting(&self, id: CallerId) -> bool {
        self.waiters.borrow_mut().get(id).is_some()
    }

    fn listen(&self, signal: &Signal, id: CallerId) {
        let listener = Listener::new(signal, (self.number, id));
        match self.waiters.borrow_mut().get(id) {
            Some(waiter) => waiter.listener = Some(listener),
            None => return,
        }
        // It may have aborted meanwhile, without a word.
        if signal.is_aborted() {
            self.abort(id);
        }
    }

    /// The signal of a caller has aborted.
    pub(super) fn abort(&self, id: CallerId) {
        let reason = self.waiters.borrow_mut().get(id).and_then(|waiter| Some(waiter.listener.as_ref()?.signal()));
        if let Some(signal) = reason.flatten() {
            self.settle(id, Settlement::Reject(signal.reason()));
            self.update(|client, now| client.abort(id, now));
            self.stay_while_busy();
        }
    }

    /// Sets the timer of a caller who waits.
    fn watch(&self, id: CallerId, now: Instant) {
        let Some(ms) = self.waiters.borrow_mut().get(id).map(|waiter| waiter.next_wait_ms(self.isolate, now)) else {
            return;
        };
        let timer = CALLBACKS.with(|callbacks| Timer::set(&callbacks.caller_timer, self.number, id, ms));
        if let Some(waiter) = self.waiters.borrow_mut().get(id) {
            waiter.timer = timer;
        }
    }

    pub(super) fn caller_timer(&self, id: CallerId) {
        let Some((settlement, patient)) =
            self.waiters.borrow_mut().get(id).map(|waiter| (waiter.settlement.take(), waiter.is_patient()))
        else {
            return;
        };
        if let Some(settlement) = settlement {
            self.settle(id, settlement);
        } else {
            let now = now();
            self.update_at(now, |client, now| client.caller_timer(id, patient, now));
            self.watch(id, now.monotonic);
        }
        self.stay_while_busy();
    }

    /// Settles a caller's promise: now if it is of this request, else by its own timer.
    pub(super) fn answer(&self, caller: Caller, settlement: Settlement, now: Now) {
        let Caller { id, same_request } = caller;
        let mut waiters = self.waiters.borrow_mut();
        let Some(waiter) = waiters.get(id) else { return };
        if !self.isolate || same_request || waiter.timer.is_none() {
            drop(waiters);
            return self.settle(id, settlement);
        }
        waiter.settlement = Some(settlement);
        let orphans = waiters.orphans(now.monotonic);
        let gone: Vec<_> = orphans.into_iter().filter_map(|id| waiters.take(id)).collect();
        drop(waiters);
        drop(gone);
    }

    fn settle(&self, id: CallerId, settlement: Settlement) {
        let waiter = self.waiters.borrow_mut().take(id);
        if let Some(waiter) = waiter {
            waiter.settle(settlement);
            if self.once {
                self.close();
            }
        }
    }
}
