//! Every reply is a token that keeps each rule, or an error by its status; none repeats the secret.
#![no_main]

#[path = "../../../host/json.rs"]
#[allow(unused)]
mod json;

use digitalpaye_auth::credentials::{BasicCredentials, UserId};
use digitalpaye_auth::error::{Code, Foreign};
use digitalpaye_auth::response::{Body, Headers, Reply, classify};
use digitalpaye_auth::time::NumericDate;
use json::body;
use libfuzzer_sys::fuzz_target;
use zeroize::Zeroizing;

const SECRET: &str = "open sesame";

fn credentials() -> BasicCredentials {
    let secret = |text: &str| Zeroizing::new(String::from(text));
    BasicCredentials::new(UserId::new(secret("Aladdin")).unwrap(), secret(SECRET)).unwrap()
}

fuzz_target!(|data: (u8, u16, f64, Option<&str>, bool, Option<&str>, &[u8])| {
    let (kind, status, local, date, has_age, retry_after, text) = data;
    // Most are a 200 with a body of JSON.
    let status = if kind & 3 == 0 { f64::from(status) } else { 200.0 };
    let body = match kind >> 5 {
        0 => Body::TooLarge,
        1 => Body::Broken(Foreign::new(7)),
        _ => body(text),
    };
    let broken = matches!(body, Body::Broken(_));
    let reason = match &body {
        Body::Json(content) => content.reason.as_ref().map(|reason| reason.text.as_bytes().to_vec()),
        _ => None,
    };
    let headers = Headers::read(date, has_age, retry_after, NumericDate(local));
    if let Some(seconds) = headers.retry_after {
        // A clock that is no number says nothing.
        assert!((0.0..=9_007_199_254_740_991.0).contains(&seconds), "{seconds}");
        assert_eq!(seconds.fract(), 0.0, "fractions are rounded up");
    }
    match classify(Reply { status, headers, body }, &credentials(), NumericDate(local)) {
        Ok(token) => {
            assert_eq!(status, 200.0);
            assert!(token.life_s > 0.0 && token.life_s <= 86_400.0);
            assert!(token.exp.0.fract() == 0.0 && token.exp.0.abs() <= 9_007_199_254_740_991.0);
        }
        Err(error) => {
            assert_ne!(error.code, Code::InvalidOptions);
            assert_eq!(error.retry_after, headers.retry_after);
            assert_eq!(error.code == Code::Network, broken && status == 200.0);
            if status != 200.0 && status != 0.0 {
                assert!(error.code == Code::of_status(status) && error.status == Some(status));
            }
            if error.reason.is_some() {
                let reason = reason.unwrap();
                assert!(!reason.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()));
            }
        }
    }
});
