//! The wasm module of the npm package: the core, an allocator and a panic handler.
//!
//! Without std: its panic machinery, with all that it formats, is almost half of a small module.
#![cfg(target_arch = "wasm32")]
#![no_std]

pub use digitalpaye_auth::web::Client;

#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

/// Traps. No code path is known to get here; formatting a message would cost more bytes than all of `response`.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
