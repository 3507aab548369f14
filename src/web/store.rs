//! The caller's store: what it is asked, and what its answers are worth. Nothing that it does is trusted.

use super::callback::{CALLBACKS, ignored};
use super::error::foreign;
use super::exchange::{bytes_of, claims_of};
use super::question::{Question, QuestionId};
use super::shell::{Shell, token_of, token_value};
use super::timer::{Timer, monotonic};
use super::value::{Lookup, contain, has_method, is_object, member, property, settling, spawn, text, then};
use crate::client::StoredToken;
use crate::flight::{ANSWER_MS, Answer, FlightId};
use crate::time::Instant;
use crate::token::AccessToken;
use js_sys::{Function, Math, Promise, Uint8Array};
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// A `TokenStore`.
    #[wasm_bindgen(extends = Lookup)]
    #[derive(Clone)]
    pub(super) type TokenStore;
    #[wasm_bindgen(method, catch)]
    fn set(this: &TokenStore, key: &JsValue, token: &JsValue, ttl_s: f64) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = delete)]
    fn delete_any(this: &TokenStore, key: &JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = delete)]
    fn delete_one(this: &TokenStore, key: &JsValue, token: &JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn acquire(this: &TokenStore, key: &JsValue, ttl_s: f64) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn release(this: &TokenStore, key: &JsValue) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_namespace = ["crypto", "subtle"], js_name = digest, catch)]
    fn digest(algorithm: &str, data: &Uint8Array) -> Result<JsValue, JsValue>;
}

thread_local! {
    // It lives as long as the module, and the promise that has it keeps the store.
    static ON_LATE_ANSWER: Closure<dyn Fn(TokenStore, JsValue, JsValue)> = Closure::new(|store: TokenStore, key, granted| {
        if granted == JsValue::TRUE
            && let Ok(released) = store.release(&key)
        {
            contain(&released);
        }
    });
}

/// A store with the name of our entry in it. Each question may be answered by a promise.
#[derive(Clone)]
pub(super) struct StoreEntry {
    pub(super) store: TokenStore,
    pub(super) key: JsValue,
}

impl StoreEntry {
    /// Asks for the token that the store has.
    pub(super) fn read(&self) -> Result<JsValue, JsValue> {
        self.store.get(&self.key)
    }

    /// Gives the store a token.
    pub(super) fn write(&self, token: &JsValue, ttl_s: f64) -> Result<JsValue, JsValue> {
        self.store.set(&self.key, token, ttl_s)
    }

    /// Deletes the entry; with a token, if that is the one stored.
    pub(super) fn delete(&self, token: Option<&JsValue>) -> Result<JsValue, JsValue> {
        match token {
            _ if !has_method(&self.store, "delete") => Ok(JsValue::UNDEFINED),
            Some(token) => self.store.delete_one(&self.key, token),
            None => self.store.delete_any(&self.key),
        }
    }

    /// Asks to be the one who may exchange, or to stay it.
    pub(super) fn acquire(&self, ttl_s: f64) -> Result<JsValue, JsValue> {
        self.store.acquire(&self.key, ttl_s)
    }

    /// Gives a lease back that nobody waits for any more, should it ever come. Nothing of this module waits for that.
    pub(super) fn release_if_granted(&self, lease: &Promise) {
        let on_answer = ON_LATE_ANSWER.with(|on_answer| {
            on_answer.as_ref().unchecked_ref::<Function>().bind2(&JsValue::UNDEFINED, &self.store, &self.key)
        });
        then(lease, on_answer.as_ref(), &ignored());
    }

    /// Gives the lease back.
    pub(super) fn release(&self) -> Result<JsValue, JsValue> {
        if has_method(&self.store, "release") { self.store.release(&self.key) } else { Ok(JsValue::UNDEFINED) }
    }
}

/// Asks for the SHA-256 of what tokens of one entry have in common, by which the store's entry is named.
pub(super) fn ask_name(identity: &[u8]) -> Result<JsValue, JsValue> {
    digest("SHA-256", &Uint8Array::from(identity))
}

/// The name that such an answer makes, in hexadecimal. `None` where there is no Web Crypto, as on a page that is not secure.
pub(super) fn name_of(hash: &JsValue) -> Option<JsValue> {
    let mut name = String::new();
    for byte in bytes_of(hash).ok()?.to_vec() {
        for half in [byte >> 4, byte & 15] {
            name.push(char::from(if half < 10 { b'0' + half } else { b'a' - 10 + half }));
        }
    }
    (name.len() == 64).then(|| JsValue::from_str(&name))
}

/// What came of asking for the token.
pub(super) fn stored(answer: Result<JsValue, JsValue>) -> Answer<Option<StoredToken>> {
    match answer {
        Err(cause) => Answer::Rejected(foreign(cause)),
        Ok(entry) if entry.is_undefined() || entry.is_null() => Answer::Value(None),
        Ok(entry) => read_entry(&entry).map_or(Answer::Invalid, |token| Answer::Value(Some(token))),
    }
}

/// What came of asking for the lease.
pub(super) fn granted(answer: Result<JsValue, JsValue>) -> Answer<bool> {
    match answer {
        Ok(granted) => granted.as_bool().map_or(Answer::Invalid, Answer::Value),
        Err(cause) => Answer::Rejected(foreign(cause)),
    }
}

/// What came of what has no answer but that it is done.
pub(super) fn done(answer: Result<JsValue, JsValue>) -> Answer<()> {
    answer.map_or_else(|cause| Answer::Rejected(foreign(cause)), |_| Answer::Value(()))
}

/// The entry, if its members are of the right types. Getters may be foreign code.
fn read_entry(entry: &JsValue) -> Option<StoredToken> {
    if !is_object(entry) {
        return None;
    }
    let token = text(&member(entry, "token"))?;
    let exp = member(entry, "exp").as_f64()?;
    let ttl_s = match property(entry, "ttlSeconds").ok()? {
        ttl_s if ttl_s.is_undefined() => None,
        ttl_s => Some(ttl_s.as_f64()?),
    };
    Some(StoredToken { claims: claims_of(&token), token, exp, ttl_s })
}

/// A write to the store that is under way.
pub(super) struct Writing {
    /// The token as the store gets it.
    pub(super) token: JsValue,
    /// It was invalidated meanwhile: what the write brings to the store is to be deleted again.
    invalidated: Cell<bool>,
}

/// A deletion in the store that is under way.
pub(super) struct Deletion {
    asked: Instant,
    /// Ends the wait for an answer.
    timer: Option<Timer>,
    /// The flights that wait for it.
    waiting: Vec<FlightId>,
}

impl Shell {
    fn entry(&self) -> Option<StoreEntry> {
        self.entry.borrow().clone()
    }

    /// Asks for the name of our entry.
    pub(super) fn name_entry(&self, flight: FlightId, identity: &[u8]) {
        self.ask(flight, Question::EntryName, &settling(ask_name(identity)));
    }

    pub(super) fn entry_named(&self, flight: FlightId, answer: Result<JsValue, JsValue>) {
        let name = answer.ok().and_then(|hash| name_of(&hash));
        let entry = name.zip(self.store.clone()).map(|(key, store)| StoreEntry { store, key });
        let named = entry.is_some();
        self.entry.replace(entry);
        self.update(|client, now| client.entry_named(flight, named, now));
    }

    pub(super) fn read_store(&self, flight: FlightId) {
        if let Some(entry) = self.entry() {
            self.ask(flight, Question::StoredToken, &settling(entry.read()));
        }
    }

    pub(super) fn store_read(&self, flight: FlightId, answer: Result<JsValue, JsValue>) {
        let (answer, random) = (stored(answer), Math::random());
        self.update(|client, now| client.store_read(flight, answer, random, now));
    }

    pub(super) fn acquire_lease(&self, flight: FlightId, ttl_s: f64) {
        if let Some(entry) = self.entry() {
            let lease = settling(entry.acquire(ttl_s));
            self.ask(flight, Question::Lease(entry, lease.clone()), &lease);
        }
    }

    pub(super) fn lease_answered(&self, flight: FlightId, answer: Result<JsValue, JsValue>) {
        let answer = granted(answer);
        self.update(|client, now| client.lease_answered(flight, &answer, now));
    }

    /// Gives the lease back, even if the flight has ended.
    pub(super) fn release_lease(&self, flight: FlightId) {
        if let Some(entry) = self.entry() {
            self.ask(flight, Question::Release, &settling(entry.release()));
        }
    }

    pub(super) fn lease_released(&self, flight: FlightId, answer: Result<JsValue, JsValue>) {
        let answer = done(answer);
        self.update(|client, now| client.lease_released(flight, &answer, now));
    }

    pub(super) fn write_store(&self, flight: FlightId, token: &AccessToken, ttl_s: f64) {
        let Some(entry) = self.entry() else { return };
        let writing = Rc::new(Writing { token: token_value(token), invalidated: Cell::new(false) });
        self.writing.replace(Some(Rc::clone(&writing)));
        let written = settling(entry.write(&writing.token, ttl_s));
        self.ask(flight, Question::Write(writing), &written);
    }

    pub(super) fn written(&self, flight: FlightId, writing: &Rc<Writing>, answer: Result<JsValue, JsValue>) {
        let answer = done(answer);
        // Before it is forgotten: an event about this write is searched for its token.
        self.update(|client, now| client.store_written(flight, &answer, now));
        self.write_over(writing);
    }

    /// A write is over, or nobody waits for it any more.
    pub(super) fn write_over(&self, writing: &Rc<Writing>) {
        self.writing.borrow_mut().take_if(|last| Rc::ptr_eq(last, writing));
        if writing.invalidated.get() {
            self.delete(Some(token_of(&writing.token)));
        }
    }

    /// Deletes the store's token, unless the fleet has replaced it already.
    pub(super) fn delete_stored(&self, held: bool) {
        let token = held.then(|| token_of(&self.held.borrow()));
        self.delete(token);
        // A write that is under way would bring the token back.
        if let Some(writing) = self.writing.borrow().as_ref() {
            writing.invalidated.set(true);
        }
    }

    /// Deletes the entry, in a turn of its own: a store may invalidate a token itself. With a token, if that is the one stored.
    fn delete(&self, token: Option<JsValue>) {
        let (Some(entry), Some(shell)) = (self.entry(), self.itself.upgrade()) else { return };
        let id = self.questions.borrow_mut().next();
        // Timers may fire a moment early by the clock that tells whether the answer was in time.
        let timer = CALLBACKS.with(|callbacks| Timer::set(&callbacks.unanswered, self.number, id, ANSWER_MS + 1.0));
        if let Some(timer) = &timer {
            timer.unref();
        }
        let deletion = Deletion { asked: monotonic(), timer, waiting: Vec::new() };
        self.questions.borrow_mut().add(id, None, Question::Deletion(deletion));
        self.stay_while_busy();
        spawn(async move { shell.react(id, &settling(entry.delete(token.as_ref()))) });
    }

    pub(super) fn deletion_unanswered(&self, id: QuestionId) {
        let taken = self.questions.borrow_mut().take(id);
        if let Some((_, Question::Deletion(deletion))) = taken {
            self.deleted(deletion, None);
        }
        self.stay_while_busy();
    }

    /// What came of a deletion; `None` if there was no answer in time.
    pub(super) fn deleted(&self, deletion: Deletion, answer: Option<Result<JsValue, JsValue>>) {
        drop(deletion.timer);
        let in_time = monotonic().since(deletion.asked) < ANSWER_MS;
        let answer = answer.filter(|_| in_time).map(done);
        self.update(|client, _| client.store_deleted(answer));
        for flight in deletion.waiting {
            self.update(|client, now| client.deletion_finished(flight, now));
        }
    }

    /// Waits for the deletion that is under way.
    pub(super) fn await_deletion(&self, flight: FlightId) {
        if let Some(deletion) = self.questions.borrow_mut().last_deletion() {
            return deletion.waiting.push(flight);
        }
        self.update(|client, now| client.deletion_finished(flight, now));
    }
}
