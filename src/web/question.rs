//! What is asked of strangers: the `apiSecret` function, the store, Web Crypto. The answer may be a promise, or an error.

use super::store::{StoreEntry, ask_name};
use super::timer::Timer;
use crate::time::Instant;
use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;

/// A question, with what has to be known once it is answered.
pub(super) enum Question {
    /// The hash that names the store's entry.
    EntryName(Vec<u8>),
    /// The store's token.
    Read(StoreEntry),
    /// The lease, for so many seconds.
    Acquire(StoreEntry, f64),
    /// The secret; what calling the function came to.
    Secret(Result<JsValue, JsValue>),
    /// That a deletion which began before is over.
    Deletion(Promise),
    /// That the store has the token.
    Write(StoreEntry, Writing, f64),
    /// That the lease is given back.
    Release(StoreEntry),
    /// That the store's token is deleted.
    Delete(Deleting),
    /// That a write is over, whose token is to be deleted then.
    WriteEnd(Writing),
}

/// A write to the store that is under way.
#[derive(Clone)]
pub(super) struct Writing {
    /// The token as the store gets it.
    pub(super) value: JsValue,
    /// Resolves when the write is over.
    pub(super) over: Promise,
    pub(super) finish: Function,
}

/// A deletion in the store that is under way.
pub(super) struct Deleting {
    pub(super) entry: StoreEntry,
    /// The only token to delete.
    pub(super) token: Option<JsValue>,
    pub(super) asked: Instant,
    pub(super) finish: Function,
    /// Ends the wait for an answer.
    pub(super) timer: Option<Timer>,
}

impl Question {
    /// Asks it.
    pub(super) fn ask(&self) -> Result<JsValue, JsValue> {
        match self {
            Self::EntryName(identity) => ask_name(identity),
            Self::Read(entry) => entry.read(),
            Self::Acquire(entry, ttl_s) => entry.acquire(*ttl_s),
            Self::Secret(called) => called.clone(),
            Self::Deletion(over) | Self::WriteEnd(Writing { over, .. }) => Ok(over.into()),
            Self::Write(entry, writing, ttl_s) => entry.write(&writing.value, *ttl_s),
            Self::Release(entry) => entry.release(),
            Self::Delete(Deleting { entry, token, .. }) => entry.delete(token.as_ref()),
        }
    }
}
