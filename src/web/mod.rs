//! The only code that touches JavaScript. It tells the [`client`](crate::client) what happens, and carries out its orders
//! by the package's own JavaScript, which calls `fetch`, timers, signals and stores.
//!
//! Two rules keep the instance alive whatever JavaScript does:
//!
//! - No borrow of our state is held while foreign code runs: decide first, let go, then act. So a `fetch`, a store or a
//!   getter may call the same client again at any point.
//! - No exception crosses a wasm frame, because `panic = "abort"` cannot unwind it: what is called there does not throw.

mod client;
mod host;

pub use client::Client;
