//! Against the crate of that name, on any input.

use base64::Engine;
use base64::alphabet::URL_SAFE as ALPHABET;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use digitalpaye_auth::base64::{decode_url, encode};
use proptest::prelude::*;

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

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
        let mut encoded = String::new();
        encode(bytes.as_bytes(), &mut encoded);
        assert_eq!(encoded, text);
        assert_eq!(**decode_url(text.as_bytes()).unwrap(), *bytes.as_bytes());
    }
}

proptest! {
    #[test]
    fn encodes_as_the_crate_does(bytes in prop::collection::vec(any::<u8>(), 0..70)) {
        let mut text = String::from("Basic ");
        encode(&bytes, &mut text);
        prop_assert_eq!(text, format!("Basic {}", STANDARD.encode(&bytes)));
    }

    #[test]
    fn does_not_grow_a_text_with_room(bytes in prop::collection::vec(any::<u8>(), 0..70)) {
        let mut text = String::with_capacity(4 * bytes.len().div_ceil(3));
        let before = text.capacity();
        encode(&bytes, &mut text);
        prop_assert_eq!(text.capacity(), before);
    }

    #[test]
    fn decodes_what_the_crate_encodes(bytes in prop::collection::vec(any::<u8>(), 0..70)) {
        for engine in [URL_SAFE, URL_SAFE_NO_PAD] {
            prop_assert_eq!(&**decode_url(engine.encode(&bytes).as_bytes()).unwrap(), &*bytes);
        }
    }

    #[test]
    fn decodes_and_refuses_as_the_crate_does(text in "[A-Za-z0-9_-]{0,20}|[A-Za-z0-9_+/. -]{0,6}") {
        prop_assert_eq!(decode_url(text.as_bytes()).map(|bytes| bytes.to_vec()), LENIENT.decode(&text).ok());
    }
}
