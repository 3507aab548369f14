//! What JavaScript holds of a client: events come in here, and effects are carried out from here.

use super::error::{value_in, value_of};
use super::event::report;
use super::exchange::{self, AbortGuard, NoReply};
use super::options::{CallRequest, ClientOptions, Signal, read_call, read_options};
use super::question::{Deleting, Question, Writing};
use super::store::{StoreEntry, TokenStore, done, granted, name_of, stored};
use super::timer::{Timer, now};
use super::value::{Member, Members, contain, deferred, is_same_text, property, settled, spawn, utf8};
use super::waiter::{Listener, Settlement, Waiter, Waiters};
use crate::client::{Client, Surroundings};
use crate::effect::{Caller, Effect, Effects, LeaseTtl};
use crate::error::{AuthError, Foreign};
use crate::event::{Event, Problem};
use crate::flight::{ANSWER_MS, FlightId};
use crate::refresh::CallerId;
use crate::request::TokenRequest;
use crate::time::{Instant, Now};
use crate::token::{AccessToken, Fingerprint};
use js_sys::{Array, Function, Math, Promise};
use std::cell::{Cell, OnceCell, RefCell};
use std::rc::{Rc, Weak};
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

#[wasm_bindgen(raw_module = "../platform.js")]
extern "C" {
    type Platform;
    /// What differs by runtime; the entry that was imported fills it in.
    #[wasm_bindgen(thread_local_v2, js_name = platform)]
    static PLATFORM: Platform;
    #[wasm_bindgen(method, getter)]
    fn isolate(this: &Platform) -> bool;
    #[wasm_bindgen(method, getter, js_name = waitUntil)]
    fn wait_until(this: &Platform) -> Option<Function>;
}

#[wasm_bindgen(raw_module = "../cache.js")]
extern "C" {
    /// The token that JavaScript hands out without asking here.
    pub type TokenCache;
    #[wasm_bindgen(method)]
    fn hold(this: &TokenCache, token: &JsValue, monotonic_ms: f64, wall_ms: f64);
    #[wasm_bindgen(method)]
    fn clear(this: &TokenCache);
}

/// Secrets and state stay behind it, in this module's memory.
#[wasm_bindgen(js_name = Client)]
#[derive(Debug)]
pub struct WebClient(Rc<Shell>);

#[wasm_bindgen(js_class = Client)]
impl WebClient {
    /// A client for these options. The token that it holds is put into `cache`.
    ///
    /// # Errors
    ///
    /// An `InvalidOptionsError`.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &JsValue, cache: TokenCache) -> Result<WebClient, JsValue> {
        let options = read_options(options, false).map_err(|error| value_of(&error))?;
        Ok(Self(Shell::new(options, Some(cache))))
    }

    /// A promise of a token.
    #[wasm_bindgen(js_name = getToken)]
    pub fn get_token(&self, call: &JsValue) -> Promise {
        self.0.get_token(call)
    }

    /// The token held (or, if one is named, that one, if it is held) is no good.
    ///
    /// # Errors
    ///
    /// An `InvalidOptionsError`, if what is named is no string.
    pub fn invalidate(&self, token: &JsValue) -> Result<(), JsValue> {
        let fingerprint = match token.is_undefined() {
            true => None,
            false => {
                Some(fingerprint_of(token).ok_or_else(|| value_of(&AuthError::option("token", "is not a string")))?)
            }
        };
        self.0.update(|client, now| client.invalidate(fingerprint, now));
        Ok(())
    }

    /// A request with this token got a 401. Whether it is to be sent once more, with a new token, which it can if `replayable`.
    #[must_use]
    pub fn unauthorized(&self, token: &JsValue, replayable: bool) -> bool {
        let fingerprint = fingerprint_of(token).unwrap_or_default();
        let mut retry = false;
        self.0.update(|client, now| {
            let (retried, effects) = client.unauthorized(fingerprint, replayable, now);
            retry = retried;
            effects
        });
        retry
    }

    /// That one got a 401, too.
    #[wasm_bindgen(js_name = unauthorizedAgain)]
    pub fn unauthorized_again(&self, token: &JsValue) {
        let fingerprint = fingerprint_of(token).unwrap_or_default();
        self.0.update(|client, now| client.unauthorized_again(fingerprint, now));
    }

    /// Forgets and overwrites the secret. Whoever waits gets an error.
    pub fn close(&self) {
        self.0.close();
    }

    /// `baseUrl` as a folder: it ends in a slash.
    #[wasm_bindgen(getter, js_name = baseUrl)]
    #[must_use]
    pub fn base_url(&self) -> String {
        self.0.base_url.clone()
    }

    /// The value of `X-Environment`.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn environment(&self) -> String {
        self.0.environment.clone()
    }

    /// The option `fetch`.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn fetch(&self) -> Option<Function> {
        self.0.fetch.clone()
    }
}

/// One exchange: a promise of a token, which rejects with an `AuthError`.
#[wasm_bindgen]
pub fn authenticate(options: &JsValue, call: &JsValue) -> Promise {
    match read_options(options, true) {
        Ok(options) => Shell::new(options, None).get_token(call),
        Err(error) => Promise::reject(&value_of(&error)),
    }
}

fn fingerprint_of(token: &JsValue) -> Option<Fingerprint> {
    utf8(token).and_then(|utf8| std::str::from_utf8(&utf8).ok().map(Fingerprint::of))
}

/// What a flight has of the platform.
struct FlightShell {
    /// Resolves when its work is over: what waits for something that never settles is let go of then.
    ended: Promise,
    end: Function,
    timer: Option<Timer>,
    /// Of the attempt that is under way.
    attempt: Option<AbortGuard>,
}

struct Shell {
    core: RefCell<Client>,
    /// For a single call: closed once that is settled.
    once: bool,
    isolate: bool,
    timeout_ms: f64,
    base_url: String,
    environment: String,
    secret: Option<Function>,
    fetch: Option<Function>,
    on_event: Option<Function>,
    wait_until: Option<Function>,
    cache: Option<TokenCache>,
    /// The token cached last.
    held: RefCell<JsValue>,
    knows_cache: OnceCell<bool>,

    store: Option<TokenStore>,
    /// The store with the name of our entry, once that is known.
    entry: RefCell<Option<StoreEntry>>,
    /// A deletion in the store that is under way.
    deleting: RefCell<Option<Promise>>,
    /// Resolves when the client is closed: nothing waits for a deletion then, where no timer ends that.
    closing: OnceCell<(Promise, Function)>,
    writing: RefCell<Option<Writing>>,

    waiters: RefCell<Waiters>,
    last_caller: Cell<CallerId>,
    flights: RefCell<Vec<(FlightId, FlightShell)>>,
    /// By which timers find it.
    number: u32,
    itself: Weak<Self>,
    /// Itself, while callers wait or flights are under way: nobody else may hold it then.
    busy: RefCell<Option<Rc<Self>>>,
}

thread_local! {
    static SHELLS: RefCell<Shells> = RefCell::default();
    // These live as long as the module: not every timer that is cleared keeps still.
    static ON_CALLER_TIMER: Closure<dyn Fn(u32, CallerId)> = Closure::new(|number, id| {
        if let Some(shell) = Shells::find(number) {
            shell.caller_timer(id);
        }
    });
    static ON_FLIGHT_TIMER: Closure<dyn Fn(u32, FlightId)> = Closure::new(|number, id| {
        if let Some(shell) = Shells::find(number) {
            shell.update(|client, now| client.flight_timer(id, now));
        }
    });
}

/// All there are, by ascending number.
#[derive(Default)]
struct Shells {
    list: Vec<(u32, Weak<Shell>)>,
    last: u32,
}

impl Shells {
    fn add(&mut self, shell: Weak<Shell>) -> u32 {
        self.last = self.last.wrapping_add(1);
        self.list.push((self.last, shell));
        self.last
    }

    fn index(&self, number: u32) -> Option<usize> {
        self.list.binary_search_by_key(&number, |entry| entry.0).ok()
    }

    fn find(number: u32) -> Option<Rc<Shell>> {
        SHELLS.with_borrow(|shells| shells.list.get(shells.index(number)?)?.1.upgrade())
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        SHELLS.with_borrow_mut(|shells| {
            if let Some(index) = shells.index(self.number) {
                shells.list.remove(index);
            }
        });
    }
}

impl std::fmt::Debug for Shell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shell")
    }
}

impl Shell {
    fn new(options: ClientOptions, cache: Option<TokenCache>) -> Rc<Self> {
        let ClientOptions { options, secret, fetch, on_event, store, leases, wait_until } = options;
        let isolate = PLATFORM.with(Platform::isolate);
        let surroundings = Surroundings { store: store.is_some(), leases, isolate, events: on_event.is_some() };
        Rc::new_cyclic(|itself: &Weak<Self>| Self {
            once: cache.is_none(),
            isolate,
            timeout_ms: options.timeout_ms,
            base_url: options.endpoint.base.clone(),
            environment: options.environment.clone(),
            core: RefCell::new(Client::new(options, surroundings)),
            secret,
            fetch,
            on_event,
            wait_until,
            cache,
            held: RefCell::default(),
            knows_cache: OnceCell::new(),
            store: store.map(JsCast::unchecked_into),
            entry: RefCell::default(),
            deleting: RefCell::default(),
            closing: OnceCell::new(),
            writing: RefCell::default(),
            waiters: RefCell::default(),
            last_caller: Cell::new(0),
            flights: RefCell::default(),
            number: SHELLS.with_borrow_mut(|shells| shells.add(itself.clone())),
            itself: itself.clone(),
            busy: RefCell::default(),
        })
    }

    /// Tells the client what happened, and carries out what comes of it. No borrow is held meanwhile.
    fn update(&self, event: impl FnOnce(&mut Client, Now) -> Effects) {
        self.update_at(now(), event);
    }

    /// The same, if the time is known.
    fn update_at(&self, now: Now, event: impl FnOnce(&mut Client, Now) -> Effects) {
        let effects = event(&mut self.core.borrow_mut(), now);
        self.carry_out_all(effects, now);
    }

    // Apart, so that it is in the module once.
    #[inline(never)]
    fn carry_out_all(&self, effects: Effects, now: Now) {
        for effect in effects {
            self.carry_out(effect, now);
        }
    }

    fn carry_out(&self, effect: Effect, now: Now) {
        match effect {
            Effect::BeginFlight(flight) => self.begin(flight),
            Effect::SetTimer { flight, delay_ms, keeps_process_alive } => {
                self.set_flight_timer(flight, delay_ms, keeps_process_alive);
            }
            Effect::NameEntry(flight, identity) => self.ask(flight, Question::EntryName(identity)),
            Effect::ReadStore(flight) => self.ask_store(flight, Question::Read),
            Effect::AcquireLease(flight, LeaseTtl(ttl_s)) => {
                self.ask_store(flight, |entry| Question::Acquire(entry, ttl_s));
            }
            Effect::AskSecret(flight) => self.ask_secret(flight),
            Effect::SendRequest { flight, request, deadline } => self.send(flight, &request, deadline),
            Effect::AbortRequest(flight) => drop(self.flight(flight, |flight| flight.attempt.take())),
            Effect::AwaitDeletion(flight) => self.await_deletion(flight),
            Effect::WriteStore(flight, token, ttl_s) => self.write_store(flight, &token, ttl_s),
            Effect::ReleaseLease(flight) => self.release_lease(flight),
            Effect::EndFlight(flight) => self.end(flight),
            Effect::CacheToken(token, fresh_until) => self.cache_token(&token, fresh_until),
            Effect::ClearCache => self.clear_cache(),
            Effect::DeleteStored { held } => self.delete_stored(held),
            Effect::Resolve(caller) => {
                let token = self.held.borrow().clone();
                self.answer(caller, Settlement::Resolve(token), now);
            }
            Effect::Reject(caller, error) => self.answer(caller, Settlement::Reject(value_of(&error)), now),
            Effect::Rethrow(caller, value) => self.answer(caller, Settlement::Reject(value_in(&value)), now),
            Effect::Report(event) => self.report(&event),
        }
    }

    // Callers.

    fn get_token(&self, call: &JsValue) -> Promise {
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
        let itself = self.itself.clone();
        let abort = move || {
            if let Some(shell) = itself.upgrade() {
                shell.abort(id);
            }
        };
        let listener = Listener::new(signal, Rc::new(abort));
        match self.waiters.borrow_mut().get(id) {
            Some(waiter) => waiter.listener = Some(listener),
            None => return,
        }
        // It may have aborted meanwhile, without a word.
        if signal.is_aborted() {
            self.abort(id);
        }
    }

    fn abort(&self, id: CallerId) {
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
        let timer = ON_CALLER_TIMER.with(|on_timer| Timer::set(on_timer.as_ref().unchecked_ref(), self.number, id, ms));
        if let Some(waiter) = self.waiters.borrow_mut().get(id) {
            waiter.timer = timer;
        }
    }

    fn caller_timer(&self, id: CallerId) {
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
    fn answer(&self, caller: Caller, settlement: Settlement, now: Now) {
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

    fn close(&self) {
        if !self.core.borrow().is_closed() {
            self.update(|client, now| client.close(*closed(), now));
            *self.held.borrow_mut() = JsValue::UNDEFINED;
            if let Some((_, let_go)) = self.closing.get() {
                let _ = let_go.call0(&JsValue::UNDEFINED);
            }
            self.stay_while_busy();
        }
    }

    /// Keeps itself while somebody waits or works, whoever else lets go of it.
    fn stay_while_busy(&self) {
        let busy = !self.waiters.borrow().is_empty() || !self.flights.borrow().is_empty();
        let stay = if busy { self.itself.upgrade() } else { None };
        let before = self.busy.replace(stay);
        // Somebody up the stack has it, too.
        drop(before);
    }

    // Flights.

    fn flight<T>(&self, id: FlightId, change: impl FnOnce(&mut FlightShell) -> Option<T>) -> Option<T> {
        let mut flights = self.flights.borrow_mut();
        flights.iter_mut().find(|flight| flight.0 == id).and_then(|flight| change(&mut flight.1))
    }

    fn ended(&self, id: FlightId) -> Option<Promise> {
        self.flight(id, |flight| Some(flight.ended.clone()))
    }

    fn begin(&self, id: FlightId) {
        let (ended, end) = deferred();
        self.flights.borrow_mut().push((id, FlightShell { ended: ended.clone(), end, timer: None, attempt: None }));
        self.stay_while_busy();
        let keepers = [PLATFORM.with(Platform::wait_until), self.wait_until.clone()];
        for keep in keepers.into_iter().flatten() {
            // One that throws (outside of a request, say) harms nobody.
            if let Ok(answer) = keep.call1(&JsValue::UNDEFINED, &ended) {
                contain(&answer);
            }
        }
        if let Some(shell) = self.itself.upgrade() {
            spawn(async move { shell.update(|client, now| client.begin(id, now)) });
        }
    }

    fn set_flight_timer(&self, id: FlightId, delay_ms: f64, keeps_process_alive: bool) {
        if self.ended(id).is_none() {
            return;
        }
        let timer =
            ON_FLIGHT_TIMER.with(|on_timer| Timer::set(on_timer.as_ref().unchecked_ref(), self.number, id, delay_ms));
        match &timer {
            Some(timer) if !keeps_process_alive => timer.unref(),
            Some(_) => {}
            None => self.update(|client, now| client.without_timer(id, now)),
        }
        let before = self.flight(id, |flight| std::mem::replace(&mut flight.timer, timer));
        drop(before);
    }

    fn end(&self, id: FlightId) {
        let mut flights = self.flights.borrow_mut();
        let Some(index) = flights.iter().position(|flight| flight.0 == id) else { return };
        let (_, flight) = flights.remove(index);
        drop(flights);
        if let Some(attempt) = flight.attempt {
            attempt.complete();
        }
        let _ = flight.end.call0(&JsValue::UNDEFINED);
        self.stay_while_busy();
    }

    /// Asks something of a stranger; the flight may end before the answer.
    fn ask(&self, id: FlightId, question: Question) {
        match (self.ended(id), question) {
            (Some(ended), question) => self.ask_until(ended, id, question),
            // The function ended the flight that it was asked for.
            (None, Question::Secret(Ok(promise))) => contain(&promise),
            (None, _) => {}
        }
    }

    /// The same, without an answer once `end` resolves.
    fn ask_until(&self, end: Promise, id: FlightId, question: Question) {
        let Some(shell) = self.itself.upgrade() else { return };
        // At once: the task begins a microtask later, when older workerd has called its rejection an unhandled one.
        let secret = match &question {
            Question::Secret(Ok(promise)) => Some(settled(promise, &end)),
            _ => None,
        };
        spawn(async move {
            let asked = question.ask();
            let answer = match (secret, &asked) {
                (Some(secret), _) => secret.await,
                (None, Ok(promise)) => settled(promise, &end).await,
                (None, Err(thrown)) => Err(thrown.clone()),
            };
            shell.answered(id, question, asked, answer);
        });
    }

    fn answered(
        &self,
        id: FlightId,
        question: Question,
        asked: Result<JsValue, JsValue>,
        answer: Result<JsValue, JsValue>,
    ) {
        match question {
            Question::EntryName(_) => {
                let name = answer.ok().and_then(|hash| name_of(&hash));
                let entry = name.zip(self.store.clone()).map(|(key, store)| StoreEntry { store, key });
                let named = entry.is_some();
                self.entry.replace(entry);
                self.update(|client, now| client.entry_named(id, named, now));
            }
            Question::Read(_) => {
                let answer = stored(answer);
                self.update(|client, now| client.store_read(id, answer, Math::random(), now));
            }
            Question::Acquire(entry, _) => {
                if let Ok(promise) = asked
                    && answer.as_ref().is_ok_and(JsValue::is_undefined)
                    && self.ended(id).is_none()
                {
                    return entry.release_if_granted(&promise);
                }
                let answer = granted(answer);
                self.update(|client, now| client.lease_answered(id, &answer, now));
            }
            Question::Secret(_) => {
                let secret = secret_of(answer);
                self.update(|client, now| client.secret_answered(id, secret, Math::random(), now));
            }
            Question::Deletion(deletion) => {
                self.deleting.borrow_mut().take_if(|last| is_same(last, &deletion));
                self.update(|client, now| client.deletion_finished(id, now));
            }
            Question::Write(_, writing, _) => {
                let _ = writing.finish.call0(&JsValue::UNDEFINED);
                // Before it is forgotten: an event about this write is searched for its token.
                self.update(|client, now| client.store_written(id, &done(answer), now));
                self.writing.borrow_mut().take_if(|last| is_same(&last.over, &writing.over));
            }
            Question::Release(_) => self.update(|client, now| client.lease_released(id, &done(answer), now)),
            Question::Delete(deleting) => {
                drop(deleting.timer);
                let in_time = now().monotonic.since(deleting.asked) < ANSWER_MS;
                let _ = deleting.finish.call0(&JsValue::UNDEFINED);
                self.update(|client, _| client.store_deleted(in_time.then(|| done(answer))));
            }
            Question::WriteEnd(writing) => self.delete(Some(token_of(&writing.value))),
        }
    }

    /// Asks the `apiSecret` function.
    fn ask_secret(&self, id: FlightId) {
        let Some(function) = self.secret.clone() else { return };
        let signal = self.attempt(id);
        let call = Members::default().with("signal", Member::Value(signal)).object();
        self.ask(id, Question::Secret(function.call1(&JsValue::UNDEFINED, &call)));
    }

    /// The signal of the attempt that is under way, or of a new one.
    fn attempt(&self, id: FlightId) -> JsValue {
        self.flight(id, |flight| Some(flight.attempt.get_or_insert_with(AbortGuard::new).signal())).unwrap_or_default()
    }

    /// Sends the request, and reads its reply.
    fn send(&self, id: FlightId, request: &TokenRequest, deadline: Instant) {
        let signal = self.attempt(id);
        let Some(open) = self.flight(id, |flight| flight.attempt.as_ref().map(AbortGuard::open)) else { return };
        let cache = *self.knows_cache.get_or_init(exchange::knows_cache);
        let called = exchange::send(request, self.fetch.as_ref(), &signal, cache);
        let (Some(ended), Some(shell)) = (self.ended(id), self.itself.upgrade()) else {
            // The stranger ended it.
            return called.iter().for_each(contain);
        };
        spawn(async move {
            let given_up = || {
                let now = now().monotonic;
                if open.get() && now >= deadline {
                    // A stream that never keeps us waiting keeps the timers from firing.
                    shell.update(|client, now| client.flight_timer(id, now));
                }
                !open.get()
            };
            let reply = match exchange::head(called, &ended, || now().wall).await {
                Ok((response, status, headers)) => {
                    if status != 200.0 && open.get() {
                        // The status decides, even if the body does not come in time.
                        shell.core.borrow_mut().head_received(id, status, headers, now());
                    }
                    exchange::reply(&response, status, headers, &ended, given_up).await
                }
                Err(no_reply) => Err(no_reply),
            };
            if !open.get() {
                return shell.update(|client, _| client.attempt_given_up(id));
            }
            match reply {
                Ok(reply) => shell.update(|client, now| client.replied(id, Ok(reply), Math::random(), now)),
                Err(NoReply::Failed(error)) => {
                    shell.update(|client, now| client.replied(id, Err(error), Math::random(), now));
                }
                Err(NoReply::Interrupted(value)) => {
                    shell.update(|client, now| client.interrupted(id, Foreign::new(value), now));
                }
            }
        });
    }

    // The token.

    fn cache_token(&self, token: &AccessToken, fresh_until: Now) {
        let value = token_value(token);
        if let Some(cache) = &self.cache {
            cache.hold(&value, fresh_until.monotonic.0, fresh_until.wall.0 * 1_000.0);
        }
        *self.held.borrow_mut() = value;
    }

    fn clear_cache(&self) {
        if let Some(cache) = &self.cache {
            cache.clear();
        }
    }

    // The store.

    fn entry(&self) -> Option<StoreEntry> {
        self.entry.borrow().clone()
    }

    /// Asks the store something, once our entry has a name.
    fn ask_store(&self, id: FlightId, question: impl FnOnce(StoreEntry) -> Question) {
        if let Some(entry) = self.entry() {
            self.ask(id, question(entry));
        }
    }

    fn release_lease(&self, id: FlightId) {
        let Some(entry) = self.entry() else { return };
        // The store gets its lease back even if the flight has ended.
        let end = self.ended(id).unwrap_or_else(|| Promise::resolve(&JsValue::UNDEFINED));
        self.ask_until(end, id, Question::Release(entry));
    }

    fn write_store(&self, id: FlightId, token: &AccessToken, ttl_s: f64) {
        let (Some(entry), Some(ended)) = (self.entry(), self.ended(id)) else { return };
        let (over, finish) = deferred();
        let writing = Writing { value: token_value(token), over, finish };
        self.writing.replace(Some(writing.clone()));
        self.ask_until(ended, id, Question::Write(entry, writing, ttl_s));
    }

    /// Deletes the store's token, unless the fleet has replaced it already.
    fn delete_stored(&self, held: bool) {
        let token = held.then(|| token_of(&self.held.borrow()));
        self.delete(token);
        // A write that is under way would bring the token back.
        let writing = self.writing.borrow().clone();
        if let Some(writing) = writing {
            self.ask_until(writing.over.clone(), 0, Question::WriteEnd(writing));
        }
    }

    fn delete(&self, token: Option<JsValue>) {
        let Some(entry) = self.entry() else { return };
        let (late, expire) = deferred();
        // Timers may fire a moment early by the clock that tells whether the answer was in time.
        let timer = Timer::set(&expire, 0, 0, ANSWER_MS + 1.0);
        if let Some(timer) = &timer {
            timer.unref();
        }
        let (over, finish) = deferred();
        self.deleting.replace(Some(over));
        let deleting = Deleting { entry, token, asked: now().monotonic, finish, timer };
        let (closing, _) = self.closing.get_or_init(deferred);
        self.ask_until(Promise::race(&Array::of2(&late, closing)), 0, Question::Delete(deleting));
    }

    fn await_deletion(&self, id: FlightId) {
        let deletion = self.deleting.borrow().clone();
        match deletion {
            Some(deletion) => self.ask(id, Question::Deletion(deletion)),
            None => self.update(|client, now| client.deletion_finished(id, now)),
        }
    }

    // Events.

    fn report(&self, event: &Event) {
        let Some(handler) = &self.on_event else { return };
        let secrets = Array::new();
        if let Event::Store { problem: Problem::Rejected(_), .. } = event {
            let token = token_of(&self.held.borrow());
            let writing = self.writing.borrow().as_ref().map(|writing| token_of(&writing.value));
            for secret in [self.entry().map(|entry| entry.key), Some(token), writing].into_iter().flatten() {
                secrets.push(&secret);
            }
        }
        report(handler, event, &secrets);
    }
}

/// The secret that the `apiSecret` function gave.
fn secret_of(answer: Result<JsValue, JsValue>) -> Result<Zeroizing<Vec<u8>>, Box<AuthError>> {
    let secret = answer.map_err(|cause| AuthError::secret_rejected(Foreign::new(cause)))?;
    let utf8 = utf8(&secret).ok_or_else(|| AuthError::no_secret("is not a string"))?;
    if is_same_text(&utf8, &secret) { Ok(utf8) } else { Err(AuthError::no_secret("holds a lone surrogate")) }
}

fn is_same(one: &JsValue, other: &JsValue) -> bool {
    one == other
}

fn closed() -> Box<AuthError> {
    AuthError::option("apiSecret", "is overwritten: this client was disposed of, make a new one")
}

/// What callers get: a frozen `{ token, exp }`.
fn token_value(token: &AccessToken) -> JsValue {
    Members::default().with("token", Member::Text(&token.token)).with("exp", Member::Number(token.exp.0)).frozen()
}

/// The text of such a one.
fn token_of(value: &JsValue) -> JsValue {
    property(value, "token").unwrap_or_default()
}
