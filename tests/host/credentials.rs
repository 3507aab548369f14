use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use digitalpaye_auth::credentials::BasicCredentials;
use digitalpaye_auth::error::{AuthError, Code};
use proptest::prelude::*;
use zeroize::Zeroizing;

fn credentials(user_id: &str, password: &str) -> Result<BasicCredentials, Box<AuthError>> {
    BasicCredentials::new(Zeroizing::new(user_id.into()), Zeroizing::new(password.into()))
}

/// RFC 7617 §2 and §2.1.
#[test]
fn the_vectors_of_rfc_7617() {
    let value = |user_id, password| credentials(user_id, password).unwrap().authorization().to_string();
    assert_eq!(value("Aladdin", "open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    assert_eq!(value("test", "123\u{a3}"), "Basic dGVzdDoxMjPCow==");
}

#[test]
fn what_basic_cannot_carry_is_refused_by_name() {
    for (user_id, password, option) in [
        ("", "p", "apiKey"),
        ("a:b", "p", "apiKey"),
        ("a\n", "p", "apiKey"),
        ("a\u{7f}", "p", "apiKey"),
        ("a\u{85}", "p", "apiKey"),
        ("u", "", "apiSecret"),
        ("u", "p\0", "apiSecret"),
        ("u", "\t", "apiSecret"),
        ("u", "p\u{9f}", "apiSecret"),
    ] {
        let error = credentials(user_id, password).unwrap_err();
        assert_eq!((error.code, error.option), (Code::InvalidOptions, Some(option)), "{user_id:?} {password:?}");
    }
    // The first colon ends the user-id; the password may hold as many as it likes.
    assert!(credentials("u", "p:q:").is_ok());
}

#[test]
fn debug_shows_neither_part() {
    assert_eq!(format!("{:#?}", credentials("kangaroo", "wallaby").unwrap()), "BasicCredentials([redacted])");
}

#[test]
fn a_text_with_the_password_or_the_basic_credentials_is_recognised() {
    let credentials = credentials("Aladdin", "open sesame").unwrap();
    assert!(credentials.shown_by("wrong password: open sesame!"));
    assert!(credentials.shown_by("got QWxhZGRpbjpvcGVuIHNlc2FtZQ== from you"));
    assert!(!credentials.shown_by("Aladdin is unknown"));
    assert!(!credentials.shown_by("Basic"));
}

proptest! {
    #[test]
    fn nothing_panics_and_what_is_accepted_decodes_to_itself(user_id in any::<String>(), password in any::<String>()) {
        let unusable = user_id.is_empty() || password.is_empty() || user_id.contains(':')
            || user_id.chars().chain(password.chars()).any(char::is_control);
        match credentials(&user_id, &password) {
            Ok(credentials) => {
                prop_assert!(!unusable);
                let value = credentials.authorization();
                let decoded = STANDARD.decode(value.strip_prefix("Basic ").unwrap()).unwrap();
                prop_assert_eq!(String::from_utf8(decoded).unwrap(), format!("{user_id}:{password}"));
                prop_assert_eq!(value.len(), value.capacity(), "a buffer that grew leaves a copy behind");
                prop_assert!(credentials.shown_by(&value) && credentials.shown_by(&password));
            }
            Err(error) => prop_assert!(unusable && error.option.is_some()),
        }
    }
}
