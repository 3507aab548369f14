//! The caller's store: what it is asked, and what its answers are worth. Nothing that it does is trusted.

use super::exchange::{bytes_of, claims_of};
use super::value::{contain, has_method, is_object, property, text};
use crate::client::StoredToken;
use crate::error::Foreign;
use crate::flight::Answer;
use js_sys::{Array, Function, Promise, Uint8Array};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// A `TokenStore`.
    #[derive(Clone)]
    pub(super) type TokenStore;
    #[wasm_bindgen(method, catch)]
    fn get(this: &TokenStore, key: &JsValue) -> Result<JsValue, JsValue>;
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

    type Granted;
    #[wasm_bindgen(method)]
    fn then(this: &Granted, fulfilled: &JsValue) -> JsValue;

    #[wasm_bindgen(js_namespace = ["crypto", "subtle"], js_name = digest, catch)]
    fn digest(algorithm: &str, data: &Uint8Array) -> Result<JsValue, JsValue>;
}

thread_local! {
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
    pub(super) fn release_if_granted(&self, promise: &JsValue) {
        let promise: Granted = Promise::race(&Array::of1(promise)).unchecked_into();
        let on_answer = ON_LATE_ANSWER.with(|on_answer| {
            on_answer.as_ref().unchecked_ref::<Function>().bind2(&JsValue::UNDEFINED, &self.store, &self.key)
        });
        contain(&promise.then(on_answer.as_ref()));
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
        Err(cause) => Answer::Rejected(Foreign::new(cause)),
        Ok(entry) if entry.is_undefined() || entry.is_null() => Answer::Value(None),
        Ok(entry) => read_entry(&entry).map_or(Answer::Invalid, |token| Answer::Value(Some(token))),
    }
}

/// What came of asking for the lease.
pub(super) fn granted(answer: Result<JsValue, JsValue>) -> Answer<bool> {
    match answer {
        Ok(granted) => granted.as_bool().map_or(Answer::Invalid, Answer::Value),
        Err(cause) => Answer::Rejected(Foreign::new(cause)),
    }
}

/// What came of what has no answer but that it is done.
pub(super) fn done(answer: Result<JsValue, JsValue>) -> Answer<()> {
    answer.map_or_else(|cause| Answer::Rejected(Foreign::new(cause)), |_| Answer::Value(()))
}

/// The entry, if its members are of the right types. Getters may be foreign code.
fn read_entry(entry: &JsValue) -> Option<StoredToken> {
    if !is_object(entry) {
        return None;
    }
    let token = text(&property(entry, "token").ok()?)?;
    let exp = property(entry, "exp").ok()?.as_f64()?;
    let ttl_s = match property(entry, "ttlSeconds").ok()? {
        ttl_s if ttl_s.is_undefined() => None,
        ttl_s => Some(ttl_s.as_f64()?),
    };
    Some(StoredToken { claims: claims_of(&token), token, exp, ttl_s })
}
