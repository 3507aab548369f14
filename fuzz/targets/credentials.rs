//! Credentials that are taken come back out of the header as they were, and are found wherever they are repeated.
#![no_main]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use digitalpaye_auth::credentials::BasicCredentials;
use libfuzzer_sys::fuzz_target;
use zeroize::Zeroizing;

fuzz_target!(|data: (&str, &str, &str)| {
    let (user_id, password, around) = data;
    let taken = BasicCredentials::new(Zeroizing::new(user_id.into()), Zeroizing::new(password.into()));
    let allowed = !user_id.is_empty()
        && !password.is_empty()
        && !user_id.contains(':')
        && !user_id.chars().chain(password.chars()).any(char::is_control);
    assert_eq!(taken.is_ok(), allowed);
    let Ok(credentials) = taken else { return };
    let header = credentials.authorization();
    let value = header.strip_prefix("Basic ").unwrap();
    assert_eq!(STANDARD.decode(value).unwrap(), format!("{user_id}:{password}").into_bytes());
    for part in [password, value] {
        assert!(credentials.shown_by(&format!("{around}{part}{around}")));
    }
    assert_eq!(credentials.shown_by(around), around.contains(password) || around.contains(value));
    assert_eq!(format!("{credentials:?}"), "BasicCredentials([redacted])");
});
