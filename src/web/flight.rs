//! One way to a token, in flight: its deadline, its one timer, what it is waiting on, and how to give it up.

use super::host::Host;
use crate::error::AuthError;
use crate::refresh::{FlightId, WaiterId};
use crate::time::Instant;
use alloc::boxed::Box;
use alloc::rc::Rc;
use core::cell::{Cell, RefCell};
use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::{Poll, Waker};
use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::AbortController;

/// How often a flight shows that the request it began in is still there, in milliseconds.
const BEAT_MS: f64 = 50.0;

/// The guard of one flight. [`Flight::cancel`] aborts the request, stops the timer and drops the work.
pub(super) struct Flight {
    pub(super) id: FlightId,
    /// The caller in whose request it began.
    pub(super) leader: Option<WaiterId>,
    pub(super) began: Instant,
    /// Later than at first if it goes on for callers with more time.
    pub(super) deadline: Cell<Instant>,
    /// Past the store.
    pub(super) direct: bool,
    /// A renewal behind the callers' backs: it must not keep a process alive by a timer.
    behind: bool,
    /// Requests sent.
    pub(super) attempts: Cell<u32>,
    /// Whether this process may exchange for all that share the store.
    pub(super) leased: Cell<bool>,
    host: Host,
    controller: Cell<Option<AbortController>>,
    /// What the callers see if time runs out now.
    standing: RefCell<Box<AuthError<JsValue>>>,
    timer: Cell<Option<JsValue>>,
    /// When the next attempt is to be made, while it waits for that.
    pub(super) retry_at: Cell<Option<Instant>>,
    /// When a sleep ends.
    wake_at: Cell<Option<Instant>>,
    beat: Cell<Instant>,
    /// It brought its token; what is left is to share it, which no deadline bounds and no process has to wait for.
    landed: Cell<bool>,
    cancelled: Cell<bool>,
    waker: Cell<Option<Waker>>,
}

impl Flight {
    pub(super) fn new(
        host: &Host,
        id: FlightId,
        leader: Option<WaiterId>,
        deadline: Instant,
        direct: bool,
        behind: bool,
    ) -> Rc<Self> {
        let now = Instant(host.now());
        Rc::new(Self {
            id,
            leader,
            began: now,
            deadline: Cell::new(deadline),
            direct,
            behind,
            attempts: Cell::new(0),
            leased: Cell::new(false),
            host: host.clone(),
            controller: Cell::new(None),
            standing: RefCell::new(AuthError::timeout()),
            timer: Cell::new(None),
            retry_at: Cell::new(None),
            wake_at: Cell::new(None),
            beat: Cell::new(now),
            landed: Cell::new(false),
            cancelled: Cell::new(false),
            waker: Cell::new(None),
        })
    }

    /// Runs the work until it ends or is given up, and then `ended`. It begins in a microtask, so that a `fetch` that
    /// calls the client again does so on a stack of its own.
    pub(super) fn spawn(self: &Rc<Self>, work: impl Future<Output = ()> + 'static, ended: impl Fn(&Flight) + 'static) {
        let flight = Rc::clone(self);
        let mut work: Option<Pin<Box<dyn Future<Output = ()>>>> = Some(Box::pin(work));
        self.arm(self.began);
        spawn_local(poll_fn(move |context| {
            drop(flight.waker.replace(Some(context.waker().clone())));
            let pending =
                !flight.cancelled.get() && work.as_mut().is_some_and(|work| work.as_mut().poll(context).is_pending());
            if pending {
                return Poll::Pending;
            }
            work = None;
            flight.disarm();
            drop(flight.waker.take());
            ended(&flight);
            Poll::Ready(())
        }));
    }

    /// Gives the flight up. Harmless when it has ended, and when the request that it began in has.
    ///
    /// Where promises belong to requests, the work is not woken from here, which may be another request than its own:
    /// it wakes by the abort of its fetch or by its timer, and finds that it was given up.
    pub(super) fn cancel(&self) {
        if self.cancelled.replace(true) {
            return;
        }
        self.hang_up();
        if !self.host.isolate() {
            self.disarm();
            self.wake();
        }
    }

    /// Takes charge of an attempt: only the newest one's request is open.
    pub(super) fn take_charge(&self, controller: AbortController) {
        drop(self.controller.replace(Some(controller)));
    }

    /// Ends the attempt's request, so that no connection stays open for a body that nobody will read.
    pub(super) fn hang_up(&self) {
        let controller = self.controller.take();
        if let Some(controller) = controller {
            controller.abort();
        }
    }

    /// What the callers see if time runs out now.
    pub(super) fn standing(&self) -> Box<AuthError<JsValue>> {
        let mut standing = self.standing.borrow().clone();
        standing.attempts = self.attempts.get();
        standing
    }

    /// From here on the callers see this if time runs out.
    pub(super) fn stand(&self, error: Box<AuthError<JsValue>>) {
        drop(self.standing.replace(error));
    }

    /// The request that it began in is still there.
    pub(super) fn beat(&self, now: Instant) {
        self.beat.set(now);
    }

    /// Milliseconds since the flight last showed that its request is still there.
    pub(super) fn silent_ms(&self, now: Instant) -> f64 {
        now.since(self.beat.get())
    }

    /// The token is there.
    pub(super) fn land(&self) {
        self.landed.set(true);
    }

    /// Its timer fired. Whether the deadline has passed.
    pub(super) fn due(&self, now: Instant) -> bool {
        self.beat(now);
        if self.cancelled.get() {
            self.wake();
            return false;
        }
        if now >= self.deadline.get() && !self.landed.get() {
            return true;
        }
        if self.wake_at.get().is_some_and(|wake_at| now >= wake_at) {
            self.wake_at.set(None);
            self.wake();
        }
        self.arm(now);
        false
    }

    /// Waits.
    pub(super) async fn sleep(&self, until: Instant) {
        self.begin_sleep(until);
        poll_fn(|_| if self.wake_at.get().is_none() { Poll::Ready(()) } else { Poll::Pending }).await;
    }

    /// Waits for a promise, but not for ever: `None` if it rejected or took too long.
    pub(super) async fn within(&self, promise: Promise, until: Instant) -> Option<JsValue> {
        let mut future = pin!(JsFuture::from(promise));
        self.begin_sleep(until);
        let result = poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(result) => Poll::Ready(result.ok()),
            Poll::Pending if self.wake_at.get().is_none() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await;
        self.wake_at.set(None);
        result
    }

    fn begin_sleep(&self, until: Instant) {
        self.wake_at.set(Some(until));
        self.arm(Instant(self.host.now()));
    }

    fn wake(&self) {
        let waker = self.waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn arm(&self, now: Instant) {
        let mut ms = if self.landed.get() { f64::INFINITY } else { self.deadline.get().since(now) };
        if let Some(wake_at) = self.wake_at.get() {
            ms = ms.min(wake_at.since(now));
        }
        if self.host.isolate() {
            ms = ms.min(BEAT_MS);
        }
        let timer = (ms < f64::INFINITY).then(|| self.host.arm(true, self.id, ms, self.behind || self.landed.get()));
        if timer.as_ref().is_some_and(JsValue::is_undefined) {
            // No timers here, as at module scope on workerd: what cannot be waited for is over.
            self.wake_at.set(None);
        }
        let before = self.timer.replace(timer);
        if let Some(before) = before {
            self.host.disarm(&before);
        }
    }

    fn disarm(&self) {
        let timer = self.timer.take();
        if let Some(timer) = timer {
            self.host.disarm(&timer);
        }
    }
}
