//! The only code that touches JavaScript: it tells the [`client`](crate::client) what happens, and carries its effects out.
//!
//! Two rules keep the instance alive whatever JavaScript does:
//!
//! - No borrow of our state is held while foreign code runs: decide first, let go, then act. So a `fetch`, a store or a
//!   getter may call the same client again at any point.
//! - No exception crosses a wasm frame, because `panic = "abort"` cannot unwind it: whatever a stranger may have made or
//!   patched is reached by imports that catch.

mod callback;
mod callers;
mod client;
mod error;
mod event;
mod exchange;
mod flights;
mod options;
mod question;
mod shell;
mod store;
mod timer;
mod value;
mod waiter;

pub use client::{WebClient, authenticate};
