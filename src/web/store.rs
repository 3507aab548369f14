//! One token for a fleet: the way to a token by a `TokenStore`. Whatever the store does, it costs at most a direct
//! exchange.

use super::client::Shell;
use super::exchange::{Landing, exchange};
use super::flight::Flight;
use super::host::{Host, get};
use super::waiter::Grant;
use crate::error::AuthError;
use crate::refresh::Bearer;
use crate::time::Instant;
use crate::token::{AccessToken, Claims, MAX_LIFE_S};
use alloc::boxed::Box;
use alloc::rc::Rc;
use js_sys::{Date, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

/// The longest wait for one answer of a store, in milliseconds.
const ANSWER_MS: f64 = 2_000.0;
/// The first wait for the one who may exchange, in milliseconds; it doubles up to [`LOOK_CAP_MS`].
const LOOK_MS: f64 = 25.0;
/// The longest such wait, in milliseconds.
const LOOK_CAP_MS: f64 = 400.0;

/// A flight's way: the store's token, or an exchange, which one of the fleet makes for all.
pub(super) async fn obtain(shell: &Rc<Shell>, flight: &Flight) -> Result<Landing, Box<AuthError<JsValue>>> {
    if shell.has_store() && shell.store().is_none() {
        find_key(shell, flight).await;
    }
    if !flight.direct {
        if let Some(landing) = from_store(shell, flight).await {
            return Ok(landing);
        }
        shell.missed(flight.id);
    }
    exchange(shell, flight).await
}

/// Shares a new token, and lets the next one of the fleet exchange.
pub(super) async fn share(shell: &Shell, flight: &Flight, grant: &Grant, life_ms: f64, from: Instant) {
    if let Some(deleting) = shell.take_deleting() {
        // It is to delete what was there before, not this.
        let _ = flight.within(deleting, shell.now().plus(ANSWER_MS)).await;
    }
    // Unless it was invalidated in that time.
    let set = if shell.holds(grant) { begin_set(shell, &grant.object, life_ms, from) } else { None };
    if let Some(set) = set {
        shell.set_begins();
        let _ = flight.within(set, shell.now().plus(ANSWER_MS)).await;
        shell.set_is_over();
    }
    if let Some(promise) = release(shell, flight) {
        let _ = flight.within(promise, shell.now().plus(ANSWER_MS)).await;
    }
}

/// Begins to write a token, in the same turn in which the callers get it: a process that ends right after has sent it.
fn begin_set(shell: &Shell, grant: &JsValue, life_ms: f64, from: Instant) -> Option<Promise> {
    let (store, key) = shell.store()?;
    let ttl_s = seconds(from.plus(life_ms).since(shell.now()));
    if ttl_s <= 0.0 {
        return None;
    }
    let set = get(&store, "set").unwrap_or(JsValue::UNDEFINED);
    Some(shell.host.call(&set, &store, &key, grant, &ttl_s.into()))
}

/// Deletes what the store has, without waiting for it. Not if another of the fleet has replaced it already: then five
/// who find out one after the other that a token is no good would make five exchanges.
pub(super) fn delete(shell: &Shell, token: Option<&Grant>) {
    if let Some((store, key)) = shell.store() {
        let token = token.map_or(JsValue::UNDEFINED, |token| JsValue::from_str(token.token()));
        shell.set_deleting(shell.host.delete_unless_replaced(&store, &key, &token));
    }
}

/// Ends the lease, if this flight has it.
pub(super) fn give_up_lease(shell: &Shell, flight: &Flight) {
    if let Some(promise) = release(shell, flight) {
        contain(promise);
    }
}

fn release(shell: &Shell, flight: &Flight) -> Option<Promise> {
    if !flight.leased.replace(false) {
        return None;
    }
    let (store, key) = shell.store()?;
    let method = get(&store, "release").ok().filter(JsValue::is_function)?;
    Some(shell.host.call(&method, &store, &key, &JsValue::UNDEFINED, &JsValue::UNDEFINED))
}

/// Half of the flight's time belongs to the exchange.
fn half(flight: &Flight) -> Instant {
    flight.began.plus(flight.deadline.get().since(flight.began) / 2.0)
}

/// Until when to wait for an answer of the store.
fn patience(shell: &Shell, flight: &Flight) -> Instant {
    let answer = shell.now().plus(ANSWER_MS);
    if answer < half(flight) { answer } else { half(flight) }
}

/// Names the store's entry. Without the platform's SHA-256 there is no name, and no store.
async fn find_key(shell: &Shell, flight: &Flight) {
    let Some(identity) = shell.options().map(|options| options.options.store_identity()) else { return };
    if let Some(key) = flight.within(shell.host.digest(&identity), patience(shell, flight)).await {
        shell.set_store_key(key);
    }
}

/// `None`: exchange directly.
async fn from_store(shell: &Shell, flight: &Flight) -> Option<Landing> {
    let half = half(flight);
    let (store, key) = shell.store()?;

    if let Stored::Token(landing) = look(shell, flight, patience(shell, flight)).await? {
        return Some(landing);
    }
    get(&store, "acquire").ok().filter(JsValue::is_function)?;
    let mut wait_ms = LOOK_MS;
    loop {
        let now = shell.now();
        if now >= half {
            return None;
        }
        let lease = Lease::ask(&shell.host, &store, &key, seconds(flight.deadline.get().since(now)));
        let granted = flight.within(lease.answer(), patience(shell, flight)).await?.as_bool()?;
        lease.claim();
        match granted {
            true => {
                flight.leased.set(true);
                // The one who had the lease before may have written since the look above.
                return match look(shell, flight, patience(shell, flight)).await {
                    Some(Stored::Token(landing)) => {
                        give_up_lease(shell, flight);
                        Some(landing)
                    }
                    _ => None,
                };
            }
            false => {
                let now = shell.now();
                let until = now.plus(wait_ms);
                flight.sleep(if until < half { until } else { half }).await;
                wait_ms = (wait_ms * 2.0).min(LOOK_CAP_MS);
            }
        }
        if let Stored::Token(landing) = look(shell, flight, patience(shell, flight)).await? {
            return Some(landing);
        }
    }
}

/// A lease that was asked for. Dropped before it is claimed, it is given back in the moment in which it is granted:
/// nobody would exchange under it, and the fleet would wait for nothing.
struct Lease<'a> {
    host: &'a Host,
    request: JsValue,
}

impl<'a> Lease<'a> {
    fn ask(host: &'a Host, store: &JsValue, key: &JsValue, ttl_s: f64) -> Self {
        Self { host, request: host.acquire(store, key, ttl_s) }
    }

    fn answer(&self) -> Promise {
        self.host.acquired(&self.request)
    }

    fn claim(mut self) {
        self.request = JsValue::UNDEFINED;
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if !self.request.is_undefined() {
            self.host.abandon(&self.request);
        }
    }
}

enum Stored {
    Token(Landing),
    Nothing,
}

/// Reads the store; `None` if it fails, hangs or answers nonsense.
async fn look(shell: &Shell, flight: &Flight, until: Instant) -> Option<Stored> {
    let (store, key) = shell.store()?;
    let from = shell.now();
    let stored = flight.within(shell.host.invoke(&store, "get", &key, &JsValue::UNDEFINED), until).await?;
    if stored.is_undefined() || stored.is_null() {
        return Some(Stored::Nothing);
    }
    let token = get(&stored, "token").ok()?.as_string();
    let exp = get(&stored, "exp").ok()?.as_f64();
    let ttl_s = get(&stored, "ttlSeconds").ok()?;
    // What is no number, or out of range, is nonsense: the check of the life refuses NaN.
    let in_range = |ttl_s: &f64| *ttl_s > 0.0 && *ttl_s <= MAX_LIFE_S;
    let ttl_s = (!ttl_s.is_undefined()).then(|| ttl_s.as_f64().filter(in_range).unwrap_or(f64::NAN));
    let token = AccessToken::new(token, exp, |token, exp| {
        let left_s = ttl_s.unwrap_or_else(|| exp.0 - Date::now() / 1_000.0);
        // No token has more left than its whole life. NaN stays NaN this way round.
        let whole_s = Claims::read::<JsValue>(token).life(exp).unwrap_or(f64::INFINITY);
        if whole_s < left_s { whole_s } else { left_s }
    });
    // A token that is past its life or unusable is one to replace: the same as none.
    let Ok(token) = token else {
        return Some(Stored::Nothing);
    };
    if shell.accepts(&token.token, from.plus(token.life_s * 1_000.0)) {
        Some(Stored::Token(Landing { token, from }))
    } else {
        Some(Stored::Nothing)
    }
}

/// Whole seconds where there is one, never more than there are: stores count in them.
fn seconds(ms: f64) -> f64 {
    let seconds = ms / 1_000.0;
    #[allow(clippy::cast_possible_truncation)]
    if seconds >= 1.0 { f64::from(seconds as i32) } else { seconds }
}

/// Nobody waits for it, and its rejection is nobody's.
fn contain(promise: Promise) {
    drop(JsFuture::from(promise));
}
