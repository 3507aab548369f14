//! The wasm module of the npm package: the core, and an allocator.
#![cfg(target_arch = "wasm32")]

pub use digitalpaye_auth::web::{WebClient, authenticate};

use rlsf::SmallGlobalTlsf;
use zeroizing_alloc::ZeroAlloc;

/// Overwrites all that is freed. `Zeroizing` does that for the secrets that the core holds; here it is done for copies
/// that wasm-bindgen's glue makes when it passes a string and outgrows a buffer.
///
/// rlsf makes a module 2 KB smaller than the standard library's allocator does.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<SmallGlobalTlsf> = ZeroAlloc(SmallGlobalTlsf::new());
