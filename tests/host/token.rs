use crate::json::claims;
use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use digitalpaye_auth::jwt::Claims;
use digitalpaye_auth::time::NumericDate;
use digitalpaye_auth::token::{AccessToken, ExpirySources, Unusable, is_b64token, life_left};
use proptest::prelude::*;
use zeroize::Zeroizing;

/// The page's own sample: `iat` 1728634203, `exp` 1728634803.
const SAMPLE: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJjb21wYW55SWQiOiI4NDM3ZGQxMy04OWFjLTQ1ZTEtYTdhYS1jOGJhMDk1ZDFiMjciLCJpYXQiOjE3Mjg2MzQyMDMsImV4cCI6MTcyODYzNDgwM30.A3-AD5mGawbhv9nUmio0k7c-hhx5K7lqnuPFCziJJqE";

#[test]
fn the_sample_lives_for_600_s_by_its_own_claims_whatever_our_clock_says() {
    let claims = claims(SAMPLE);
    assert_eq!((claims.iat, claims.exp), (Some(NumericDate(1_728_634_203.0)), Some(NumericDate(1_728_634_803.0))));
    for local in [0.0, 1_728_634_500.0, 4e9] {
        let sources = ExpirySources { claims, date: None, has_age: false, local: NumericDate(local) };
        assert_eq!(sources.life_on_arrival(NumericDate(1_728_634_803.0)), 600.0);
    }
}

#[test]
fn the_least_of_what_can_be_read() {
    let at = |seconds| Some(NumericDate(seconds));
    let life = |claims, (date, has_age)| {
        ExpirySources { claims, date, has_age, local: NumericDate(90.0) }.life_on_arrival(NumericDate(160.0))
    };
    let opaque = Claims::default();
    // (iat, exp) of the JWT, Date, Age → life
    assert_eq!(life(Claims { iat: at(100.0), exp: at(160.0) }, (None, false)), 60.0);
    assert_eq!(life(Claims { iat: at(100.0), exp: at(130.0) }, (None, false)), 30.0);
    assert_eq!(life(Claims { iat: at(100.0), exp: at(900.0) }, (None, false)), 60.0);
    assert_eq!(life(Claims { iat: at(100.0), exp: None }, (None, false)), 60.0);
    assert_eq!(life(Claims { iat: at(100.0), exp: at(160.0) }, (at(140.0), false)), 20.0);
    assert_eq!(life(Claims { iat: at(100.0), exp: at(160.0) }, (at(140.0), true)), 60.0);
    assert_eq!(life(Claims { iat: at(100.0), exp: at(160.0) }, (at(50.0), false)), 60.0);
    assert_eq!(life(opaque, (at(140.0), false)), 20.0);
    // Only our own clock is left.
    assert_eq!(life(opaque, (at(140.0), true)), 70.0);
    assert_eq!(life(opaque, (None, false)), 70.0);
    assert_eq!(life(Claims { iat: None, exp: at(100.0) }, (None, false)), 70.0);
}

/// A gateway's clock that is wrong by less than a day would leave no life to any token.
#[test]
fn a_wrong_date_is_not_believed_and_an_old_token_is() {
    let at = |seconds| Some(NumericDate(seconds));
    let iat = 1_000_000.0;
    let life = |date, jwt: bool, life_s| {
        let exp = NumericDate(iat + life_s);
        let claims = if jwt { Claims { iat: at(iat), exp: Some(exp) } } else { Claims::default() };
        ExpirySources { claims, date: at(date), has_age: false, local: NumericDate(0.0) }.life_on_arrival(exp)
    };
    assert_eq!(life(iat + 600.0, true, 600.0), 600.0, "no life left at all");
    assert_eq!(life(iat + 3_600.0, true, 600.0), 600.0);
    assert_eq!(life(iat + 86_399.0, true, 600.0), 600.0);
    assert!(life(iat + 86_400.0, true, 600.0) < 0.0, "a day: the token is an old one");
    assert!(life(iat + 1e7, true, 600.0) < 0.0);
    assert_eq!(life(iat + 599.0, true, 600.0), 1.0, "some life is left: believed");
    assert_eq!(life(iat - 86_400.0, true, 600.0), 600.0, "a clock that is behind takes nothing away");
    assert!(life(iat + 600.0, false, 600.0) <= 0.0, "nothing contradicts it");
}

#[test]
fn why_something_is_no_token() {
    let make = |life| AccessToken::new(Some(Zeroizing::new("t".into())), Some(1.0), |_| life).unwrap_err();
    assert_eq!((make(0.0), make(-1.0), make(f64::NAN)), (Unusable::Ended, Unusable::Ended, Unusable::Ended));
    assert!(matches!(make(86_400.5), Unusable::Broken(_)));
}

#[test]
fn a_stores_token_has_what_the_store_says_and_no_more_than_its_life() {
    let at = |seconds| Some(NumericDate(seconds));
    let left = |claims, ttl_s, local| life_left(NumericDate(160.0), claims, ttl_s, NumericDate(local));
    let opaque = Claims::default();
    let whole = Claims { iat: at(100.0), exp: at(160.0) };
    assert_eq!(left(opaque, Some(50.0), 0.0), Ok(50.0));
    assert_eq!(left(opaque, Some(86_400.0), 0.0), Ok(86_400.0));
    assert_eq!(left(opaque, None, 130.0), Ok(30.0), "by our own clock");
    assert_eq!(left(whole, Some(50.0), 0.0), Ok(50.0));
    assert_eq!(left(whole, Some(500.0), 0.0), Ok(60.0));
    assert_eq!(left(whole, None, 0.0), Ok(60.0), "a clock that is behind");
    for ttl_s in [0.0, -1.0, 86_400.1, f64::INFINITY, f64::NAN] {
        assert!(matches!(left(whole, Some(ttl_s), 0.0), Err(Unusable::Broken(_))), "{ttl_s}");
    }
    assert!(left(whole, None, f64::NAN).unwrap().is_nan(), "and refused for that");
}

#[test]
fn a_token_keeps_every_rule() {
    let make = |token: Option<&str>, exp, life| {
        AccessToken::new(token.map(|token| Zeroizing::new(token.into())), exp, |_| life)
    };
    assert!(make(Some("t"), Some(1.0), 1.0).is_ok());
    assert!(make(Some("t"), Some(1.0), 86_400.0).is_ok());
    for (token, exp, life) in [
        (None, Some(1.0), 1.0),
        (Some(""), Some(1.0), 1.0),
        (Some("=="), Some(1.0), 1.0),
        (Some("a b"), Some(1.0), 1.0),
        (Some("a\r\nX: y"), Some(1.0), 1.0),
        (Some("é"), Some(1.0), 1.0),
        (Some("t"), None, 1.0),
        (Some("t"), Some(1.5), 1.0),
        (Some("t"), Some(f64::INFINITY), 1.0),
        (Some("t"), Some(1.0), 0.0),
        (Some("t"), Some(1.0), -1.0),
        (Some("t"), Some(1.0), 86_400.5),
        (Some("t"), Some(1.0), f64::NAN),
    ] {
        assert!(make(token, exp, life).is_err(), "{token:?} {exp:?} {life}");
    }
}

#[test]
fn what_is_no_jwt_has_no_claims() {
    let payload = |text: &str| format!("h.{}.s", URL_SAFE_NO_PAD.encode(text));
    for token in [
        String::from("opaque"),
        String::from("a.b"),
        String::from("a.b.c"),
        String::from("a.b.c.d"),
        payload("not json"),
        payload("[1,2]"),
        payload(r#"{"iat":"100","exp":null}"#),
        payload(r#"{"iat":{}}"#),
        format!("h.{}.s", URL_SAFE_NO_PAD.encode([0xff, 0xfe])),
    ] {
        let claims = claims(&token);
        assert!(claims.iat.is_none() && claims.exp.is_none(), "{token}");
    }
    // Padding is not of RFC 7515, and harmless.
    assert_eq!(claims(&format!("h.{}.s", URL_SAFE.encode(r#"{"iat":7}"#))).iat, Some(NumericDate(7.0)));
    assert_eq!(claims(&payload(r#"{"iat":7.5,"exp":-1}"#)).iat, Some(NumericDate(7.5)));
}

#[test]
fn debug_does_not_show_the_token() {
    let token = AccessToken::new(Some(Zeroizing::new("wallaby".into())), Some(1.0), |_| 1.0).unwrap();
    assert!(!format!("{token:#?}").contains("wallaby"));
}

proptest! {
    #[test]
    fn b64token_is_the_grammar_of_rfc_6750(text in "[A-Za-z0-9\\-._~+/= é\n]{0,12}") {
        let body = text.trim_end_matches('=');
        let grammar = !body.is_empty() && body.chars().all(|c| c.is_ascii_alphanumeric() || "-._~+/".contains(c));
        prop_assert_eq!(is_b64token(&text), grammar);
    }

    #[test]
    fn no_token_panics(token in any::<String>(), payload in any::<Vec<u8>>()) {
        let _ = claims(&token);
        let _ = claims(&format!("h.{}.s", URL_SAFE_NO_PAD.encode(payload)));
    }

    #[test]
    fn a_clock_that_is_wrong_by_any_amount_changes_nothing_while_the_server_can_be_read(
        iat in 1.0e9..2.0e9_f64, life in 1.0..80_000.0_f64, off in -1.0e6..1.0e6_f64, dated in any::<bool>(), jwt in any::<bool>(),
    ) {
        prop_assume!(dated || jwt);
        let exp = NumericDate(iat + life);
        let claims = if jwt { Claims { iat: Some(NumericDate(iat)), exp: Some(exp) } } else { Claims::default() };
        let date = dated.then_some(NumericDate(iat));
        let life = |local| ExpirySources { claims, date, has_age: false, local: NumericDate(local) }.life_on_arrival(exp);
        prop_assert_eq!(life(iat), life(iat + off));
    }
}
