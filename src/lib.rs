//! `apiKey` and `apiSecret` in, a valid bearer token out: the core of the npm package `digitalpaye-auth`.
//!
//! ```text
//! options ─→ credentials ─→ request ─→ fetch ─→ response ─→ token | error ─→ refresh decision
//!         pure            pure       web      pure        pure            pure decision, web storage
//! ```
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
