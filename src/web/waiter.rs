//! One caller that waits: its promise, its signal and its timer. All are freed on drop.

use super::callback::{CALLBACKS, bound};
use super::options::Signal;
use super::shell::{Shell, ShellNumber};
use super::timer::Timer;
use crate::refresh::CallerId;
use crate::time::Instant;
use js_sys::{Function, Map};
use std::cell::RefCell;
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

thread_local! {
    static SIGNALS: RefCell<Signals> = RefCell::new(Signals { numbers: Map::new(), entries: Vec::new(), last: 0 });
}

/// An event of the signal of this number. Anybody may dispatch one; only an abort makes the signal aborted.
pub(super) fn aborted(number: u32) {
    let entry =
        SIGNALS.with_borrow(|signals| signals.entry(number).map(|entry| (entry.signal.clone(), entry.callers.clone())));
    if let Some((signal, callers)) = entry
        && signal.is_aborted()
    {
        for (shell, caller) in callers {
            if let Some(shell) = Shell::find(shell) {
                shell.abort(caller);
            }
        }
    }
}

/// The signals that callers wait with: one listener each, however many calls share it.
struct Signals {
    /// From a signal to its number.
    numbers: Map,
    /// By ascending number.
    entries: Vec<(u32, Entry)>,
    last: u32,
}

struct Entry {
    signal: Signal,
    callers: Vec<SignalCaller>,
    on_abort: JsValue,
}

/// A caller, and the client that it called.
type SignalCaller = (ShellNumber, CallerId);

impl Signals {
    fn index(&self, number: u32) -> Option<usize> {
        self.entries.binary_search_by_key(&number, |entry| entry.0).ok()
    }

    fn entry(&self, number: u32) -> Option<&Entry> {
        self.entries.get(self.index(number)?).map(|entry| &entry.1)
    }

    fn entry_mut(&mut self, number: u32) -> Option<&mut Entry> {
        let index = self.index(number)?;
        self.entries.get_mut(index).map(|entry| &mut entry.1)
    }

    fn next(&mut self) -> u32 {
        self.last = self.last.wrapping_add(1);
        self.last
    }
}

/// A caller's part in the listener of its signal; it leaves on drop, and the last one takes the listener with it.
pub(super) struct Listener {
    number: u32,
    caller: SignalCaller,
}

impl Listener {
    /// Tells the caller's client once the signal aborts.
    pub(super) fn new(signal: &Signal, caller: SignalCaller) -> Self {
        let (number, added) = SIGNALS.with_borrow_mut(|signals| {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let known = signals.numbers.get(signal).as_f64().map(|number| number as u32);
            if let Some(number) = known
                && let Some(entry) = signals.entry_mut(number)
            {
                entry.callers.push(caller);
                return (number, None);
            }
            let number = signals.next();
            let on_abort = CALLBACKS.with(|callbacks| bound(&callbacks.aborted, number, 0));
            signals.numbers.set(signal, &JsValue::from(number));
            let entry = Entry { signal: signal.clone(), callers: vec![caller], on_abort: on_abort.clone() };
            signals.entries.push((number, entry));
            (number, Some(on_abort))
        });
        if let Some(on_abort) = added {
            // A signal that cannot be listened to never aborts.
            let _ = signal.add_event_listener("abort", &on_abort);
        }
        Self { number, caller }
    }

    pub(super) fn signal(&self) -> Option<Signal> {
        SIGNALS.with_borrow(|signals| signals.entry(self.number).map(|entry| entry.signal.clone()))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let unused = SIGNALS.with_borrow_mut(|signals| {
            let index = signals.index(self.number)?;
            let (_, entry) = signals.entries.get_mut(index)?;
            entry.callers.retain(|caller| *caller != self.caller);
            if !entry.callers.is_empty() {
                return None;
            }
            let (_, entry) = signals.entries.remove(index);
            signals.numbers.delete(&entry.signal);
            Some(entry)
        });
        if let Some(Entry { signal, on_abort, .. }) = unused {
            let _ = signal.remove_event_listener("abort", &on_abort);
        }
    }
}
