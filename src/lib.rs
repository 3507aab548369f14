//! `apiKey` and `apiSecret` in, a valid bearer token out: the core of the npm package `digitalpaye-auth`.
//!
//! ```text
//! options ─→ credentials ─→ request ─→ fetch ─→ response ─→ token | error ─→ refresh decision
//!         pure            pure       web      pure        pure            pure decision, web storage
//! ```
//!
//! Read the files in that order:
//!
//! | file | what it decides |
//! |---|---|
//! | [`options`] | which values may configure a client |
//! | [`credentials`] | how user-id and password become `Basic …` (RFC 7617), and that nobody can print them |
//! | [`request`] | the one request of the API: `POST /v1/auth` |
//! | [`response`] | what a reply means: a token, or which error |
//! | [`token`] | what a token is (RFC 6750), and how long it lives, whatever the local clock says |
//! | [`error`] | the nine ways to fail |
//! | [`retry`] | whether, and after which wait, a failed attempt is made again |
//! | [`refresh`] | the life of a token in a client: held, renewed, invalidated; who waits for whom |
//! | [`flight`] | one way to a token, step by step: the store, the lease, the exchange and its retries |
//! | [`client`] | where these meet: every event of a client, and the orders that come of it |
//! | `web` | the only code that touches JavaScript: tells the client its events, passes its orders on |
//!
//! Beside the flow, what several stages use: [`base64`], [`date`], [`platform`], [`time`], [`whole`].
//!
//! The pure files know neither network nor clock nor randomness: time (`now`) and dice (`random`) are arguments, and what
//! else they need of the engine is [`platform::Platform`]. No value of JavaScript ever enters the module but numbers and
//! text; promises, signals, errors and tokens stay on the other side, where `pkg/host.js` keeps them by number. The
//! JavaScript crates are dependencies on `wasm32` only, so on the host a pure file that named one would not compile.
#![no_std]

extern crate alloc;

pub mod base64;
pub mod client;
pub mod credentials;
pub mod date;
pub mod error;
pub mod flight;
pub mod options;
pub mod platform;
pub mod refresh;
pub mod request;
pub mod response;
pub mod retry;
pub mod time;
pub mod token;
pub mod whole;

#[cfg(target_arch = "wasm32")]
pub mod web;
