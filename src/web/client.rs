//! The client: tells the [`Lifecycle`] what happens, and carries out what it decides.

use super::exchange::Landing;
use super::flight::Flight;
use super::host::{Failure, Host, settle};
use super::options::{CallOptions, ClientOptions, aborted, read, read_call};
use super::store::{delete, give_up_lease, obtain, share};
use super::waiter::{Grant, Outcome, Waiter};
use crate::error::AuthError;
use crate::refresh::{self, Bearer, Call, FlightId, Lifecycle, WaiterId};
use crate::time::Instant;
use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use js_sys::{Function, Math, Promise};
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

type Action = refresh::Action<Grant, Failure, Box<Waiter>>;

/// A flight silent for this long is taken for one whose request has ended, in milliseconds. It doubles with every such
/// finding up to [`PATIENCE_CAP_MS`], lest a busy isolate take over its own flights for ever.
const PATIENCE_MS: f64 = 250.0;
/// The longest such silence, in milliseconds.
const PATIENCE_CAP_MS: f64 = 4_000.0;
/// How long something is kept for a request that seems to have ended, past its deadline, in milliseconds.
const KEPT_MS: f64 = 10_000.0;

/// What JavaScript holds of a client. Secrets and state stay behind it, in this module's memory.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Client(Rc<Shell>);

pub(super) struct Shell {
    pub(super) host: Host,
    once: bool,
    closed: Cell<bool>,
    /// Gone, and overwritten, once the client is closed.
    options: RefCell<Option<Rc<ClientOptions>>>,
    timeout_ms: f64,
    lifecycle: RefCell<Lifecycle<Grant, Failure, Box<Waiter>>>,
    /// The flights whose work goes on; the last one's error is what callers see when their time runs out.
    flights: RefCell<Vec<Rc<Flight>>>,
    last_flight: RefCell<Option<Rc<Flight>>>,
    waiters: Cell<WaiterId>,
    /// Answers for callers of other requests, who fetch them by their own timers.
    answers: RefCell<Vec<(WaiterId, Box<Waiter>, Outcome)>>,
    patience_ms: Cell<f64>,
    /// Until when a flight that was lost was to wait before its next attempt: the one that takes over waits too.
    retry_at: Cell<Option<Instant>>,
    /// When this instance begins to renew: drawn once, because some runtimes have no randomness at module scope.
    spread: Cell<Option<f64>>,
    store_key: RefCell<Option<JsValue>>,
    /// A deletion in the store, which the next write waits for.
    deleting: Cell<Option<Promise>>,
    /// Whether a write to the store is under way, and what to delete once more when it is over.
    setting: Cell<bool>,
    delete_after_set: Cell<Option<Option<Grant>>>,
}

impl core::fmt::Debug for Shell {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Shell")
    }
}

#[wasm_bindgen]
impl Client {
    /// A client for these options; `once` for a single call, whose options are fewer.
    ///
    /// # Errors
    ///
    /// An `InvalidOptionsError` object.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &JsValue, host: Host, once: bool) -> Result<Client, JsValue> {
        let options = read(&host, options, once).map_err(|error| host.failure(&error))?;
        let timeout_ms = options.options.timeout_ms;
        let has_store = !options.store.is_undefined();
        Ok(Self(Rc::new(Shell {
            host,
            once,
            closed: Cell::new(false),
            options: RefCell::new(Some(Rc::new(options))),
            timeout_ms,
            lifecycle: RefCell::new(Lifecycle::new(timeout_ms, has_store)),
            flights: RefCell::new(Vec::new()),
            last_flight: RefCell::new(None),
            waiters: Cell::new(0),
            answers: RefCell::new(Vec::new()),
            patience_ms: Cell::new(PATIENCE_MS),
            retry_at: Cell::new(None),
            spread: Cell::new(None),
            store_key: RefCell::new(None),
            deleting: Cell::new(None),
            setting: Cell::new(false),
            delete_after_set: Cell::new(None),
        })))
    }

    /// Settles one promise with a token or an error.
    pub fn ask(&self, call: &JsValue, resolve: Function, reject: Function) {
        match read_call(&self.0.host, call, self.0.once) {
            Ok(call) => self.0.ask(call, resolve, reject),
            Err(error) => settle(&reject, &self.0.host.failure(&error)),
        }
    }

    /// `DigitalpayeAuth.invalidate`. A token that is no string is none that was ever held.
    ///
    /// # Errors
    ///
    /// An `InvalidOptionsError` object.
    pub fn invalidate(&self, token: &JsValue) -> Result<(), JsValue> {
        let token = if token.is_undefined() {
            None
        } else {
            let text = token.as_string().map(Zeroizing::new);
            Some(text.ok_or_else(|| self.0.host.failure(&AuthError::option("token", "the token is not a string")))?)
        };
        let actions = self.0.lifecycle.borrow_mut().invalidate(token.as_ref().map(|token| token.as_str()));
        self.0.act(actions, None);
        Ok(())
    }

    /// Forgets and overwrites the secret. Whoever waits, and whoever asks later, gets an error.
    pub fn close(&self) {
        self.0.closed.set(true);
        let actions = self.0.lifecycle.borrow_mut().close(&closed());
        self.0.act(actions, None);
        let options = self.0.options.borrow_mut().take();
        drop(options);
        drop(self.0.last_flight.borrow_mut().take());
    }

    /// A caller's timer fired.
    pub fn waiter_due(&self, id: WaiterId) {
        self.0.waiter_due(id);
    }

    /// A flight's timer fired.
    pub fn flight_due(&self, id: FlightId) {
        let shell = &self.0;
        let Some(flight) = shell.flight(id) else { return };
        let now = shell.now();
        if flight.due(now) {
            let actions = shell.lifecycle.borrow_mut().timed_out(id, now);
            shell.act(actions, flight.leader);
        }
    }

    /// A caller's signal aborted.
    pub fn aborted(&self, id: WaiterId) {
        if let Some((waiter, _)) = self.0.take_answer(id) {
            return waiter.abort();
        }
        let actions = self.0.lifecycle.borrow_mut().abort(id);
        self.0.act(actions, Some(id));
    }

    /// `baseUrl` as a folder; undefined once closed.
    #[wasm_bindgen(getter)]
    pub fn base(&self) -> JsValue {
        self.0.options().map_or(JsValue::UNDEFINED, |options| JsValue::from_str(&options.options.endpoint.base))
    }

    /// The value of `X-Environment`; undefined once closed.
    #[wasm_bindgen(getter)]
    pub fn environment(&self) -> JsValue {
        self.0.options().map_or(JsValue::UNDEFINED, |options| JsValue::from_str(&options.options.environment))
    }

    /// The option `fetch`.
    #[wasm_bindgen(getter)]
    pub fn fetch(&self) -> JsValue {
        self.0.options().map_or(JsValue::UNDEFINED, |options| options.fetch.clone())
    }
}

fn closed() -> Failure {
    Rc::from(AuthError::option("apiSecret", "this client was disposed of, and its apiSecret with it; make a new one"))
}

impl Shell {
    pub(super) fn now(&self) -> Instant {
        Instant(self.host.now())
    }

    /// The options, unless the client is closed. Not to be kept over an `await`: closing overwrites the secret at once
    /// only if nobody holds on to it.
    pub(super) fn options(&self) -> Option<Rc<ClientOptions>> {
        self.options.borrow().clone()
    }

    /// The store and the key of its entry, once that is known.
    pub(super) fn store(&self) -> Option<(JsValue, JsValue)> {
        let key = self.store_key.borrow().clone()?;
        Some((self.options()?.store.clone(), key))
    }

    pub(super) fn has_store(&self) -> bool {
        self.options().is_some_and(|options| !options.store.is_undefined())
    }

    pub(super) fn set_store_key(&self, key: JsValue) {
        drop(self.store_key.replace(Some(key)));
    }

    pub(super) fn missed(&self, flight: FlightId) {
        self.lifecycle.borrow_mut().missed(flight);
    }

    /// Whether a retry that ends after the flight's deadline is worth it: some of its callers may have more time.
    pub(super) fn outwait(self: &Rc<Self>, flight: &Flight, until: Instant, error: Box<AuthError<JsValue>>) -> bool {
        let outwaited = self.lifecycle.borrow_mut().outwait(flight.id, until, &Rc::from(error), self.now());
        let Some((deadline, actions)) = outwaited else { return false };
        flight.deadline.set(deadline);
        self.act(actions, flight.leader);
        true
    }

    pub(super) fn accepts(&self, token: &str, end: Instant) -> bool {
        self.lifecycle.borrow().accepts(token, end)
    }

    pub(super) fn holds(&self, grant: &Grant) -> bool {
        self.lifecycle.borrow().holds(grant.token())
    }

    pub(super) fn set_deleting(&self, deleting: Promise) {
        drop(self.deleting.replace(Some(deleting)));
    }

    pub(super) fn take_deleting(&self) -> Option<Promise> {
        self.deleting.take()
    }

    pub(super) fn set_begins(&self) {
        self.setting.set(true);
    }

    pub(super) fn set_is_over(&self) {
        self.setting.set(false);
        let token = self.delete_after_set.take();
        if let Some(token) = token {
            delete(self, token.as_ref());
        }
    }

    fn ask(self: &Rc<Self>, call: CallOptions, resolve: Function, reject: Function) {
        if let Some(reason) = aborted(&call.signal) {
            return settle(&reject, &reason);
        }
        if self.closed.get() {
            return settle(&reject, &self.host.failure(&closed()));
        }
        let now = self.now();
        let id = self.waiters.get().wrapping_add(1);
        self.waiters.set(id);
        let deadline = now.plus(self.timeout_ms);
        let waiter = Waiter::new(&self.host, resolve, reject, call.signal, deadline);
        let call = Call { id, force: call.force_refresh, deadline };
        let actions = self.lifecycle.borrow_mut().call(call, waiter, now);
        self.act(actions, Some(id));
        if self.host.isolate() {
            // A moment's silence may be the isolate's own: only those who poll look closer.
            self.take_over_if_silent(PATIENCE_CAP_MS, id, now);
        }
        self.listen(id);
        self.look_again(id, now);
    }

    /// Listens to the signal of a caller who waits. Adding a listener may be foreign code, so nothing is borrowed.
    fn listen(&self, id: WaiterId) {
        let signal = self.lifecycle.borrow_mut().waiter(id).map(|waiter| waiter.signal());
        let Some(signal) = signal.filter(|signal| !signal.is_undefined()) else {
            return;
        };
        let listener = self.host.listen(&signal, id);
        let waits =
            self.lifecycle.borrow_mut().waiter(id).map(|waiter| waiter.guard_listener(listener.clone())).is_some();
        if !waits {
            self.host.unlisten(&listener);
        }
    }

    /// Sets the timer of a caller who waits.
    fn look_again(&self, id: WaiterId, now: Instant) {
        let Some(ms) = self.next_look_ms(id, now) else {
            return;
        };
        let timer = self.host.arm(false, id, ms, false);
        if let Some(waiter) = self.lifecycle.borrow_mut().waiter(id) {
            return waiter.guard_timer(timer);
        }
        if let Some((_, waiter, _)) = self.answers.borrow_mut().iter_mut().find(|(answered, ..)| *answered == id) {
            waiter.guard_timer(timer);
        }
    }

    /// For a caller who waits, or whose answer does.
    fn next_look_ms(&self, id: WaiterId, now: Instant) -> Option<f64> {
        if let Some(waiter) = self.lifecycle.borrow_mut().waiter(id) {
            return Some(waiter.next_look_ms(now));
        }
        self.answers
            .borrow_mut()
            .iter_mut()
            .find(|(answered, ..)| *answered == id)
            .map(|(_, waiter, _)| waiter.next_look_ms(now))
    }

    fn waiter_due(self: &Rc<Self>, id: WaiterId) {
        if let Some((waiter, outcome)) = self.take_answer(id) {
            return waiter.settle(&outcome);
        }
        let now = self.now();
        let Some(deadline) = self.lifecycle.borrow().deadline_of(id) else {
            return;
        };
        if now >= deadline {
            let actions = self.lifecycle.borrow_mut().deadline(id, now);
            return self.act(actions, Some(id));
        }
        if self.host.isolate() {
            self.watch_flight(id, now);
        }
        self.look_again(id, now);
    }

    /// On workerd: a flight whose request has ended stays silent, and never lands.
    fn watch_flight(self: &Rc<Self>, id: WaiterId, now: Instant) {
        let flight = self.lifecycle.borrow().flight().and_then(|flight| self.flight(flight));
        let Some(flight) = flight else { return };
        if flight.leader == Some(id) {
            // This timer is of the very request that the flight began in.
            return flight.beat(now);
        }
        // After the isolate was busy, timers that are due go off in any order: the flight's gets its chance.
        let patient = self.lifecycle.borrow_mut().waiter(id).is_some_and(|waiter| waiter.has_polled());
        if patient {
            self.take_over_if_silent(self.patience_ms.get(), id, now);
        }
    }

    fn take_over_if_silent(self: &Rc<Self>, patience_ms: f64, here: WaiterId, now: Instant) {
        let Some(current) = self.lifecycle.borrow().flight() else {
            return;
        };
        let lost = self.flight(current).filter(|flight| flight.silent_ms(now) > patience_ms);
        let Some(lost) = lost else { return };
        self.patience_ms.set((self.patience_ms.get() * 2.0).min(PATIENCE_CAP_MS));
        self.retry_at.set(lost.retry_at.get());
        let actions = self.lifecycle.borrow_mut().lost(current);
        self.act(actions, Some(here));
    }

    /// Carries out. `here` is the caller in whose request this runs.
    fn act(self: &Rc<Self>, actions: Vec<Action>, here: Option<WaiterId>) {
        for action in actions {
            match action {
                Action::Start { flight, deadline, direct, behind } => {
                    self.start(&Flight::new(&self.host, flight, here, deadline, direct, behind), behind);
                }
                Action::Cancel(flight) => self.cancel(flight),
                Action::Serve(id, waiter, grant) => self.answer(id, waiter, Outcome::Served(grant), here),
                Action::Fail(id, waiter, failure) => self.answer(id, waiter, Outcome::Failed(failure), here),
                Action::TimedOut(id, waiter) => {
                    let standing =
                        self.last_flight.borrow().as_ref().map_or_else(AuthError::timeout, |flight| flight.standing());
                    self.answer(id, waiter, Outcome::Failed(Rc::from(standing)), here);
                }
                Action::Abort(waiter) => waiter.abort(),
                Action::Hold(grant, until) => self.host.hold(&grant.object, until.0),
                Action::Drop => self.host.hold(&JsValue::UNDEFINED, f64::NEG_INFINITY),
                Action::Delete(token) => {
                    if self.setting.get() {
                        drop(self.delete_after_set.replace(Some(token.clone())));
                    }
                    delete(self, token.as_ref());
                }
            }
        }
    }

    /// Settles a caller's promise, here if it is of this request, else by its own timer.
    fn answer(&self, id: WaiterId, waiter: Box<Waiter>, outcome: Outcome, here: Option<WaiterId>) {
        if !self.host.isolate() || here == Some(id) || !waiter.has_timer() {
            return waiter.settle(&outcome);
        }
        let now = self.now();
        let gone = {
            let mut answers = self.answers.borrow_mut();
            answers.push((id, waiter, outcome));
            answers
                .iter()
                .position(|(_, waiter, _)| now.since(waiter.deadline()) > KEPT_MS)
                .map(|gone| answers.remove(gone))
        };
        drop(gone);
    }

    fn take_answer(&self, id: WaiterId) -> Option<(Box<Waiter>, Outcome)> {
        let mut answers = self.answers.borrow_mut();
        let index = answers.iter().position(|(answered, ..)| *answered == id)?;
        let (_, waiter, outcome) = answers.remove(index);
        Some((waiter, outcome))
    }

    fn start(self: &Rc<Self>, flight: &Rc<Flight>, behind: bool) {
        if self.lifecycle.borrow().flight() != Some(flight.id) {
            // Given up before it began: the abort of the flight before it ran foreign code that came back here.
            return;
        }
        flight.retry_at.set(self.retry_at.take());
        self.flights.borrow_mut().push(Rc::clone(flight));
        drop(self.last_flight.replace(Some(Rc::clone(flight))));
        let shell = Rc::clone(self);
        flight.spawn(fly(Rc::clone(self), Rc::clone(flight)), move |flight| shell.ended(flight));
        let wait_until =
            self.options().filter(|_| behind).map_or(JsValue::UNDEFINED, |options| options.wait_until.clone());
        self.host.began(flight.id, &wait_until);
    }

    fn flight(&self, id: FlightId) -> Option<Rc<Flight>> {
        self.flights.borrow().iter().find(|flight| flight.id == id).cloned()
    }

    fn cancel(&self, id: FlightId) {
        if let Some(flight) = self.flight(id) {
            give_up_lease(self, &flight);
            flight.cancel();
        }
    }

    /// A flight's work is over, in the request that it began in. Flights whose request has ended never come here.
    fn ended(&self, flight: &Flight) {
        let now = self.now();
        self.flights
            .borrow_mut()
            .retain(|other| other.id != flight.id && other.silent_ms(now) < KEPT_MS + self.timeout_ms);
        self.host.settled(flight.id);
    }
}

/// A flight from start to end.
async fn fly(shell: Rc<Shell>, flight: Rc<Flight>) {
    match obtain(&shell, &flight).await {
        Ok(Landing { token, from }) => {
            flight.land();
            let grant = Grant { object: shell.host.grant(&token.token, token.exp.0), token: Rc::new(token.token) };
            let life_ms = token.life_s * 1_000.0;
            let spread = shell.spread.get().unwrap_or_else(Math::random);
            shell.spread.set(Some(spread));
            shell.patience_ms.set(PATIENCE_MS);
            let current = shell.lifecycle.borrow().flight() == Some(flight.id);
            let actions = shell.lifecycle.borrow_mut().landed(flight.id, grant.clone(), life_ms, from, spread);
            shell.act(actions, flight.leader);
            if current && flight.attempts.get() > 0 {
                share(&shell, &flight, &grant, life_ms, from).await;
            }
        }
        Err(error) => {
            let retry_after_ms = error.retry_after.map(|seconds| seconds * 1_000.0);
            let actions = shell.lifecycle.borrow_mut().failed(flight.id, &Rc::from(error), retry_after_ms, shell.now());
            shell.act(actions, flight.leader);
            give_up_lease(&shell, &flight);
        }
    }
}
