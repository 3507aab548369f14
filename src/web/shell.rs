//! A client, with what it has of JavaScript: it is told what happens, and its effects are carried out here.

use super::callers::Settlement;
use super::error::{value_in, value_of};
use super::event::{Secrets, report};
use super::flights::FlightShell;
use super::options::ClientOptions;
use super::question::Questions;
use super::store::{StoreEntry, TokenStore, Writing};
use super::timer::now;
use super::value::{Member, Members, member};
use super::waiter::Waiters;
use crate::client::{Client, Surroundings};
use crate::effect::{Effect, Effects, LeaseTtl};
use crate::error::AuthError;
use crate::event::{Event, Problem};
use crate::flight::FlightId;
use crate::refresh::CallerId;
use crate::time::Now;
use crate::token::AccessToken;
use js_sys::Function;
use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use wasm_bindgen::prelude::*;

#[wasm_bindgen(raw_module = "../platform.js")]
extern "C" {
    pub(super) type Platform;
    /// What differs by runtime; the entry that was imported fills it in.
    #[wasm_bindgen(thread_local_v2, js_name = platform)]
    pub(super) static PLATFORM: Platform;
    #[wasm_bindgen(method, getter)]
    fn isolate(this: &Platform) -> bool;
    #[wasm_bindgen(method, getter, js_name = waitUntil)]
    pub(super) fn wait_until(this: &Platform) -> Option<Function>;
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

/// By which closures that live as long as the module find a shell.
pub(super) type ShellNumber = u32;

pub(super) struct Shell {
    pub(super) core: RefCell<Client>,
    /// For a single call: closed once that is settled.
    pub(super) once: bool,
    /// Promises and timers belong to one request of many.
    pub(super) isolate: bool,
    pub(super) timeout_ms: f64,
    pub(super) base_url: String,
    pub(super) environment: String,
    pub(super) secret: Option<Function>,
    pub(super) fetch: Option<Function>,
    on_event: Option<Function>,
    pub(super) wait_until: Option<Function>,
    cache: Option<TokenCache>,
    /// The token cached last.
    pub(super) held: RefCell<JsValue>,

    pub(super) store: Option<TokenStore>,
    /// The store with the name of our entry, once that is known.
    pub(super) entry: RefCell<Option<StoreEntry>>,
    /// The write to the store that is under way.
    pub(super) writing: RefCell<Option<Rc<Writing>>>,

    pub(super) questions: RefCell<Questions>,
    pub(super) waiters: RefCell<Waiters>,
    pub(super) last_caller: Cell<CallerId>,
    pub(super) flights: RefCell<Vec<(FlightId, FlightShell)>>,
    pub(super) number: ShellNumber,
    pub(super) itself: Weak<Self>,
    /// Itself, while it is busy: nobody else may hold it then.
    busy: RefCell<Option<Rc<Self>>>,
}

thread_local! {
    static SHELLS: RefCell<Shells> = const { RefCell::new(Shells { list: Vec::new(), last: 0 }) };
}

/// All there are, by ascending number.
struct Shells {
    list: Vec<(ShellNumber, Weak<Shell>)>,
    last: ShellNumber,
}

impl Shells {
    fn add(&mut self, shell: Weak<Shell>) -> ShellNumber {
        self.last = self.last.wrapping_add(1);
        self.list.push((self.last, shell));
        self.last
    }

    fn index(&self, number: ShellNumber) -> Option<usize> {
        self.list.binary_search_by_key(&number, |entry| entry.0).ok()
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
    pub(super) fn new(options: ClientOptions, cache: Option<TokenCache>) -> Rc<Self> {
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
            store: store.map(JsCast::unchecked_into),
            entry: RefCell::default(),
            writing: RefCell::default(),
            questions: RefCell::default(),
            waiters: RefCell::default(),
            last_caller: Cell::new(0),
            flights: RefCell::default(),
            number: SHELLS.with_borrow_mut(|shells| shells.add(itself.clone())),
            itself: itself.clone(),
            busy: RefCell::default(),
        })
    }

    /// The one of this number, if there still is.
    pub(super) fn find(number: ShellNumber) -> Option<Rc<Self>> {
        SHELLS.with_borrow(|shells| shells.list.get(shells.index(number)?)?.1.upgrade())
    }

    /// Tells the client what happened, and carries out what comes of it. No borrow is held meanwhile.
    pub(super) fn update(&self, event: impl FnOnce(&mut Client, Now) -> Effects) {
        self.update_at(now(), event);
    }

    /// The same, if the time is known.
    pub(super) fn update_at(&self, now: Now, event: impl FnOnce(&mut Client, Now) -> Effects) {
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
            Effect::NameEntry(flight, identity) => self.name_entry(flight, &identity),
            Effect::ReadStore(flight) => self.read_store(flight),
            Effect::AcquireLease(flight, LeaseTtl(ttl_s)) => self.acquire_lease(flight, ttl_s),
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
                // A caller that was answered before this one may have disposed of the client, by its signal's listeners.
                let settlement = match self.core.borrow().is_closed() {
                    true => Settlement::Reject(value_of(&closed())),
                    false => Settlement::Resolve(self.held.borrow().clone()),
                };
                self.answer(caller, settlement, now);
            }
            Effect::Reject(caller, error) => self.answer(caller, Settlement::Reject(value_of(&error)), now),
            Effect::Rethrow(caller, value) => self.answer(caller, Settlement::Reject(value_in(&value)), now),
            Effect::Report(event) => self.report(&event),
        }
    }

    /// Forgets and overwrites the secret. Whoever waits gets an error.
    pub(super) fn close(&self) {
        if !self.core.borrow().is_closed() {
            self.update(|client, now| client.close(*closed(), now));
            *self.held.borrow_mut() = JsValue::UNDEFINED;
            // Nobody waits for a deletion any more.
            self.forget_questions(None);
            self.stay_while_busy();
        }
    }

    /// Keeps itself while somebody waits or works, whoever else lets go of it.
    pub(super) fn stay_while_busy(&self) {
        let busy = !self.waiters.borrow().is_empty()
            || !self.flights.borrow().is_empty()
            || !self.questions.borrow().is_empty();
        let stay = if busy { self.itself.upgrade() } else { None };
        let before = self.busy.replace(stay);
        // Somebody up the stack has it, too.
        drop(before);
    }

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

    fn report(&self, event: &Event) {
        let Some(handler) = &self.on_event else { return };
        let secrets = match event {
            Event::Store { problem: Problem::Rejected(_), .. } => self.secrets(),
            _ => Secrets::default(),
        };
        report(handler, event, secrets);
    }

    fn secrets(&self) -> Secrets {
        Secrets {
            key: self.entry.borrow().as_ref().map(|entry| entry.key.clone()).unwrap_or_default(),
            held: token_of(&self.held.borrow()),
            written: self.writing.borrow().as_ref().map(|writing| token_of(&writing.token)).unwrap_or_default(),
        }
    }
}

/// What a client that was disposed of says.
pub(super) fn closed() -> Box<AuthError> {
    AuthError::option("apiSecret", "is overwritten: this client was disposed of, make a new one")
}

/// What callers get: a frozen `{ token, exp }`.
pub(super) fn token_value(token: &AccessToken) -> JsValue {
    Members::default().with("token", Member::Text(&token.token)).with("exp", Member::Number(token.exp.0)).frozen()
}

/// The text of such a one.
pub(super) fn token_of(value: &JsValue) -> JsValue {
    member(value, "token")
}
