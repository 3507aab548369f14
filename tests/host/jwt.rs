//! The payload of a JWT, against the base64 crate and the vectors of RFC 4648.

use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use digitalpaye_auth::jwt::{Claims, payload};
use digitalpaye_auth::time::NumericDate;
use proptest::prelude::*;

fn decoded(text: &str) -> Option<Vec<u8>> {
    payload(&format!("h.{text}.s")).map(|bytes| bytes.to_vec())
}

#[test]
fn the_test_vectors_of_rfc_4648() {
    let vectors = [
        ("", ""),
        ("f", "Zg=="),
        ("fo", "Zm8="),
        ("foo", "Zm9v"),
        ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ];
    for (bytes, text) in vectors {
        assert_eq!(decoded(text).unwrap(), bytes.as_bytes(), "{text}");
        assert_eq!(decoded(text.trim_end_matches('=')).unwrap(), bytes.as_bytes(), "{text} without padding");
    }
}

#[test]
fn bits_behind_the_last_byte_are_ignored() {
    // Zh== and Zm9= differ from Zg== and Zm8= in bits that carry nothing.
    assert_eq!(decoded("Zh==").unwrap(), b"f");
    assert_eq!(decoded("Zm9").unwrap(), b"fo");
}

#[test]
fn the_alphabet_is_that_of_urls() {
    assert_eq!(decoded("-_8").unwrap(), [0xfb, 0xff]);
    for text in ["+/8", "Z", "Zg=x", "Z g", "Zg\n", "é"] {
        assert!(decoded(text).is_none(), "{text:?}");
    }
}

#[test]
fn three_parts_make_a_jwt() {
    for token in ["", "opaque", "a.b", "Zg.Zg.Zg.Zg", "Zg.Zg.Zg."] {
        assert!(payload(token).is_none(), "{token}");
    }
    assert_eq!(&**payload(".Zm9v.").unwrap(), b"foo", "header and signature are not looked at");
}

#[test]
fn a_life_needs_iat_and_ends_with_the_earlier_end() {
    let at = |seconds| Some(NumericDate(seconds));
    let life = |iat, exp| Claims { iat, exp }.life_s(NumericDate(160.0));
    assert_eq!(life(at(100.0), at(130.0)), Some(30.0));
    assert_eq!(life(at(100.0), at(190.0)), Some(60.0));
    assert_eq!(life(at(100.0), None), Some(60.0));
    assert_eq!(life(None, at(130.0)), None);
}

proptest! {
    #[test]
    fn decodes_what_the_crate_encodes(bytes in prop::collection::vec(any::<u8>(), 0..70)) {
        for engine in [URL_SAFE, URL_SAFE_NO_PAD] {
            let text = engine.encode(&bytes);
            prop_assert_eq!(decoded(&text).unwrap(), &*bytes);
        }
    }

    #[test]
    fn no_token_panics(token in any::<String>(), text in "[A-Za-z0-9_+/=. -]{0,24}") {
        let _ = payload(&token);
        let _ = payload(&format!("h.{text}.s"));
    }
}
