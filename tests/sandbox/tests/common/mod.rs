//! A stand-in for one test, and a client that hides nothing of what comes back.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use digitalpaye_sandbox::{Config, Credentials, Server};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// No test waits longer than this for one answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The default credentials, encoded.
pub const BASIC: (&str, &str) = ("Authorization", "Basic c2FuZGJveF9rZXk6c2FuZGJveF9zZWNyZXQ=");

/// A stand-in that is listening; it goes when the test's runtime does.
pub struct Api {
    pub address: SocketAddr,
    pub signed: Box<dyn Fn(&str) -> bool>,
}

/// Starts one.
pub async fn start(config: Config) -> Api {
    let server = Server::bind((Ipv4Addr::LOCALHOST, 0).into(), config, false).await.unwrap();
    let (address, signed) = (server.address(), Box::new(server.verifier()));
    tokio::spawn(server.run(std::future::pending()));
    Api { address, signed }
}

/// Starts one that takes these credentials.
pub async fn start_for(key: &str, secret: &str) -> Api {
    let credentials = Credentials::new(key, secret).unwrap();
    start(Config { credentials, ..Config::default() }).await
}

/// The header of `Authorization: Basic` for bytes that need not be text.
pub fn basic(credentials: impl AsRef<[u8]>) -> String {
    format!("Basic {}", STANDARD.encode(credentials))
}

/// An answer, as far as it came.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Whether the body is as long as was announced, or its last chunk came.
    pub whole: bool,
    /// Whether the connection was reset after what came.
    pub reset: bool,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|header| header.0.eq_ignore_ascii_case(name));
        let value = values.next().map(|header| header.1.as_str());
        assert!(values.next().is_none(), "{name} came more than once: {:?}", self.headers);
        value
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

impl Api {
    /// Sends one request on a connection of its own.
    pub async fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let head: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\n{head}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}",
            self.address
        );
        let (received, reset) = self.send(request.as_bytes()).await;
        parse(&received, reset)
    }

    /// Asks for a token with the right credentials.
    pub async fn auth(&self) -> Reply {
        self.call("POST", "/v1/auth", &[BASIC, ("X-Environment", "Production")], "").await
    }

    /// A token, from the answer to the above.
    pub async fn token(&self) -> String {
        let reply = self.auth().await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()["data"]["token"].as_str().unwrap().to_owned()
    }

    /// Asks for the protected resource.
    pub async fn balance(&self, token: &str) -> Reply {
        self.call("GET", "/v1/balance", &[("Authorization", &format!("Bearer {token}"))], "").await
    }

    /// Uses the control API; it has to agree.
    pub async fn control(&self, method: &str, path: &str, body: &str) -> Value {
        let reply = self.call(method, &format!("/_sandbox{path}"), &[], body).await;
        assert!(matches!(reply.status, 200 | 204), "{method} {path} {body}: {reply:?}");
        if reply.body.is_empty() { Value::Null } else { reply.json() }
    }

    pub async fn script(&self, script: &str) {
        self.control("POST", "/script", script).await;
    }

    pub async fn config(&self, config: &str) {
        self.control("POST", "/config", config).await;
    }

    pub async fn records(&self) -> Vec<Value> {
        let Value::Array(records) = self.control("GET", "/requests", "").await else { panic!("no list") };
        records
    }

    /// The only record, once it is no longer pending.
    pub async fn record(&self) -> Value {
        for _ in 0..200 {
            let mut records = self.records().await;
            assert_eq!(records.len(), 1, "{records:?}");
            let record = records.remove(0);
            if record["outcome"] != "pending" {
                return record;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the request is still pending");
    }

    /// Sends bytes, and says what came back before the end, and whether that was a reset.
    pub async fn send(&self, bytes: &[u8]) -> (Vec<u8>, bool) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut received = Vec::new();
        let reading = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut received));
        let reset = match reading.await.expect("no end of the answer") {
            Ok(_) => false,
            Err(error) => {
                assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
                true
            }
        };
        (received, reset)
    }
}

/// Reads an answer.
pub fn parse(received: &[u8], reset: bool) -> Reply {
    let end = received
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap_or_else(|| panic!("no head in {:?} (reset: {reset})", String::from_utf8_lossy(received)));
    let head = std::str::from_utf8(&received[..end]).unwrap();
    let rest = &received[end + 4..];
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned())).unwrap())
        .collect();
    let value = |name: &str| headers.iter().find(|header| header.0 == name).map(|header| header.1.as_str());
    let (body, whole) = if value("transfer-encoding") == Some("chunked") {
        dechunk(rest)
    } else {
        let announced = value("content-length").map_or(0, |length| length.parse().unwrap());
        (rest.to_vec(), rest.len() == announced)
    };
    Reply { status, headers, body, whole, reset }
}

fn dechunk(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|window| window == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        if size == 0 {
            return (body, true);
        }
        let data = &rest[end + 2..];
        let Some(chunk) = data.get(..size) else {
            body.extend_from_slice(data);
            break;
        };
        body.extend_from_slice(chunk);
        rest = data.get(size + 2..).unwrap_or_default();
    }
    (body, false)
}
