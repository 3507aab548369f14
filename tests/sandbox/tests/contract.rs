//! The page's own answers, to the byte, and what brings them about.

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

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::{Api, BASIC, Reply, basic, start, start_for};
use digitalpaye_sandbox::Config;

const MISSING: &str = r#"{"statusCode":400,"message":"BadRequestError","reason":"Les identifiants API (apikey et apisecret) sont requis."}"#;
const WRONG: &str = r#"{"statusCode":401,"message":"UnauthorizedError","reason":"Identifiants API incorrects. Veuillez vérifier votre clé API et votre secret."}"#;
const FAILED: &str =
    r#"{"statusCode":500,"message":"InternalServerError","reason":"Une erreur est survenue. Veuillez réessayer"}"#;

async fn auth_with(api: &Api, authorization: &str) -> Reply {
    api.call("POST", "/v1/auth", &[("Authorization", authorization)], "").await
}

fn part(token: &str, number: usize) -> String {
    let part = token.split('.').nth(number).unwrap();
    String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn the_200_is_that_of_the_page() {
    let api = start(Config::default()).await;
    let reply = api.auth().await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("application/json; charset=utf-8"));
    assert!(reply.whole);
    let token = reply.json()["data"]["token"].as_str().unwrap().to_owned();
    let exp = reply.json()["data"]["exp"].as_i64().unwrap();
    assert_eq!(
        reply.text(),
        format!(r#"{{"statusCode":200,"message":"Successful","data":{{"token":"{token}","exp":{exp}}}}}"#)
    );
    assert_eq!(token.split('.').count(), 3);
    // The very header of the page's sample.
    assert!(token.starts_with("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."), "{token}");
    assert_eq!(part(&token, 0), r#"{"alg":"HS256","typ":"JWT"}"#);
    assert_eq!(
        part(&token, 1),
        format!(r#"{{"companyId":"00000000-0000-4000-8000-000000000000","iat":{},"exp":{exp}}}"#, exp - 600)
    );
    assert!((api.signed)(&token));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let iat = u64::try_from(exp - 600).unwrap();
    assert!((now - 10..=now).contains(&iat), "iat {iat}, now {now}");
}

#[tokio::test]
async fn missing_credentials_get_the_400_of_the_page() {
    let api = start(Config::default()).await;
    let nothing = api.call("POST", "/v1/auth", &[], "").await;
    assert_eq!((nothing.status, nothing.text()), (400, MISSING));
    let (no_key, no_secret, neither) = (basic(":secret"), basic("key:"), basic(":"));
    for authorization in ["Basic", "Basic ", "Bearer abc", "Basically", &no_key, &no_secret, &neither] {
        let reply = auth_with(&api, authorization).await;
        assert_eq!((reply.status, reply.text()), (400, MISSING), "{authorization:?}");
    }
}

#[tokio::test]
async fn wrong_credentials_get_the_401_of_the_page() {
    let api = start(Config::default()).await;
    for wrong in [
        basic("sandbox_key:another"),
        basic("another:sandbox_secret"),
        basic("sandbox_key:sandbox_secret "),
        basic("SANDBOX_KEY:sandbox_secret"),
        basic("no colon"),
        basic(b"sandbox_key:\xff\xfe"),
        "Basic not base64!".to_owned(),
        BASIC.1.trim_end_matches('=').to_owned(),
    ] {
        let reply = auth_with(&api, &wrong).await;
        assert_eq!((reply.status, reply.text()), (401, WRONG), "{wrong:?}");
        assert_eq!(reply.header("www-authenticate"), None);
    }
    let twice = api.call("POST", "/v1/auth", &[BASIC, BASIC], "").await;
    assert_eq!((twice.status, twice.text()), (401, WRONG));
}

#[tokio::test]
async fn the_examples_of_rfc_7617_are_right() {
    let api = start_for("Aladdin", "open sesame").await;
    assert_eq!(auth_with(&api, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==").await.status, 200);
    assert_eq!(auth_with(&api, "Basic dGVzdDoxMjPCow==").await.status, 401);

    let api = start_for("test", "123£").await;
    assert_eq!(auth_with(&api, "Basic dGVzdDoxMjPCow==").await.status, 200);
    // The same password in Latin-1.
    assert_eq!(auth_with(&api, &basic(b"test:123\xa3")).await.status, 401);
}

#[tokio::test]
async fn the_first_colon_parts_key_from_secret_and_the_scheme_has_any_case() {
    let api = start_for("clé", "a:b:: ").await;
    for scheme in ["Basic", "basic", "BASIC", "Basic  "] {
        let authorization = basic("clé:a:b:: ").replacen("Basic", scheme, 1);
        assert_eq!(auth_with(&api, &authorization).await.status, 200, "{authorization}");
    }
}

#[tokio::test]
async fn the_500_is_that_of_the_page() {
    let api = start(Config::default()).await;
    api.script(r#"[{"status":500}]"#).await;
    let reply = api.auth().await;
    assert_eq!((reply.status, reply.text()), (500, FAILED));
}

#[tokio::test]
async fn any_environment_is_taken_and_none_too() {
    let api = start(Config::default()).await;
    for headers in [&[BASIC][..], &[BASIC, ("X-Environment", "Sandbox")], &[BASIC, ("X-Environment", "?")]] {
        assert_eq!(api.call("POST", "/v1/auth", headers, "").await.status, 200, "{headers:?}");
    }
}

#[tokio::test]
async fn other_methods_and_paths_are_refused_in_the_same_shape() {
    let api = start(Config::default()).await;
    for (method, path) in [
        ("GET", "/v1/auth"),
        ("PUT", "/v1/auth"),
        ("OPTIONS", "/v1/auth"),
        ("DELETE", "/v1/balance"),
        ("POST", "/v1/auth/"),
        ("POST", "/v1/auth/token"),
        ("GET", "/"),
    ] {
        let reply = api.call(method, path, &[BASIC], "").await;
        assert_eq!(reply.status, 404, "{method} {path}");
        assert_eq!(reply.json()["statusCode"], 404, "{method} {path}");
        assert!(reply.json()["message"].as_str().unwrap().ends_with("Error"), "{method} {path}");
        assert!(reply.json()["reason"].is_string(), "{method} {path}");
    }
}

#[tokio::test]
async fn a_body_too_large_to_keep_is_refused() {
    let api = start(Config::default()).await;
    let reply = api.call("POST", "/v1/auth", &[BASIC], &"x".repeat(4 * 1024 * 1024)).await;
    assert_eq!(reply.status, 200);
    let length = 4 * 1024 * 1024 + 1;
    let head = format!("POST /v1/auth HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n");
    let (received, reset) = api.send(head.as_bytes()).await;
    assert_eq!(common::parse(&received, reset).status, 413);
}
