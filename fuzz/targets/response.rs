//! Every reply is a token that keeps each rule, or an error by its status; none repeats the secret.
#![no_main]

#[path = "../../tests/host/json.rs"]
#[allow(unused)]
mod json;

use digitalpaye_auth::credentials::BasicCredentials;
use digitalpaye_auth::error::Code;
use digitalpaye_auth::json::Json;
use digitalpaye_auth::response::{Body, Headers, Reply, classify};
use digitalpaye_auth::time::NumericDate;
use digitalpaye_auth::token::is_b64token;
use json::Parsed;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use zeroize::Zeroizing;

const SECRET: &str = "open sesame";
static CREDENTIALS: LazyLock<BasicCredentials> = LazyLock::new(|| {
    BasicCredentials::new::<()>(Zeroizing::new("Aladdin".into()), Zeroizing::new(SECRET.into())).unwrap()
});

fuzz_target!(|data: (u8, u16, f64, Option<&str>, Option<&str>, Option<&str>, &[u8])| {
    let (kind, status, local, date, age, retry_after, body) = data;
    // Most are a 200 with a body of JSON.
    let status = if kind & 3 == 0 { f64::from(status) } else { 200.0 };
    let local = NumericDate(local);
    let headers = Headers::read(date, age, retry_after, local);
    let body = match kind >> 5 {
        0 => Body::TooLarge,
        1 => Body::Broken(Parsed::parse(b"1").unwrap()),
        _ => Parsed::parse(body).map_or(Body::NotJson, Body::Json),
    };
    match classify(Reply { status, headers, body }, &CREDENTIALS, local) {
        Ok(token) => {
            assert!(status == 200.0 && is_b64token(&token.token));
            assert!(token.life_s > 0.0 && token.life_s <= 86_400.0);
            assert!(token.exp.0.fract() == 0.0 && token.exp.0.abs() <= 9_007_199_254_740_991.0);
        }
        Err(error) => {
            assert_ne!(error.code, Code::InvalidOptions);
            if status != 200.0 && status != 0.0 {
                assert!(error.code == Code::of_status(status) && error.status == Some(status));
            }
            if let Some(reason) = &error.reason {
                assert!(!reason.string().unwrap().contains(SECRET));
            }
            if let Some(seconds) = error.retry_after {
                assert!(seconds >= 0.0 && seconds.is_finite() || local.0.is_nan() || local.0.abs() > 1e15, "{seconds}");
            }
        }
    }
});
