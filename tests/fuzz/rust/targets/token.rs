//! A token's claims are what a JWT says, whatever the text; a token that is taken keeps the rules.
#![no_main]

#[path = "../../../host/json.rs"]
#[allow(unused)]
mod json;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use digitalpaye_auth::time::NumericDate;
use digitalpaye_auth::token::{AccessToken, ExpirySources, Fingerprint, is_b64token, life_left};
use json::claims;
use libfuzzer_sys::fuzz_target;
use zeroize::Zeroizing;

fuzz_target!(|data: (&str, &[u8], f64, f64, Option<f64>, bool, Option<f64>)| {
    let (text, payload, exp, local, date, has_age, ttl_s) = data;
    let body = text.trim_end_matches('=');
    let grammar = !body.is_empty() && body.chars().all(|c| c.is_ascii_alphanumeric() || "-._~+/".contains(c));
    assert_eq!(is_b64token(text), grammar);

    for token in [String::from(text), format!("h.{}.s", URL_SAFE_NO_PAD.encode(payload))] {
        let claims = claims(&token);
        for date in [claims.iat, claims.exp].into_iter().flatten() {
            assert!(date.0.is_finite());
        }
        let local = NumericDate(local);
        let sources = ExpirySources { claims, date: date.map(NumericDate), has_age, local };
        let read = AccessToken::new(Some(Zeroizing::new(token.clone())), Some(exp), |exp| sources.life_on_arrival(exp));
        let stored = life_left(NumericDate(exp), claims, ttl_s, local)
            .and_then(|left| AccessToken::new(Some(Zeroizing::new(token.clone())), Some(exp), |_| left));
        if let (Ok(stored), Some(ttl_s)) = (&stored, ttl_s) {
            assert!(stored.life_s <= ttl_s, "longer than the store says");
        }
        for taken in [read, stored].into_iter().flatten() {
            assert!(taken.fingerprint == Fingerprint::of(&token) && is_b64token(&token));
            assert!(taken.exp.0 == exp && exp.fract() == 0.0);
            assert!(taken.life_s > 0.0 && taken.life_s <= 86_400.0);
            if let Some(iat) = claims.iat {
                assert!(taken.life_s <= exp - iat.0, "longer than it says itself");
            }
        }
    }
});
