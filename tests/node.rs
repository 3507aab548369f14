//! The wasm suite, in Node.
#![cfg(target_arch = "wasm32")]
#![allow(missing_docs)]

mod wasm;
