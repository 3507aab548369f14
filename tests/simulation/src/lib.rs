//! Fleets of clients, simulated: the core of `digitalpaye-auth` as it is, in a world that a seed makes.
//!
//! See README.md for what is modelled, which rules are checked and which faults are planted.

// A simulator stops at the first thing that is not as it should be: that is what it is for.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "only tests run it"
)]

mod answer;
mod carry;
pub mod check;
pub mod clock;
pub mod fault;
mod input;
mod network;
pub mod random;
pub mod run;
pub mod scenario;
pub mod shell;
pub mod store;
pub mod world;
