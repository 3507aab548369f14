//! Tests of the pure files, on the host: every stage by example, and by random input that must neither panic nor go
//! unclassified.
#![cfg(not(target_arch = "wasm32"))]
// A test may panic: that is how it fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

//CLIENT mod client;
mod credentials;
mod date;
//FLIGHT mod flight;
mod json;
mod jwt;
mod options;
mod refresh;
mod response;
mod retry;
mod token;
mod whole;
