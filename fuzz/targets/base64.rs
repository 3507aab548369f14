//! Base64 by hand is that of the crate of this name.
#![no_main]

use ::base64::Engine;
use ::base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use digitalpaye_auth::base64::{decode_url, encode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut text = String::new();
    encode(bytes, &mut text);
    assert_eq!(text, STANDARD.encode(bytes));
    assert_eq!(*decode_url(URL_SAFE_NO_PAD.encode(bytes).as_bytes()).unwrap(), bytes);
    // Ours is more lenient about what comes after the last byte, and about nothing else.
    if let Ok(decoded) = URL_SAFE_NO_PAD.decode(bytes) {
        assert_eq!(*decode_url(bytes).unwrap(), decoded);
    }
    if let Some(decoded) = decode_url(bytes) {
        assert!(decoded.len() <= bytes.len() * 3 / 4);
    }
});
