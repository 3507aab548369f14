use crate::json::body;
use digitalpaye_auth::credentials::{BasicCredentials, UserId};
use digitalpaye_auth::error::{AuthError, Code, Foreign};
use digitalpaye_auth::response::{Body, Headers, Reply, classify};
use digitalpaye_auth::time::NumericDate;
use digitalpaye_auth::token::AccessToken;
use proptest::prelude::*;
use zeroize::Zeroizing;

const LOCAL: NumericDate = NumericDate(1_728_634_203.0);
const SAMPLE: &str = r#"{
"statusCode": 200,
"message": "Successful",
"data": {
"token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJjb21wYW55SWQiOiI4NDM3ZGQxMy04OWFjLTQ1ZTEtYTdhYS1jOGJhMDk1ZDFiMjciLCJpYXQiOjE3Mjg2MzQyMDMsImV4cCI6MTcyODYzNDgwM30.A3-AD5mGawbhv9nUmio0k7c-hhx5K7lqnuPFCziJJqE",
"exp": 1728634803
}
}"#;

fn credentials() -> BasicCredentials {
    BasicCredentials::new(UserId::new(Zeroizing::new("Aladdin".into())).unwrap(), Zeroizing::new("open sesame".into()))
        .unwrap()
}

fn reply(status: f64, body: Body) -> Result<AccessToken, Box<AuthError>> {
    classify(Reply { status, headers: Headers::default(), body }, &credentials(), LOCAL)
}

fn json(status: f64, text: &str) -> Result<AccessToken, Box<AuthError>> {
    reply(status, body(text.as_bytes()))
}

fn words(error: &AuthError) -> Option<&str> {
    error.reason.as_ref().map(|reason| reason.get::<String>().unwrap().as_str())
}

#[test]
fn the_pages_four_responses() {
    let token = json(200.0, SAMPLE).unwrap();
    assert_eq!((token.exp, token.life_s), (NumericDate(1_728_634_803.0), 600.0));
    for (status, code, reason) in [
        (400.0, Code::BadRequest, "Les identifiants API (apikey et apisecret) sont requis."),
        (401.0, Code::Unauthorized, "Identifiants API incorrects. Veuillez vérifier votre clé API et votre secret."),
        (500.0, Code::InternalServerError, "Une erreur est survenue. Veuillez réessayer"),
    ] {
        let error =
            json(status, &format!(r#"{{"statusCode":{status},"message":"x","reason":"{reason}"}}"#)).unwrap_err();
        assert_eq!((error.code, error.status, words(&error)), (code, Some(status), Some(reason)));
    }
}

#[test]
fn the_status_decides_whatever_the_body_is() {
    for body in [Body::NotJson, Body::TooLarge, Body::Broken(Foreign::new(7)), body(SAMPLE.as_bytes())] {
        let error = reply(502.0, body).unwrap_err();
        assert_eq!((error.code, error.status, error.cause.is_some()), (Code::InternalServerError, Some(502.0), false));
    }
}

/// A page gets an opaque redirect, whose status is 0: no HTTP status.
#[test]
fn a_redirect_that_hides_its_status() {
    let error = reply(0.0, Body::NotJson).unwrap_err();
    assert_eq!((error.code, error.status), (Code::UnexpectedStatus, None));
    assert_eq!(json(200.0, r#"{"statusCode":0}"#).unwrap_err().status, Some(0.0), "the API's own word counts");
}

#[test]
fn a_200_is_decided_by_its_body() {
    for (text, code, status) in [
        (r#"{"statusCode":401,"reason":"r"}"#, Code::Unauthorized, Some(401.0)),
        (r#"{"statusCode":503}"#, Code::InternalServerError, Some(503.0)),
        (r#"{"statusCode":201}"#, Code::UnexpectedStatus, Some(201.0)),
        (r#"{"statusCode":200}"#, Code::InvalidResponse, Some(200.0)),
        (r#"{"statusCode":401.5}"#, Code::InvalidResponse, Some(200.0)),
        (r#"{"statusCode":"401"}"#, Code::InvalidResponse, Some(200.0)),
        (r#"{"data":null}"#, Code::InvalidResponse, Some(200.0)),
        (r#"{"data":[]}"#, Code::InvalidResponse, Some(200.0)),
        (r#"{"data":{"token":"t"}}"#, Code::InvalidResponse, Some(200.0)),
        (r#"{"data":{"token":1,"exp":1728634803}}"#, Code::InvalidResponse, Some(200.0)),
        (r#"{"data":{"token":"t","exp":"1728634803"}}"#, Code::InvalidResponse, Some(200.0)),
        ("null", Code::InvalidResponse, Some(200.0)),
        ("[]", Code::InvalidResponse, Some(200.0)),
        ("", Code::InvalidResponse, Some(200.0)),
    ] {
        let error = json(200.0, text).unwrap_err();
        assert_eq!((error.code, error.status), (code, status), "{text}");
    }
    assert_eq!(reply(200.0, Body::TooLarge).unwrap_err().code, Code::InvalidResponse);
    let broken = reply(200.0, Body::Broken(Foreign::new(7))).unwrap_err();
    assert_eq!((broken.code, broken.status), (Code::Network, Some(200.0)));
    assert_eq!(broken.cause.unwrap().get(), Some(&7), "the very value");
    assert!(json(200.0, r#"{"data":{"token":"t","exp":1728634803}}"#).is_ok(), "statusCode may be left out");
}

#[test]
fn a_reason_that_repeats_the_credentials_is_left_out() {
    for reason in ["you sent open sesame", "bad: QWxhZGRpbjpvcGVuIHNlc2FtZQ=="] {
        assert!(json(401.0, &format!(r#"{{"reason":"{reason}"}}"#)).unwrap_err().reason.is_none());
    }
    assert!(json(401.0, r#"{"reason":7}"#).unwrap_err().reason.is_none());
}

#[test]
fn headers_are_read_as_http_has_them() {
    let read = |date, retry_after| Headers::read(date, false, retry_after, LOCAL).retry_after;
    let date = Some("Fri, 11 Oct 2024 08:10:03 GMT");
    assert_eq!(read(None, Some("120")), Some(120.0));
    assert_eq!(read(None, Some(" 0 ")), Some(0.0));
    assert_eq!(read(date, Some("Fri, 11 Oct 2024 08:10:13 GMT")), Some(10.0));
    assert_eq!(read(date, Some("Fri, 11 Oct 2024 08:00:00 GMT")), Some(0.0));
    assert_eq!(read(None, Some("Fri, 11 Oct 2024 08:20:03 GMT")), Some(600.0), "against the local clock");
    for garbage in
        ["", "-5", "1e3", "soon", "٣", ".", "1.", ".5", "1.5.5", "1.x", ",5", "Fri, 11 Oct 2024 08:10:13 CET", "GMT"]
    {
        assert_eq!(read(date, Some(garbage)), None, "{garbage}");
    }
    let long = "9".repeat(400);
    assert!(read(None, Some(&long)).is_some_and(|seconds| seconds == 9_007_199_254_740_991.0));
    // Fractions are rounded up, and the first of several counts, dates with their own comma included.
    for (text, seconds) in [
        ("1.5", 2.0),
        ("0.001", 1.0),
        ("3.0", 3.0),
        ("2.000", 2.0),
        ("5, 10", 5.0),
        ("5 , 10", 5.0),
        ("0.5, 9", 1.0),
        ("\t7 ", 7.0),
        ("5, Fri, 11 Oct 2024 08:10:13 GMT", 5.0),
        ("Fri, 11 Oct 2024 08:10:13 GMT, Fri, 11 Oct 2024 09:10:13 GMT", 10.0),
        ("Fri, 11 Oct 2024 08:10:13 GMT, 99", 10.0),
        ("Friday, 11-Oct-24 08:10:13 GMT", 10.0),
        ("Fri Oct 11 08:10:13 2024", 10.0),
    ] {
        assert_eq!(read(date, Some(text)), Some(seconds), "{text}");
    }
    let headers = Headers { retry_after: Some(3.0), ..Headers::default() };
    let body = Body::NotJson;
    assert_eq!(
        classify(Reply { status: 503.0, headers, body }, &credentials(), LOCAL).unwrap_err().retry_after,
        Some(3.0)
    );
}

#[test]
fn a_401_says_what_may_be_wrong_with_the_credentials() {
    let refused = |password: &str, status| {
        let user_id = UserId::new(Zeroizing::new("kangaroo".into())).unwrap();
        let credentials = BasicCredentials::new(user_id, Zeroizing::new(password.into())).unwrap();
        let reply = Reply { status, headers: Headers::default(), body: Body::NotJson };
        classify(reply, &credentials, LOCAL).unwrap_err()
    };
    let error = refused("wallaby\u{feff}", 401.0);
    assert_eq!(error.message, "the API refused these credentials; apiSecret ends with an invisible character");
    let shown = format!("{error:?}");
    assert!(!shown.contains("wallaby") && !shown.contains("kangaroo"), "{shown}");
    assert_eq!(refused("wallaby", 401.0).message, "the API refused these credentials");
    assert!(!refused("wallaby ", 403.0).message.contains("space"), "only where it may be the reason");
}

#[test]
fn a_token_past_its_end_and_one_that_never_was() {
    let expired = r#"{"data":{"token":"t","exp":1728634203}}"#;
    assert_eq!(json(200.0, expired).unwrap_err().message, "the token was already past its exp when it was sent");
    let day = |seconds: f64| json(200.0, &format!(r#"{{"data":{{"token":"t","exp":{}}}}}"#, LOCAL.0 + seconds));
    assert!(day(86_400.0).is_ok());
    assert_eq!(day(86_401.0).unwrap_err().message, "the token is to live for more than 24 hours");
}

#[test]
fn debug_shows_no_token_and_no_reason() {
    let shown = format!("{:?}", body(br#"{"reason":"wallaby","data":{"token":"kangaroo"}}"#));
    assert!(!shown.contains("wallaby") && !shown.contains("kangaroo"), "{shown}");
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::{Value, json};
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        let name = prop_oneof!["statusCode", "data", "token", "exp", "reason", any::<String>()];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((name, inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn every_reply_classifies(status in prop_oneof![Just(200.0), 0.0..700.0_f64, any::<f64>()], value in any_json(), date in any::<Option<String>>(), retry_after in any::<Option<String>>()) {
        let headers = Headers::read(date.as_deref(), false, retry_after.as_deref(), LOCAL);
        let body = body(value.to_string().as_bytes());
        match classify(Reply { status, headers, body }, &credentials(), LOCAL) {
            Ok(token) => prop_assert!(status == 200.0 && token.life_s > 0.0 && token.life_s <= 86_400.0),
            Err(error) => {
                prop_assert!(error.code != Code::InvalidOptions && error.code != Code::Network && error.code != Code::Timeout);
                prop_assert_eq!(error.status.is_none(), status == 0.0);
                if status != 200.0 && status != 0.0 && !status.is_nan() {
                    prop_assert_eq!(error.status, Some(status));
                    prop_assert_eq!(error.code, Code::of_status(status));
                }
            }
        }
    }
}
