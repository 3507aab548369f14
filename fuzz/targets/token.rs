//! A token's claims are what a JWT says, whatever the text; a token that is taken keeps the rules.
#![no_main]

#[path = "../../tests/host/json.rs"]
#[allow(unused)]
mod json;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use digitalpaye_auth::time::NumericDate;
use digitalpaye_auth::token::{AccessToken, Claims, Clues, Fingerprint, is_b64token, life_on_arrival};
use json::Still;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: (&str, &[u8], f64, f64, Option<f64>, bool)| {
    let (text, payload, exp, local, date, aged) = data;
    let body = text.trim_end_matches('=');
    let grammar = !body.is_empty() && body.chars().all(|c| c.is_ascii_alphanumeric() || "-._~+/".contains(c));
    assert_eq!(is_b64token(text), grammar);

    for token in [String::from(text), format!("h.{}.s", URL_SAFE_NO_PAD.encode(payload))] {
        let claims = Claims::read(&token, &Still::default());
        for date in [claims.iat, claims.exp].into_iter().flatten() {
            assert!(date.0.is_finite());
        }
        let clues = Clues { date: date.map(NumericDate), aged, local: || NumericDate(local) };
        let taken = AccessToken::new(Some(token.clone()), Some(exp), |_, exp| life_on_arrival(exp, claims, clues));
        if let Ok(taken) = taken {
            assert!(taken.fingerprint == Fingerprint::of(&token) && is_b64token(&token));
            assert!(taken.exp.0 == exp && exp.fract() == 0.0);
            assert!(taken.life_s > 0.0 && taken.life_s <= 86_400.0);
            if let Some(iat) = claims.iat {
                assert!(taken.life_s <= exp - iat.0, "longer than it says itself");
            }
        }
    }
});
