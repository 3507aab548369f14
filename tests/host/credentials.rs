use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use digitalpaye_auth::credentials::{BasicCredentials, Credentials, UserId};
use digitalpaye_auth::error::{AuthError, Code};
use proptest::prelude::*;
use zeroize::Zeroizing;

fn credentials(user_id: &str, password: &str) -> Result<BasicCredentials, Box<AuthError>> {
    BasicCredentials::new(UserId::new(Zeroizing::new(user_id.into()))?, Zeroizing::new(password.into()))
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
    let both = credentials("kangaroo", "wallaby").unwrap();
    assert_eq!(format!("{both:#?}"), "BasicCredentials([redacted])");
    let user_id = UserId::new(Zeroizing::new("kangaroo".into())).unwrap();
    assert_eq!(format!("{user_id:#?}"), "UserId([redacted])");
    for kept in [Credentials::Fixed(both), Credentials::AskedFor(user_id)] {
        let shown = format!("{kept:#?}");
        assert!(!shown.contains("kangaroo") && !shown.contains("wallaby"), "{shown}");
        assert_eq!(kept.user_id().as_bytes(), b"kangaroo");
    }
}

#[test]
fn a_text_with_the_password_or_the_basic_credentials_is_recognised() {
    let credentials = credentials("Aladdin", "open sesame").unwrap();
    assert!(credentials.appear_in(b"wrong password: open sesame!"));
    assert!(credentials.appear_in(b"got QWxhZGRpbjpvcGVuIHNlc2FtZQ== from you"));
    assert!(!credentials.appear_in(b"Aladdin is unknown"));
    assert!(!credentials.appear_in(b"Basic"));
}

#[test]
fn a_line_break_at_the_end_is_likely_to_come_from_a_file() {
    for (user_id, password) in [("k\n", "s"), ("k\r\n", "s"), ("k", "s\n"), ("k", "s\r"), ("k", "\n")] {
        let message = credentials(user_id, password).unwrap_err().message;
        assert_eq!(message, "ends with a line break (was it read from a file?)", "{user_id:?} {password:?}");
    }
    for (user_id, password) in [("k\nk", "s"), ("k", "\ns"), ("k", "s\t")] {
        assert_eq!(credentials(user_id, password).unwrap_err().message, "holds a control character");
    }
}

#[test]
fn the_edges_of_c1_controls() {
    for usable in ["\u{a0}x", "x\u{a0}", "\u{e080}", "é", "~"] {
        assert!(credentials("u", usable).is_ok(), "{usable:?}");
    }
    for control in ["\u{80}", "\u{9f}", "\u{1f}", "\u{7f}", "x\u{85}y"] {
        assert!(credentials("u", control).is_err(), "{control:?}");
    }
}

/// Each kind of character that nobody means to have at an edge, and what it is called.
const STRAYS: [(&str, &[char]); 4] = [
    ("a space", &[' ']),
    (
        "a quotation mark",
        &['"', '\'', '`', '\u{ab}', '\u{bb}', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}', '\u{201f}'],
    ),
    (
        "a no-break or other unusual space",
        &['\u{a0}', '\u{1680}', '\u{2000}', '\u{2009}', '\u{200a}', '\u{202f}', '\u{205f}', '\u{3000}'],
    ),
    (
        "an invisible character",
        &[
            '\u{ad}', '\u{34f}', '\u{61c}', '\u{180e}', '\u{200b}', '\u{200d}', '\u{200f}', '\u{2028}', '\u{202e}',
            '\u{2060}', '\u{206f}', '\u{fe00}', '\u{fe0f}', '\u{feff}', '\u{fff9}', '\u{fffb}',
        ],
    ),
];

#[test]
fn a_stray_character_at_an_edge_is_told_and_not_shown() {
    for (kind, characters) in STRAYS {
        for stray in characters {
            let told = |user_id: String, password: String| credentials(&user_id, &password).unwrap().suspicion();
            let (key, secret) = (String::from("kangaroo"), String::from("wallaby"));
            for (option, place, told) in [
                ("apiKey", "begins", told(format!("{stray}{key}"), secret.clone())),
                ("apiKey", "ends", told(format!("{key}{stray}"), secret.clone())),
                ("apiSecret", "begins", told(key.clone(), format!("{stray}{secret}"))),
                ("apiSecret", "ends", told(key.clone(), format!("{secret}{stray}"))),
            ] {
                assert_eq!(told, Some(format!("{option} {place} with {kind}")), "{stray:?}");
            }
            assert_eq!(told(format!("kanga{stray}roo"), format!("walla{stray}by")), None, "{stray:?} within");
        }
    }
    let neighbours =
        ['!', '#', '&', '(', '_', 'a', '\u{aa}', '\u{2010}', '\u{2017}', '\u{2020}', '\u{fe10}', '\u{fff8}'];
    for usable in neighbours {
        assert_eq!(credentials(&format!("{usable}k"), &format!("s{usable}")).unwrap().suspicion(), None, "{usable:?}");
    }
}

#[test]
fn passwords_are_compared_whole() {
    let one = credentials("u", "wallaby").unwrap();
    assert!(one.same_password(&credentials("v", "wallaby").unwrap()));
    assert!(!one.same_password(&credentials("u", "wallab").unwrap()));
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
                prop_assert!(credentials.appear_in(value.as_bytes()) && credentials.appear_in(password.as_bytes()));
            }
            Err(error) => prop_assert!(unusable && error.option.is_some()),
        }
    }
}
