//! Credentials that are taken come back out of the header as they were, and are found wherever they are repeated.
#![no_main]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use digitalpaye_auth::credentials::{BasicCredentials, UserId};
use libfuzzer_sys::fuzz_target;
use zeroize::Zeroizing;

fn secret(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.into())
}

fn is_carried(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(char::is_control)
}

fuzz_target!(|data: (&str, &str, &str)| {
    let (user_id, password, around) = data;
    let taken = UserId::new(secret(user_id));
    assert_eq!(taken.is_ok(), is_carried(user_id) && !user_id.contains(':'));
    let Ok(taken) = taken else { return };
    assert_eq!(taken.as_bytes(), user_id.as_bytes());
    let credentials = BasicCredentials::new(taken, secret(password));
    assert_eq!(credentials.is_ok(), is_carried(password));
    let Ok(credentials) = credentials else { return };

    let header = credentials.authorization();
    let value = header.strip_prefix("Basic ").unwrap();
    assert_eq!(STANDARD.decode(value).unwrap(), format!("{user_id}:{password}").into_bytes());
    for part in [password, value] {
        assert!(credentials.appear_in(format!("{around}{part}{around}").as_bytes()));
    }
    assert_eq!(credentials.appear_in(around.as_bytes()), around.contains(password) || around.contains(value));
    assert!(credentials.same_password(&credentials));
    assert_eq!(format!("{credentials:?}"), "BasicCredentials([redacted])");

    // A suspicion names the edge, and shows nothing of what is there: a few fixed words.
    if let Some(suspicion) = credentials.suspicion() {
        assert!(suspicion.starts_with("apiKey ") || suspicion.starts_with("apiSecret "));
        assert!(suspicion.is_ascii() && suspicion.len() < 64);
    }
    let plain =
        |text: &str| [text.chars().next(), text.chars().next_back()].into_iter().flatten().all(char::is_alphanumeric);
    assert!(!(plain(user_id) && plain(password)) || credentials.suspicion().is_none());
});
