//! What a browser needs to be told, asked as a browser asks.

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

use common::{Api, BASIC, Reply, start};
use digitalpaye_sandbox::Config;

const PAGE: (&str, &str) = ("Origin", "https://boutique.example");

async fn preflight(api: &Api, path: &str, origin: &str) -> Reply {
    let headers = [("Origin", origin), ("Access-Control-Request-Method", "POST")];
    api.call("OPTIONS", path, &headers, "").await
}

#[tokio::test]
async fn a_page_of_any_origin_may_send_the_two_headers() {
    let api = start(Config::default()).await;
    for (path, methods, headers) in [
        ("/v1/auth", "POST", "Authorization, X-Environment"),
        ("/v1/balance", "GET, POST", "Authorization, X-Environment, Content-Type"),
    ] {
        for origin in ["https://boutique.example", "http://127.0.0.1:5173", "null"] {
            let reply = preflight(&api, path, origin).await;
            assert_eq!(reply.status, 204);
            assert_eq!(reply.body, b"");
            assert_eq!(reply.header("access-control-allow-origin"), Some(origin));
            assert_eq!(reply.header("access-control-allow-methods"), Some(methods));
            assert_eq!(reply.header("access-control-allow-headers"), Some(headers));
            assert_eq!(reply.header("access-control-allow-credentials"), None);
            assert_eq!(reply.header("vary"), Some("Origin"));
        }
    }
}

#[tokio::test]
async fn it_may_read_the_answer_good_or_bad() {
    let api = start(Config::default()).await;
    api.script(r#"[{"latencyMs":0},{"status":503},{"html":true},{"brokenJson":true}]"#).await;
    for status in [200, 503, 502, 200] {
        let reply = api.call("POST", "/v1/auth", &[PAGE, BASIC], "").await;
        assert_eq!(reply.status, status);
        assert_eq!(reply.header("access-control-allow-origin"), Some(PAGE.1));
        assert_eq!(reply.header("access-control-expose-headers"), None);
        assert_eq!(reply.header("vary"), Some("Origin"));
    }
    let wrong = api.call("GET", "/v1/balance", &[PAGE], "").await;
    assert_eq!(wrong.status, 401);
    assert_eq!(wrong.header("access-control-allow-origin"), Some(PAGE.1));
}

#[tokio::test]
async fn it_reads_the_headers_that_are_exposed() {
    let expose_headers = vec!["Date".to_owned(), "Retry-After".to_owned()];
    let api = start(Config { expose_headers, ..Config::default() }).await;
    let reply = api.call("POST", "/v1/auth", &[PAGE, BASIC], "").await;
    assert_eq!(reply.header("access-control-expose-headers"), Some("Date, Retry-After"));
    api.config(r#"{"exposeHeaders":[]}"#).await;
    let reply = api.call("POST", "/v1/auth", &[PAGE, BASIC], "").await;
    assert_eq!(reply.header("access-control-expose-headers"), None);
}

#[tokio::test]
async fn an_api_that_knows_no_browser_says_nothing() {
    let api = start(Config { cors: false, ..Config::default() }).await;
    let reply = preflight(&api, "/v1/auth", PAGE.1).await;
    assert_eq!(reply.status, 404);
    assert_eq!(reply.header("access-control-allow-origin"), None);
    let reply = api.call("POST", "/v1/auth", &[PAGE, BASIC], "").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("access-control-allow-origin"), None);
    assert_eq!(reply.header("vary"), None);
}

#[tokio::test]
async fn a_preflight_is_recorded_and_takes_nothing_of_the_script() {
    let api = start(Config::default()).await;
    api.script(r#"[{"status":503}]"#).await;
    preflight(&api, "/v1/auth", PAGE.1).await;
    assert_eq!(api.records().await[0]["method"], "OPTIONS");
    assert_eq!(api.call("POST", "/v1/auth", &[PAGE, BASIC], "").await.status, 503);
}

#[tokio::test]
async fn only_pages_of_this_machine_control_it() {
    let api = start(Config::default()).await;
    for (origin, allowed) in [
        ("http://localhost:5173", true),
        ("https://demo.localhost", true),
        ("http://127.0.0.1:8787", true),
        ("http://127.5.5.5", true),
        ("http://[::1]:8787", true),
        ("https://boutique.example", false),
        ("http://localhost.boutique.example", false),
        ("http://127.0.0.1.boutique.example", false),
        ("http://boutique.example:127", false),
        ("http://[2001:db8::1]", false),
        ("localhost", false),
        ("null", false),
        ("", false),
    ] {
        let asked = preflight(&api, "/_sandbox/script", origin).await;
        let done = api.call("POST", "/_sandbox/script", &[("Origin", origin)], r#"[{"times":3}]"#).await;
        let left = api.control("GET", "/script", "").await["left"].clone();
        if allowed {
            assert_eq!((asked.status, done.status), (204, 200), "{origin:?}");
            assert_eq!(asked.header("access-control-allow-methods"), Some("GET, POST, DELETE"));
            assert_eq!(asked.header("access-control-allow-headers"), Some("Content-Type"));
            for reply in [asked, done] {
                assert_eq!(reply.header("access-control-allow-origin"), Some(origin));
            }
            assert_eq!(left, 3, "{origin:?}");
        } else {
            assert_eq!((asked.status, done.status), (403, 403), "{origin:?}");
            assert_eq!(done.header("access-control-allow-origin"), None);
            assert_eq!(left, 0, "{origin:?}");
        }
        api.script("[]").await;
    }
}
