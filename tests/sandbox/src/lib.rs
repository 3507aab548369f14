#![doc = include_str!("../README.md")]
//!
//! # How it is built
//!
//! A request passes through these modules in this order:
//!
//! | module | what happens there |
//! |---|---|
//! | [`wire`] | the socket: the head as it was sent is noted, and the connection can be reset |
//! | [`server`] | accepts, routes, and ties the rest together |
//! | [`record`] | what arrived, and how it ended |
//! | [`behaviour`] | what the script makes of this one request |
//! | [`digitalpaye_emulator`] | the contract of the API: settings, credentials, tokens, replies, CORS |
//! | [`delivery`] | the answer's bytes, at their pace, whole or cut off |
//! | [`control`] | `/_sandbox/`: all of the above, seen and set by a test |

pub mod behaviour;
pub mod control;
pub mod delivery;
pub mod record;
pub mod server;
pub mod wire;

pub use digitalpaye_emulator::{Config, Credentials};
pub use server::Server;

/// Locks, also when a thread died holding the lock: everything kept here stays whole between two statements.
pub(crate) fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Waits. No time at all is no wait: a timer's shortest is a millisecond.
pub(crate) async fn wait(time: std::time::Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}
