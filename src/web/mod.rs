//! The only code that touches JavaScript. It carries out what the pure files decide.
//!
//! Two rules keep the instance alive whatever JavaScript does:
//!
//! - No borrow of our state is held while foreign code runs: decide first, let go, then act. So a `fetch`, a store or a
//!   getter may call the same client again at any point.
//! - No exception crosses a wasm frame, because `panic = "abort"` cannot unwind it: reads go through `Reflect` and come
//!   back as `Result`, calls of foreign functions through [`Host::call`](host::Host::call) and `Host::send`, async
//!   functions, which turn whatever they throw or return into a promise of the platform's own.

mod client;
mod exchange;
mod flight;
mod host;
mod json;
mod options;
mod reply;
mod store;
mod waiter;

pub use client::Client;
pub use host::Host;
pub use reply::Reply;
