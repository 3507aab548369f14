//! The wasm suite, in a browser.
#![cfg(target_arch = "wasm32")]
#![allow(missing_docs)]

mod wasm;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
