//! What those who run a client are told (`onEvent`). Nothing secret is in it at any depth.

use crate::error::{AuthError, Foreign};
use crate::time::NumericDate;
use std::rc::Rc;

/// Something that happened, in the moment that it did.
#[derive(Clone, Debug)]
pub enum Event {
    /// A token is there.
    Token {
        /// Where from.
        source: Source,
        /// When it ends, by the server's clock.
        exp: NumericDate,
        /// The life that it has left, in seconds.
        ttl_s: f64,
        /// Requests sent for it; 0 for a store's.
        attempts: u32,
        /// From the start of the flight, in milliseconds.
        duration_ms: f64,
        /// Whether nobody waited for it.
        background: bool,
    },
    /// An attempt failed, and another is made after a wait.
    Retry {
        /// Why it failed.
        error: Rc<AuthError>,
        /// Which attempt that was, from 1 on.
        attempt: u32,
        /// The wait, in milliseconds.
        delay_ms: f64,
    },
    /// A flight failed for good.
    Failure {
        /// Why.
        error: Rc<AuthError>,
        /// Whether nobody waited for it.
        background: bool,
        /// The life left of the token that is still held, in seconds, or 0.
        ttl_s: f64,
        /// When the next flight may begin, in milliseconds, if a cooldown or `Retry-After` says so.
        retry_in_ms: Option<f64>,
    },
    /// A store failed at something.
    Store {
        /// At what.
        operation: Operation,
        /// How.
        problem: Problem,
    },
    /// A request of `auth.fetch` met a 401.
    Unauthorized {
        /// Whether it is tried once more.
        retried: bool,
    },
}

/// Where a token comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The API.
    Exchange,
    /// A store.
    Store,
}

/// What a store is asked to do: its methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `get`
    Get,
    /// `set`
    Set,
    /// `delete`
    Delete,
    /// `acquire`
    Acquire,
    /// `release`
    Release,
}

/// How a store failed.
#[derive(Clone, Debug)]
pub enum Problem {
    /// It threw or rejected.
    Rejected(Foreign),
    /// It did not answer in time.
    Timeout,
    /// It answered nonsense.
    Invalid,
}
