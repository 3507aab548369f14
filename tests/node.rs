//! The wasm suite, in Node.
#![cfg(target_arch = "wasm32")]
#![allow(missing_docs)]

mod wasm;

// As an ES module, like the package.
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_node_experimental);
