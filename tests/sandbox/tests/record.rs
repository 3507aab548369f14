//! What it says it received.

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

use std::time::Duration;

use common::{Api, BASIC, start};
use digitalpaye_sandbox::Config;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

async fn connect(api: &Api) -> TcpStream {
    TcpStream::connect(api.address).await.unwrap()
}

#[tokio::test]
async fn a_request_is_shown_as_it_was_sent() {
    let api = start(Config::default()).await;
    let raw = b"POST /v1/auth?x=%20&y HTTP/1.1\r\nhOST: h\r\nX-Environment: Production\r\nX-Twice:  a \r\n\
        X-Latin: \xe9\r\nX-Twice: b\r\nContent-Length: 3\r\nConnection: close\r\n\r\n\xff\x00a";
    let (_, reset) = api.send(raw).await;
    assert!(!reset);
    let record = api.record().await;
    assert_eq!(record["method"], "POST");
    assert_eq!(record["path"], "/v1/auth?x=%20&y");
    assert_eq!(
        record["headers"],
        json!([
            ["hOST", "h"],
            ["X-Environment", "Production"],
            ["X-Twice", "a"],
            ["X-Latin", "é"],
            ["X-Twice", "b"],
            ["Content-Length", "3"],
            ["Connection", "close"],
        ])
    );
    assert_eq!((&record["bodyLength"], &record["bodyBase64"]), (&json!(3), &json!("/wBh")));
    assert_eq!((&record["outcome"], &record["status"]), (&json!("answered"), &json!(400)));
    let (received, finished) = (record["receivedMs"].as_f64().unwrap(), record["finishedMs"].as_f64().unwrap());
    assert!(0.0 <= received && received <= finished && finished < 60_000.0, "{received} {finished}");
}

#[tokio::test]
async fn requests_of_one_connection_are_told_from_those_of_another() {
    let api = start(Config::default()).await;
    let mut stream = connect(&api).await;
    let one = b"POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
    let two = b"POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello";
    let last = b"GET /c HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    // All at once: pipelined.
    stream.write_all(&[&one[..], two, last].concat()).await.unwrap();
    stream.read_to_end(&mut Vec::new()).await.unwrap();
    api.call("GET", "/d", &[], "").await;
    let records = api.records().await;
    let paths: Vec<&Value> = records.iter().map(|record| &record["path"]).collect();
    assert_eq!(paths, ["/a", "/b", "/c", "/d"]);
    let bodies: Vec<&Value> = records.iter().map(|record| &record["bodyBase64"]).collect();
    assert_eq!(bodies, ["aGk=", "aGVsbG8=", "", ""]);
    let connections: Vec<u64> = records.iter().map(|record| record["connection"].as_u64().unwrap()).collect();
    assert!(connections[0] == connections[1] && connections[1] == connections[2]);
    assert_ne!(connections[2], connections[3]);
    let numbers: Vec<&Value> = records.iter().map(|record| &record["number"]).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
}

#[tokio::test]
async fn a_client_that_leaves_is_noticed() {
    let api = start(Config::default()).await;
    for (script, status) in [
        (json!([{ "hang": true }]), Value::Null),
        (json!([{ "latencyMs": 600_000 }]), Value::Null),
        (json!([{ "drip": { "bytes": 1, "intervalMs": 100 } }]), json!(200)),
    ] {
        api.control("DELETE", "/requests", "").await;
        api.script(&script.to_string()).await;
        let mut stream = connect(&api).await;
        let request = format!("POST /v1/auth HTTP/1.1\r\nHost: h\r\n{}: {}\r\n\r\n", BASIC.0, BASIC.1);
        stream.write_all(request.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(150)).await;
        assert_eq!(api.records().await[0]["outcome"], "pending", "{script}");
        assert_eq!(api.records().await[0]["finishedMs"], Value::Null, "{script}");
        drop(stream);
        let record = api.record().await;
        assert_eq!((&record["outcome"], &record["status"]), (&json!("client-closed"), &status), "{script}");
        let took = record["finishedMs"].as_f64().unwrap() - record["receivedMs"].as_f64().unwrap();
        assert!((100.0..5_000.0).contains(&took), "{took}");
    }
}

#[tokio::test]
async fn a_client_that_leaves_within_its_body_or_breaks_http_is_noticed() {
    let api = start(Config::default()).await;
    for request in ["Content-Length: 9\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\nz\r\n"] {
        api.control("DELETE", "/requests", "").await;
        let mut stream = connect(&api).await;
        stream.write_all(format!("POST /v1/auth HTTP/1.1\r\nHost: h\r\n{request}").as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        drop(stream);
        let record = api.record().await;
        assert_eq!(
            (&record["outcome"], &record["status"], &record["bodyLength"]),
            (&json!("client-closed"), &Value::Null, &json!(0)),
            "{request:?}"
        );
    }
}

#[tokio::test]
async fn a_head_request_is_answered() {
    let api = start(Config::default()).await;
    let token = api.token().await;
    api.control("DELETE", "/requests", "").await;
    let authorization = format!("Bearer {token}");
    let reply = api.call("HEAD", "/v1/balance", &[("Authorization", &authorization)], "").await;
    assert_eq!((reply.status, reply.body.as_slice()), (200, &b""[..]));
    assert_eq!(api.record().await["outcome"], "answered");
}

#[tokio::test]
async fn counts_and_list_can_be_cleared_and_the_numbers_go_on() {
    let api = start(Config::default()).await;
    for _ in 0..3 {
        api.auth().await;
    }
    api.balance("x").await;
    api.call("GET", "/v1/balance?again", &[], "").await;
    let counts = api.control("GET", "/counts", "").await;
    assert_eq!(counts, json!({ "POST /v1/auth": 3, "GET /v1/balance": 2 }));
    assert_eq!(api.records().await.len(), 5, "controlling it is not recorded");
    api.control("DELETE", "/requests", "").await;
    assert_eq!(api.records().await.len(), 0);
    assert_eq!(api.control("GET", "/counts", "").await, json!({}));
    api.auth().await;
    assert_eq!(api.records().await[0]["number"], 6);
}

#[tokio::test]
async fn a_request_that_outlives_a_clearing_is_not_taken_for_another() {
    let api = start(Config::default()).await;
    api.script(r#"[{"latencyMs":200,"status":503}]"#).await;
    let (slow, ()) = tokio::join!(api.auth(), async {
        tokio::time::sleep(Duration::from_millis(80)).await;
        api.control("DELETE", "/requests", "").await;
        api.balance("x").await;
    });
    assert_eq!(slow.status, 503);
    let record = api.record().await;
    assert_eq!((&record["path"], &record["status"]), (&json!("/v1/balance"), &json!(401)));
}

#[tokio::test]
async fn of_a_long_body_the_beginning_is_kept_and_of_many_requests_the_last() {
    let api = start(Config::default()).await;
    api.call("POST", "/v1/auth", &[], &"x".repeat(100_000)).await;
    let record = api.record().await;
    assert_eq!(record["bodyLength"], 100_000);
    assert_eq!(record["bodyBase64"].as_str().unwrap().len(), 65_536_usize.div_ceil(3) * 4);

    let mut stream = connect(&api).await;
    let (mut reader, mut writer) = stream.split();
    let many = b"GET /many HTTP/1.1\r\n\r\n".repeat(10_000);
    let write = async {
        writer.write_all(&many).await.unwrap();
        writer.write_all(b"GET /last HTTP/1.1\r\nConnection: close\r\n\r\n").await.unwrap();
    };
    let mut received = Vec::new();
    let (_, read) = tokio::join!(write, reader.read_to_end(&mut received));
    read.unwrap();
    let records = api.records().await;
    assert_eq!(records.len(), 10_000);
    assert_eq!(records[0]["number"], 3);
    assert_eq!(records[9_999]["path"], "/last");
    assert_eq!(api.control("GET", "/counts", "").await["GET /many"], 10_000);
}
