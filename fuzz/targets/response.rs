//! Every reply is a token that keeps each rule, or an error by its status; none repeats the secret.
#![no_main]

#[path = "../../tests/host/json.rs"]
#[allow(unused)]
mod json;

use digitalpaye_auth::credentials::BasicCredentials;
use digitalpaye_auth::error::Code;
use digitalpaye_auth::response::{Body, Headers, Reply, classify};
use json::{Still, body};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use zeroize::Zeroizing;

const SECRET: &str = "open sesame";
static CREDENTIALS: LazyLock<BasicCredentials> = LazyLock::new(|| {
    BasicCredentials::new(Zeroizing::new(b"Aladdin".to_vec()), Zeroizing::new(SECRET.into())).unwrap()
});

fuzz_target!(|data: (u8, u16, f64, Option<&str>, bool, Option<&str>, &[u8])| {
    let (kind, status, local, date, aged, retry_after, text) = data;
    // Most are a 200 with a body of JSON.
    let status = if kind & 3 == 0 { f64::from(status) } else { 200.0 };
    let (body, reason) = match kind >> 5 {
        0 => (Body::TooLarge, None),
        1 => (Body::Broken, None),
        _ => body(text),
    };
    let platform = Still { local, reason: reason.clone().unwrap_or_default(), ..Still::default() };
    let headers = Headers::read(date, aged, retry_after, &platform);
    match classify(Reply { status, headers, body }, &CREDENTIALS, &platform) {
        Ok(token) => {
            assert_eq!(status, 200.0);
            assert!(token.life_s > 0.0 && token.life_s <= 86_400.0);
            assert!(token.exp.0.fract() == 0.0 && token.exp.0.abs() <= 9_007_199_254_740_991.0);
        }
        Err(error) => {
            assert_ne!(error.code, Code::InvalidOptions);
            if status != 200.0 && status != 0.0 {
                assert!(error.code == Code::of_status(status) && error.status == Some(status));
            }
            if let Some(reason) = reason.filter(|_| error.evidence && error.code != Code::Network) {
                assert!(!reason.contains(SECRET));
            }
            if let Some(seconds) = error.retry_after {
                assert!(seconds >= 0.0 && seconds.is_finite() || local.is_nan() || local.abs() > 1e15, "{seconds}");
            }
        }
    }
});
