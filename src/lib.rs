//! `apiKey` and `apiSecret` in, a valid bearer token out: the core of the npm package `digitalpaye-auth`.
//!
//! ```text
//! options ─→ credentials ─→ request ─→ fetch ─→ response ─→ token | error ─→ refresh decision
//!         pure            pure       web      pure        pure            pure decision, web storage
//! ```
//!
//! # One exchange, from file to file
//!
//! A caller asks for a token. `web::client` tells [`client::Client`] so, with the time. [`refresh`] looks at the token held
//! and at who waits already, and starts a [`flight`]. The flight asks for a request; [`request`] makes it of [`options`] and
//! [`credentials`]. What comes back is a list of [`effect`]s, which `web` carries out: it calls `fetch`. Of the reply,
//! [`response`] makes a [`token`] or an [`error`], [`jwt`] and the reply's `Date` tell how long the token lives, and [`retry`]
//! says whether and when a failed attempt is made again. Then [`refresh`] holds the token and resolves all who wait.
//!
//! | file | what it decides |
//! |---|---|
//! | [`options`] | which values may configure a client |
//! | [`credentials`] | how user-id and password become `Basic …` (RFC 7617), and that nobody can print them |
//! | [`request`] | the one request of the API: `POST /v1/auth` |
//! | [`response`] | what a reply means: a token, or which error |
//! | [`jwt`] | what a JWT (RFC 7519) says about its own life |
//! | [`token`] | what a token is (RFC 6750), and how long it lives, whatever the local clock says |
//! | [`error`] | the ways to fail |
//! | [`retry`] | whether, and after which wait, a failed attempt is made again |
//! | [`refresh`] | the life of a token in a client: held, renewed, invalidated; who waits for whom |
//! | [`flight`] | one way to a token, step by step: the store, the lease, the exchange and its retries |
//! | [`client`] | where these meet: every event of a client, and the effects that follow |
//! | [`effect`] | the one list of what is to be done |
//! | [`event`] | what those who run a client are told |
//! | `web` | the only code that touches JavaScript: tells the client what happens, carries its effects out |
//!
//! Beside the flow, what several stages use: [`date`], [`time`], [`whole`].
//!
//! The pure files know neither network nor clock nor randomness: time (`now`) and dice (`random`) are arguments, and a reply
//! comes as plain values. The JavaScript crates are dependencies on `wasm32` only, so on the host a pure file that named one
//! would not compile.

pub mod client;
pub mod credentials;
pub mod date;
pub mod effect;
pub mod error;
pub mod event;
pub mod flight;
pub mod jwt;
pub mod options;
pub mod refresh;
pub mod request;
pub mod response;
pub mod retry;
pub mod time;
pub mod token;
pub mod whole;

#[cfg(target_arch = "wasm32")]
pub mod web;
