//! Tests of the pure files, on the host: every stage by example, and by random input that must neither panic nor go
//! unclassified.
#![cfg(not(target_arch = "wasm32"))]
// A test may panic: that is how it fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod calls;
mod client;
mod credentials;
mod date;
mod flight;
mod json;
mod jwt;
mod options;
mod refresh;
mod refresh_driver;
mod refresh_errors;
mod refresh_model;
mod response;
mod retry;
mod rules;
mod token;
mod whole;
mod world;

/// How many random cases a test takes; fewer for a quick look, by `HOST_CASES`.
fn cases(usual: u32) -> u32 {
    std::env::var("HOST_CASES").ok().and_then(|count| count.parse().ok()).unwrap_or(usual)
}
