//! Every way in which it can be told to misbehave.

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

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::{BASIC, parse, start};
use digitalpaye_sandbox::Config;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const AUTH: &[u8] = b"POST /v1/auth HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn behaviours_are_taken_in_order_by_path_and_so_many_times() {
    let api = start(Config::default()).await;
    api.script(
        r#"[{"status":503,"times":2},{"path":"/v1/balance","status":500},{"status":429},{"path":"/nowhere","status":418}]"#,
    )
    .await;
    let token = {
        let mut statuses = Vec::new();
        for _ in 0..4 {
            statuses.push(api.auth().await.status);
        }
        assert_eq!(statuses, [503, 503, 429, 200]);
        api.token().await
    };
    assert_eq!(api.balance(&token).await.status, 500);
    assert_eq!(api.balance(&token).await.status, 200);
    assert_eq!(api.control("GET", "/script", "").await["left"], 1);
    assert_eq!(api.call("GET", "/nowhere?x", &[], "").await.status, 418);
    assert_eq!(api.control("GET", "/script", "").await["left"], 0);
}

#[tokio::test]
async fn a_new_script_takes_the_place_of_the_old() {
    let api = start(Config::default()).await;
    api.script(r#"[{"status":503,"times":1000}]"#).await;
    assert_eq!(api.auth().await.status, 503);
    api.script(r#"[{"status":429}]"#).await;
    assert_eq!(api.auth().await.status, 429);
    assert_eq!(api.auth().await.status, 200);
    api.script(r#"[{"status":503,"times":1000}]"#).await;
    api.script("[]").await;
    assert_eq!(api.auth().await.status, 200);
}

#[tokio::test]
async fn a_status_comes_with_the_body_of_the_api() {
    let api = start(Config::default()).await;
    for (status, message) in [
        (400, "BadRequestError"),
        (401, "UnauthorizedError"),
        (403, "ForbiddenError"),
        (408, "RequestTimeoutError"),
        (418, "ImATeapotError"),
        (429, "TooManyRequestsError"),
        (500, "InternalServerError"),
        (503, "ServiceUnavailableError"),
        (599, "UnknownError"),
        (201, "Created"),
        (206, "PartialContent"),
        (307, "TemporaryRedirect"),
    ] {
        api.script(&format!(r#"[{{"status":{status}}}]"#)).await;
        let reply = api.auth().await;
        assert_eq!(reply.status, status);
        assert_eq!(reply.json()["statusCode"], status);
        assert_eq!(reply.json()["message"], message);
        assert!(reply.whole);
    }
    api.script(r#"[{"status":200}]"#).await;
    assert!(api.auth().await.json()["data"]["token"].is_string());
    api.script(r#"[{"status":200}]"#).await;
    assert_eq!(api.call("POST", "/v1/auth", &[], "").await.status, 400, "200 is what is ordinary");
    for status in [204, 304] {
        api.script(&format!(r#"[{{"status":{status}}}]"#)).await;
        let reply = api.auth().await;
        assert_eq!((reply.status, reply.body.as_slice()), (status, &b""[..]));
    }
}

#[tokio::test]
async fn a_body_is_sent_to_the_byte() {
    let api = start(Config::default()).await;
    let text = "{\"statusCode\" : 200,\r\n\t\"é\":1}";
    api.script(&json!([{ "body": text }]).to_string()).await;
    let reply = api.auth().await;
    assert_eq!((reply.status, reply.text()), (200, text));
    assert_eq!(reply.header("content-type"), Some("application/json; charset=utf-8"));

    let bytes = b"\xef\xbb\xbf\xff\x00";
    let script = json!([{ "status": 401, "bodyBase64": STANDARD.encode(bytes) }]);
    api.script(&script.to_string()).await;
    let reply = api.auth().await;
    assert_eq!((reply.status, reply.body.as_slice()), (401, &bytes[..]));

    api.script(r#"[{"status":500,"body":""}]"#).await;
    let reply = api.auth().await;
    assert_eq!((reply.status, reply.header("content-length")), (500, Some("0")));
}

#[tokio::test]
async fn headers_are_added_replaced_repeated_and_left_out() {
    let api = start(Config::default()).await;
    let headers = json!({
        "Age": "30", "Content-Type": "text/plain", "X-Twice": ["a", "b"], "date": null, "VARY": null,
        "Access-Control-Allow-Origin": "https://another.example",
    });
    api.script(&json!([{ "headers": headers }]).to_string()).await;
    let reply = api.call("POST", "/v1/auth", &[BASIC, ("Origin", "http://here.example")], "").await;
    assert_eq!(reply.status, 200);
    assert!(reply.json()["data"]["token"].is_string());
    assert_eq!(reply.header("age"), Some("30"));
    assert_eq!(reply.header("content-type"), Some("text/plain"));
    assert_eq!(reply.header("date"), None);
    assert_eq!(reply.header("vary"), None);
    assert_eq!(reply.header("access-control-allow-origin"), Some("https://another.example"));
    let twice: Vec<&str> =
        reply.headers.iter().filter(|header| header.0 == "x-twice").map(|header| header.1.as_str()).collect();
    assert_eq!(twice, ["a", "b"]);
}

#[tokio::test]
async fn an_answer_can_be_late() {
    let api = start(Config::default()).await;
    api.script(r#"[{"latencyMs":300}]"#).await;
    let began = Instant::now();
    assert_eq!(api.auth().await.status, 200);
    assert!(began.elapsed() >= Duration::from_millis(300));
    let began = Instant::now();
    assert_eq!(api.auth().await.status, 200);
    assert!(began.elapsed() < Duration::from_millis(300));
    api.config(r#"{"latencyMs":200}"#).await;
    let began = Instant::now();
    assert_eq!(api.balance("none").await.status, 401);
    assert!(began.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn an_answer_can_never_come() {
    let api = start(Config::default()).await;
    api.script(r#"[{"hang":true}]"#).await;
    let mut stream = TcpStream::connect(api.address).await.unwrap();
    stream.write_all(AUTH).await.unwrap();
    let waited = tokio::time::timeout(Duration::from_millis(300), stream.read_u8()).await;
    assert!(waited.is_err(), "{waited:?}");
    assert_eq!(api.records().await[0]["outcome"], "pending");
    assert_eq!(api.auth().await.status, 200, "the others go on");
}

#[tokio::test]
async fn the_connection_can_be_reset_instead_of_an_answer() {
    let api = start(Config::default()).await;
    api.script(r#"[{"reset":true}]"#).await;
    let (received, reset) = api.send(AUTH).await;
    assert_eq!((received.as_slice(), reset), (&b""[..], true));
    let record = api.record().await;
    assert_eq!((&record["outcome"], &record["status"]), (&json!("reset"), &Value::Null));
}

#[tokio::test]
async fn the_connection_can_be_reset_within_the_body() {
    let api = start(Config::default()).await;
    for (behaviour, expected) in [
        (json!({ "resetMidBody": true, "body": "0123456789" }), "01234"),
        (json!({ "resetMidBody": 3, "body": "0123456789" }), "012"),
        (json!({ "resetMidBody": 0, "body": "0123456789" }), ""),
        (json!({ "resetMidBody": 99, "body": "0123456789" }), "012345678"),
        (json!({ "resetMidBody": true, "body": "" }), ""),
        (json!({ "resetMidBody": 7, "body": "0123456789", "drip": { "bytes": 3, "intervalMs": 10 } }), "0123456"),
        (json!({ "resetMidBody": 12, "body": "0123456789", "oversized": 20 }), "0123456789  "),
    ] {
        api.control("DELETE", "/requests", "").await;
        api.script(&json!([behaviour]).to_string()).await;
        let (received, reset) = api.send(AUTH).await;
        let reply = parse(&received, reset);
        assert!(reply.reset && !reply.whole || reply.body.is_empty(), "{behaviour}: {reply:?}");
        assert!(reply.reset, "{behaviour}: {reply:?}");
        assert_eq!((reply.status, reply.text()), (200, expected), "{behaviour}");
        let record = api.record().await;
        assert_eq!((&record["outcome"], &record["status"]), (&json!("reset"), &json!(200)), "{behaviour}");
    }
}

#[tokio::test]
async fn a_body_can_drip() {
    let api = start(Config::default()).await;
    api.script(r#"[{"body":"0123456789","drip":{"bytes":3,"intervalMs":50}}]"#).await;
    let mut stream = TcpStream::connect(api.address).await.unwrap();
    stream.write_all(AUTH).await.unwrap();
    let (mut received, mut reads) = (Vec::new(), 0);
    let began = Instant::now();
    while stream.read_buf(&mut received).await.unwrap() > 0 {
        reads += 1;
    }
    assert!(began.elapsed() >= Duration::from_millis(150), "{:?}", began.elapsed());
    assert!(reads >= 4, "{reads} reads");
    let reply = parse(&received, false);
    assert_eq!((reply.text(), reply.whole), ("0123456789", true));
    assert_eq!(api.record().await["outcome"], "answered");
}

#[tokio::test]
async fn a_body_can_be_too_large_and_still_be_json() {
    let api = start(Config::default()).await;
    for length in [65_536, 65_537, 1_000_000] {
        api.script(&format!(r#"[{{"oversized":{length}}}]"#)).await;
        let reply = api.auth().await;
        assert_eq!(reply.body.len(), length);
        assert_eq!(reply.header("content-length"), None);
        assert!(reply.whole);
        assert!(reply.json()["data"]["token"].is_string());
    }
    api.script(r#"[{"oversized":70000,"status":401}]"#).await;
    let reply = api.auth().await;
    assert_eq!((reply.status, reply.body.len()), (401, 70_000));
    assert_eq!(reply.json()["statusCode"], 401);
}

#[tokio::test]
async fn a_body_without_an_end_costs_no_memory_and_ends_with_the_client() {
    let api = start(Config::default()).await;
    api.script(&format!(r#"[{{"oversized":{}}}]"#, u64::MAX)).await;
    let mut stream = TcpStream::connect(api.address).await.unwrap();
    stream.write_all(AUTH).await.unwrap();
    let mut received = vec![0; 1 << 20];
    stream.read_exact(&mut received).await.unwrap();
    drop(stream);
    let record = api.record().await;
    assert_eq!((&record["outcome"], &record["status"]), (&json!("client-closed"), &json!(400)));
}

#[tokio::test]
async fn json_can_be_broken() {
    let api = start(Config::default()).await;
    api.script(r#"[{"brokenJson":true},{"brokenJson":true,"status":500}]"#).await;
    for status in [200, 500] {
        let reply = api.auth().await;
        assert_eq!(reply.status, status);
        assert!(reply.whole, "whole, as far as HTTP goes");
        assert!(reply.text().starts_with(&format!(r#"{{"statusCode":{status},"#)));
        assert!(serde_json::from_slice::<Value>(&reply.body).is_err());
    }
}

#[tokio::test]
async fn a_proxy_can_answer_in_html() {
    let api = start(Config::default()).await;
    api.script(r#"[{"html":true},{"html":"<p>é</p>","status":200},{"html":false}]"#).await;
    let reply = api.auth().await;
    assert_eq!((reply.status, reply.header("content-type")), (502, Some("text/html; charset=utf-8")));
    assert!(reply.text().starts_with("<html>"));
    let reply = api.auth().await;
    assert_eq!((reply.status, reply.text()), (200, "<p>é</p>"));
    assert!(api.auth().await.json()["data"].is_object());
}

#[tokio::test]
async fn it_can_redirect() {
    let api = start(Config::default()).await;
    for (behaviour, status) in [
        (json!({ "redirect": "http://127.0.0.1:1/v1/auth" }), 302),
        (json!({ "redirect": "/v1/auth", "status": 308 }), 308),
    ] {
        api.script(&json!([behaviour]).to_string()).await;
        let reply = api.auth().await;
        assert_eq!(reply.status, status);
        assert_eq!(reply.header("location"), behaviour["redirect"].as_str());
        assert_eq!(reply.body, b"");
    }
}

#[tokio::test]
async fn it_can_ask_for_patience() {
    let api = start(Config::default()).await;
    for (behaviour, status, value) in [
        (json!({ "retryAfter": 2 }), 429, "2"),
        (json!({ "retryAfter": 0.5, "status": 503 }), 503, "0.5"),
        (json!({ "retryAfter": "Tue, 24 Nov 2026 12:00:00 GMT" }), 429, "Tue, 24 Nov 2026 12:00:00 GMT"),
        (json!({ "retryAfter": "soon", "status": 500 }), 500, "soon"),
    ] {
        api.script(&json!([behaviour]).to_string()).await;
        let reply = api.auth().await;
        assert_eq!((reply.status, reply.header("retry-after")), (status, Some(value)), "{behaviour}");
        assert_eq!(reply.json()["statusCode"], status);
    }
}

#[tokio::test]
async fn a_script_that_makes_no_sense_is_refused_whole() {
    let api = start(Config::default()).await;
    api.script(r#"[{"status":503}]"#).await;
    for wrong in [
        json!([{ "status": 503 }, { "stauts": 503 }]),
        json!([{ "status": 199 }]),
        json!([{ "status": 600 }]),
        json!([{ "times": 0 }]),
        json!([{ "latencyMs": 600_001 }]),
        json!([{ "hang": true, "reset": true }]),
        json!([{ "hang": true, "status": 500 }]),
        json!([{ "reset": true, "drip": true }]),
        json!([{ "body": "", "html": true }]),
        json!([{ "body": "", "bodyBase64": "" }]),
        json!([{ "bodyBase64": "?" }]),
        json!([{ "drip": { "bytes": 0 } }]),
        json!([{ "drip": { "intervalMs": 600_001 } }]),
        json!([{ "retryAfter": true }]),
        json!([{ "retryAfter": "a\nb" }]),
        json!([{ "redirect": "a\nb" }]),
        json!([{ "headers": { "a b": "c" } }]),
        json!([{ "headers": { "a": "b\r\nc" } }]),
        json!({ "status": 503 }),
    ] {
        let reply = api.call("POST", "/_sandbox/script", &[], &wrong.to_string()).await;
        assert_eq!(reply.status, 400, "{wrong}");
        assert!(reply.json()["error"].is_string(), "{wrong}");
    }
    assert_eq!(api.control("GET", "/script", "").await["left"], 1);
    for (method, path, status) in [("GET", "/_sandbox/revoke", 405), ("GET", "/_sandbox/nothing", 404)] {
        let reply = api.call(method, path, &[], "").await;
        assert_eq!(reply.status, status);
        assert!(reply.json()["error"].is_string());
    }
}
