//! Tokens: how long they are good, and for what.

#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics has failed, which is what it is for; each suite uses some of the common parts"
)]

mod common;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::start;
use digitalpaye_sandbox::{Config, Credentials, Server};
use serde_json::Value;

const REFUSED: &str = r#"{"statusCode":401,"message":"UnauthorizedError","reason":"Identifiants API incorrects. Veuillez vérifier votre clé API et votre secret."}"#;

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

fn claims(token: &str) -> Value {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice(&claims).unwrap()
}

#[tokio::test]
async fn a_minted_token_opens_the_resource() {
    let api = start(Config::default()).await;
    let token = api.token().await;
    let reply = api.balance(&token).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.text(), r#"{"statusCode":200,"message":"Successful","data":{"balance":125000,"currency":"XOF"}}"#);
    let lower_case = format!("bearer {token}");
    assert_eq!(api.call("GET", "/v1/balance", &[("Authorization", &lower_case)], "").await.status, 200);
}

#[tokio::test]
async fn anything_else_does_not() {
    let api = start(Config::default()).await;
    let token = api.token().await;
    let another = start(Config::default()).await.token().await;
    let cut = &token[..token.len() - 1];
    let (right, basic) = (format!("Bearer {token}"), format!("Basic {token}"));
    let (another, cut, spaced) = (format!("Bearer {another}"), format!("Bearer {cut}"), format!("Bearer {token} x"));
    for headers in [
        &[][..],
        &[("Authorization", "Bearer")],
        &[("Authorization", "Bearer x")],
        &[("Authorization", basic.as_str())],
        &[("Authorization", another.as_str())],
        &[("Authorization", cut.as_str())],
        &[("Authorization", spaced.as_str())],
        &[("Authorization", right.as_str()), ("Authorization", right.as_str())],
    ] {
        for method in ["GET", "POST"] {
            let reply = api.call(method, "/v1/balance", headers, "").await;
            assert_eq!((reply.status, reply.text()), (401, REFUSED), "{method} {headers:?}");
        }
    }
}

#[tokio::test]
async fn a_body_sent_to_the_resource_comes_back() {
    let api = start(Config::default()).await;
    let authorization = format!("Bearer {}", api.token().await);
    for (body, received) in [("", ""), ("a=1&b=\"é\"\n", "a=1&b=\"é\"\n")] {
        let reply = api.call("POST", "/v1/balance", &[("Authorization", &authorization)], body).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.json()["data"]["length"], body.len());
        assert_eq!(reply.json()["data"]["received"], received);
    }
}

#[tokio::test]
async fn a_token_is_good_until_its_exp_and_not_from_then_on() {
    let api = start(Config { lifetime: 2, ..Config::default() }).await;
    let token = api.token().await;
    let exp = claims(&token)["exp"].as_f64().unwrap();
    assert_eq!(claims(&token)["iat"], exp as i64 - 2);
    let mut good = 0;
    loop {
        let before = now();
        let status = api.balance(&token).await.status;
        let after = now();
        match status {
            200 => assert!(before < exp, "accepted at {before}, exp {exp}"),
            401 => {
                assert!(after >= exp, "refused at {after}, exp {exp}");
                break;
            }
            other => panic!("{other}"),
        }
        good += 1;
        assert!(after < exp + 1.0, "never refused");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(good > 10, "{good}");
}

#[tokio::test]
async fn leeway_accepts_a_token_past_its_exp() {
    let api = start(Config { lifetime: -1, ..Config::default() }).await;
    let token = api.token().await;
    assert_eq!(api.balance(&token).await.status, 401);
    api.config(r#"{"leewayMs":60000}"#).await;
    assert_eq!(api.balance(&token).await.status, 200);
}

#[tokio::test]
async fn a_revoked_token_is_refused_and_the_others_are_not() {
    let api = start(Config { distinct_tokens: true, ..Config::default() }).await;
    let (first, second) = (api.token().await, api.token().await);
    let revoked = api.control("POST", "/revoke", &format!(r#"{{"token":"{first}"}}"#)).await;
    assert_eq!(revoked["revoked"], 1);
    assert_eq!(api.balance(&first).await.status, 401);
    assert_eq!(api.balance(&second).await.status, 200);
    assert_eq!(api.control("POST", "/revoke", "").await["revoked"], 1);
    assert_eq!(api.balance(&second).await.status, 401);
    assert_eq!(api.control("POST", "/revoke", "").await["revoked"], 0);
    let third = api.token().await;
    assert_eq!(api.balance(&third).await.status, 200);
}

#[tokio::test]
async fn two_tokens_of_one_second_are_one_unless_distinct_ones_are_asked_for() {
    let api = start(Config::default()).await;
    let same = async || {
        for _ in 0..20 {
            let (first, second) = (api.token().await, api.token().await);
            if claims(&first)["iat"] == claims(&second)["iat"] {
                return first == second;
            }
        }
        panic!("never twice in one second");
    };
    assert!(same().await);
    api.config(r#"{"distinctTokens":true}"#).await;
    assert!(!same().await);
    let tokens = [api.token().await, api.token().await, api.token().await];
    assert!(tokens.iter().all(|token| (api.signed)(token)));
    assert!(tokens.iter().any(|token| claims(token)["jti"].is_string()));
    api.config(r#"{"distinctTokens":false,"opaque":true}"#).await;
    assert_ne!(api.token().await, api.token().await);
}

#[tokio::test]
async fn an_opaque_token_is_a_b64token_and_no_jwt() {
    let api = start(Config { opaque: true, ..Config::default() }).await;
    let reply = api.auth().await;
    let token = reply.json()["data"]["token"].as_str().unwrap().to_owned();
    assert_eq!(token.len(), 43);
    assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{token}");
    assert!(reply.json()["data"]["exp"].as_f64().unwrap() > now() + 590.0);
    assert_eq!(api.balance(&token).await.status, 200);
}

#[tokio::test]
async fn the_clock_can_be_shifted_and_hidden() {
    for offset in [3600, -3600] {
        let api = start(Config { clock_offset: offset, ..Config::default() }).await;
        let reply = api.auth().await;
        let token = reply.json()["data"]["token"].as_str().unwrap().to_owned();
        let date = httpdate::parse_http_date(reply.header("date").unwrap()).unwrap();
        let shifted = now() + offset as f64;
        let date = date.duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        for (what, time) in [("iat", claims(&token)["iat"].as_f64().unwrap()), ("date", date)] {
            assert!((shifted - 10.0..=shifted).contains(&time), "{what} {time}, expected {shifted}");
        }
        assert_eq!(api.balance(&token).await.status, 200);
        api.config(r#"{"date":false}"#).await;
        assert_eq!(api.auth().await.header("date"), None);
    }
}

#[tokio::test]
async fn a_token_that_is_minted_dead_is_refused() {
    for lifetime in [0, -3600] {
        let api = start(Config { lifetime, ..Config::default() }).await;
        let token = api.token().await;
        assert_eq!(api.balance(&token).await.status, 401);
    }
}

#[tokio::test]
async fn settings_are_shown_changed_together_and_reset() {
    let api = start(Config { lifetime: 5, ..Config::default() }).await;
    let before = api.control("GET", "/config", "").await;
    assert_eq!(before["lifetime"], 5);
    assert_eq!(before["apiKey"], "sandbox_key");
    assert!(!before.to_string().contains("sandbox_secret"), "{before}");
    for wrong in [
        r#"{"lifetime":1,"life":2}"#,
        r#"{"lifetime":7.5}"#,
        r#"{"lifetime":1,"latencyMs":600001}"#,
        r#"{"lifetime":1,"leewayMs":600001}"#,
        r#"{"lifetime":1,"clockOffset":1000000001}"#,
        r#"{"lifetime":-1000000001}"#,
        r#"{"lifetime":1,"apiKey":"a:b"}"#,
        r#"{"lifetime":1,"apiSecret":""}"#,
        r#"{"lifetime":1,"exposeHeaders":["a b"]}"#,
        "",
    ] {
        let reply = api.call("POST", "/_sandbox/config", &[], wrong).await;
        assert_eq!(reply.status, 400, "{wrong}");
        assert!(reply.json()["error"].is_string(), "{wrong}");
    }
    assert_eq!(api.control("GET", "/config", "").await, before);

    let token = api.token().await;
    let changed = r#"{"apiKey":"k","apiSecret":"s:","lifetime":9}"#;
    assert_eq!(api.control("POST", "/config", changed).await["lifetime"], 9);
    assert_eq!(api.auth().await.status, 401);
    let basic = common::basic("k:s:");
    assert_eq!(api.call("POST", "/v1/auth", &[("Authorization", &basic)], "").await.status, 200);
    api.script(r#"[{"status":503}]"#).await;

    api.control("POST", "/reset", "").await;
    assert_eq!(api.control("GET", "/config", "").await, before);
    assert_eq!(api.control("GET", "/script", "").await["left"], 0);
    assert!(api.records().await.is_empty());
    assert_eq!(api.balance(&token).await.status, 401);
    assert_eq!(api.auth().await.status, 200);
}

#[tokio::test]
async fn settings_that_could_not_be_kept_do_not_start() {
    for config in [
        Config { lifetime: i64::MAX, ..Config::default() },
        Config { clock_offset: i64::MIN, ..Config::default() },
        Config { expose_headers: vec![String::new()], ..Config::default() },
    ] {
        let error = Server::bind(([127, 0, 0, 1], 0).into(), config, false).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    }
    for (key, secret) in [("", "s"), ("k", ""), ("a:b", "s"), ("a\nb", "s"), ("k", "s\u{7f}")] {
        assert!(Credentials::new(key, secret).is_err(), "{key:?} {secret:?}");
    }
    let shown = format!("{:?}", Credentials::new("a key", "a secret").unwrap());
    assert!(shown.contains("a key") && !shown.contains("a secret"), "{shown}");
}
