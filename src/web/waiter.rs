//! One caller that waits: its promise, its signal and its timer. All are freed on drop.

use super::options::Signal;
use super::timer::Timer;
use crate::refresh::CallerId;
use crate::time::Instant;
use js_sys::{Function, Map};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// The first wait of a caller who polls, in milliseconds; it doubles up to the cap.
const POLL_MS: f64 = 2.0;
const POLL_CAP_MS: f64 = 50.0;
/// After as many polls as make this wait, a caller looks closer.
const PATIENT_MS: f64 = POLL_MS * 4.0;
/// How long an answer is kept for a caller whose request seems to have ended, past its deadline, in milliseconds.
const KEPT_MS: f64 = 10_000.0;

/// What a caller's promise is settled with.
pub(super) enum Settlement {
    /// It resolves to this.
    Resolve(JsValue),
    /// It rejects with this.
    Reject(JsValue),
}

/// A caller.
pub(super) struct Waiter {
    pub(super) resolve: Function,
    pub(super) reject: Function,
    pub(super) deadline: Instant,
    pub(super) listener: Option<Listener>,
    pub(super) timer: Option<Timer>,
    /// What it is to get, once it comes for it in its own request.
    pub(super) settlement: Option<Settlement>,
    poll_ms: f64,
}

impl Waiter {
    pub(super) fn new(resolve: Function, reject: Function, deadline: Instant) -> Self {
        Self { resolve, reject, deadline, listener: None, timer: None, settlement: None, poll_ms: POLL_MS }
    }

    /// Settles its promise, and frees all that it had.
    pub(super) fn settle(self, settlement: Settlement) {
        let _ = match settlement {
            Settlement::Resolve(token) => self.resolve.call1(&JsValue::UNDEFINED, &token),
            Settlement::Reject(reason) => self.reject.call1(&JsValue::UNDEFINED, &reason),
        };
    }

    /// Whether it has polled a few times.
    pub(super) fn is_patient(&self) -> bool {
        self.poll_ms > PATIENT_MS
    }

    /// How long it waits before it looks again: until its deadline, or, where promises belong to requests, for a moment.
    pub(super) fn next_wait_ms(&mut self, polls: bool, now: Instant) -> f64 {
        let left_ms = self.deadline.since(now);
        if !polls {
            return left_ms;
        }
        let wait_ms = self.poll_ms.min(left_ms);
        self.poll_ms = (self.poll_ms * 2.0).min(POLL_CAP_MS);
        wait_ms
    }
}

/// The callers that wait, by ascending number.
#[derive(Default)]
pub(super) struct Waiters {
    places: Vec<(CallerId, Option<Box<Waiter>>)>,
    count: usize,
}

impl Waiters {
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(super) fn add(&mut self, id: CallerId, waiter: Waiter) {
        self.places.push((id, Some(Box::new(waiter))));
        self.count += 1;
    }

    pub(super) fn get(&mut self, id: CallerId) -> Option<&mut Waiter> {
        let index = self.places.binary_search_by_key(&id, |place| place.0).ok()?;
        self.places.get_mut(index)?.1.as_deref_mut()
    }

    pub(super) fn take(&mut self, id: CallerId) -> Option<Waiter> {
        let index = self.places.binary_search_by_key(&id, |place| place.0).ok()?;
        let waiter = self.places.get_mut(index)?.1.take()?;
        self.count -= 1;
        if self.count == 0 {
            self.places.clear();
        }
        while self.places.pop_if(|place| place.1.is_none()).is_some() {}
        Some(*waiter)
    }

    /// Those that never come for their answer: their request has ended. The oldest are first.
    pub(super) fn orphans(&mut self, now: Instant) -> Vec<CallerId> {
        let is_kept = |waiter: &Waiter| waiter.settlement.is_none() || now.since(waiter.deadline) < KEPT_MS;
        let gone = self.places.iter().take_while(|place| place.1.as_deref().is_none_or(|waiter| !is_kept(waiter)));
        gone.filter(|place| place.1.is_some()).map(|place| place.0).collect()
    }
}

/// The signals that callers wait with: one listener each, however many calls share it.
#[derive(Clone)]
pub(super) struct Signals(Rc<RefCell<Table>>);

struct Table {
    /// From a signal to its place in `entries`.
    places: Map,
    entries: Vec<Option<Entry>>,
}

struct Entry {
    signal: Signal,
    callers: Vec<CallerId>,
    on_abort: Closure<dyn Fn()>,
}

/// A caller's part in the listener of its signal; it leaves on drop, and the last one takes the listener with it.
pub(super) struct Listener {
    signals: Signals,
    place: usize,
    id: CallerId,
}

impl Signals {
    pub(super) fn new() -> Self {
        Self(Rc::new(RefCell::new(Table { places: Map::new(), entries: Vec::new() })))
    }

    /// Calls `aborted` with the callers that wait with a signal, once it aborts.
    pub(super) fn listen(&self, signal: &Signal, id: CallerId, aborted: impl Fn(Vec<CallerId>) + 'static) -> Listener {
        let mut table = self.0.borrow_mut();
        let known = table.places.get(signal).as_f64();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        if let Some(place) = known.map(|place| place as usize)
            && let Some(Some(entry)) = table.entries.get_mut(place)
        {
            entry.callers.push(id);
            return Listener { signals: self.clone(), place, id };
        }
        let place = table.entries.iter().position(Option::is_none).unwrap_or(table.entries.len());
        let signals = self.clone();
        let on_abort = Closure::new(move || {
            let callers = signals.callers_of_aborted(place);
            aborted(callers);
        });
        let entry = Entry { signal: signal.clone(), callers: vec![id], on_abort };
        #[allow(clippy::cast_precision_loss)]
        table.places.set(signal, &JsValue::from_f64(place as f64));
        let callback = entry.on_abort.as_ref().clone();
        match table.entries.get_mut(place) {
            Some(empty) => *empty = Some(entry),
            None => table.entries.push(Some(entry)),
        }
        drop(table);
        // A signal that cannot be listened to never aborts.
        let _ = signal.add_event_listener("abort", &callback);
        Listener { signals: self.clone(), place, id }
    }

    /// Anybody may dispatch an event; only an abort makes the signal aborted.
    fn callers_of_aborted(&self, place: usize) -> Vec<CallerId> {
        let table = self.0.borrow();
        let Some(Some(entry)) = table.entries.get(place) else { return Vec::new() };
        let (signal, callers) = (entry.signal.clone(), entry.callers.clone());
        drop(table);
        if signal.is_aborted() { callers } else { Vec::new() }
    }
}

impl Listener {
    pub(super) fn signal(&self) -> Option<Signal> {
        self.signals.0.borrow().entries.get(self.place)?.as_ref().map(|entry| entry.signal.clone())
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut table = self.signals.0.borrow_mut();
        let Some(Some(entry)) = table.entries.get_mut(self.place) else { return };
        entry.callers.retain(|id| *id != self.id);
        if !entry.callers.is_empty() {
            return;
        }
        let entry = table.entries.get_mut(self.place).and_then(Option::take);
        while table.entries.pop_if(|entry| entry.is_none()).is_some() {}
        if let Some(Entry { signal, on_abort, .. }) = entry {
            table.places.delete(&signal);
            drop(table);
            let _ = signal.remove_event_listener("abort", on_abort.as_ref());
        }
    }
}
